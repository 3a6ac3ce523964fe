import assert from 'node:assert/strict';
import fc from 'fast-check';
import {createPropertyCodec, type PlainRow} from '../../mixins/crypto/codec';
import {DecryptionError} from '../../mixins/crypto/errors';
import {KeyRing} from '../../mixins/crypto/keys';

describe('encrypted values', () => {
  it('come back as they were, whatever their type', () => {
    fc.assert(
      fc.property(anyValue(), anyId(), (value, id) => {
        const stored = seal('Card', 'secret', value, id);
        assert.deepEqual(open('Card', 'secret', stored, id), value);
      }),
      {numRuns: 1000},
    );
  });

  it('are refused once any character of them is another', () => {
    fc.assert(
      fc.property(anyValue(), fc.nat(), fc.nat(), (value, at, by) => {
        const stored = seal('Card', 'secret', value, 1);
        const position = at % stored.length;
        const others = ALPHABET.replace(stored[position], '');
        const changed =
          stored.slice(0, position) + others[by % others.length] + stored.slice(position + 1);
        assert.throws(() => open('Card', 'secret', changed, 1), DecryptionError);
      }),
      {numRuns: 1000},
    );
  });

  it('are refused once they are shorter or longer', () => {
    fc.assert(
      fc.property(anyValue(), fc.nat(), fc.string({minLength: 1}), (value, at, more) => {
        const stored = seal('Card', 'secret', value, 1);
        const cut = stored.slice(0, at % stored.length);
        assert.throws(() => open('Card', 'secret', cut, 1), DecryptionError);
        assert.throws(() => open('Card', 'secret', stored + more, 1), DecryptionError);
      }),
    );
  });

  it('are refused in any place but their own', () => {
    const place = fc.tuple(fc.string(), fc.string({minLength: 1}), anyId());
    fc.assert(
      fc.property(place, place, ([model, property, id], [model2, property2, id2]) => {
        fc.pre(model !== model2 || property !== property2 || String(id) !== String(id2));
        fc.pre(property !== '__proto__' && property2 !== '__proto__');
        const stored = seal(model, property, 'x', id);
        assert.throws(() => open(model2, property2, stored, id2), DecryptionError);
      }),
    );
  });
});

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= ';
const KEYS = new KeyRing({
  keys: ['k1', 'k2'].map(id => ({id, secret: Buffer.alloc(32, id)})),
  current: 'k1',
});

function seal(entityName: string, property: string, value: unknown, id: unknown): string {
  return (codecOf(entityName, property).encrypt({[property]: value}, {id}) as PlainRow)[
    property
  ] as string;
}

function open(entityName: string, property: string, stored: string, id: unknown): unknown {
  return (codecOf(entityName, property).decrypt({[property]: stored}, {id}) as PlainRow)[property];
}

function codecOf(entityName: string, property: string) {
  const properties = {[property]: {encrypt: true as const}};
  return createPropertyCodec({entityName, properties, keys: KEYS, bindId: true});
}

function anyId(): fc.Arbitrary<unknown> {
  return fc.oneof(fc.string({minLength: 1}), fc.uuid(), fc.integer());
}

function anyValue(): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.string(),
    fc.string({unit: 'binary'}),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.date({noInvalidDate: true}),
    fc.uint8Array().map(bytes => Buffer.from(bytes)),
    // JSON has no negative zero and no prototype to set.
    fc.jsonValue().filter(v => v !== null).map(v => JSON.parse(JSON.stringify(v)) as unknown),
  );
}
