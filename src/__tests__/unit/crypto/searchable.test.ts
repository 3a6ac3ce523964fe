import assert from 'node:assert/strict';
import {createPropertyCodec, type PlainRow} from '../../../mixins/crypto/codec';
import type {CryptoConfigurationError} from '../../../mixins/crypto/errors';
import {IndexKeys} from '../../../mixins/crypto/index-keys';
import {KeyRing, type KeyProvider} from '../../../mixins/crypto/keys';
import type {EncryptedProperty, EncryptSetting, Normalize} from '../../../mixins/crypto/searchable';

describe('blind index', () => {
  // Made with Python's hmac: HMAC-SHA-256 under HKDF-SHA-256 of the data key, without salt.
  const vectors: [property: string, value: unknown, index: string][] = [
    ['email', ' Zoë@Example.org ', 'k1.38SRqucwwz4iBWZgNmU9mgJhaHWp8TUhZDZVjqY4__g'],
    ['email', '', 'k1.bwICp8NogePbmnnYVRYjxoROoaW1uGOnIT7vHjgN6Lw'],
    ['age', 42.5, 'k1.rnYgQl-0wyiqzzfAThFoElYMUbOf7h5fFRrCi4x9X9k'],
    ['age', '42.5', 'k1.rnYgQl-0wyiqzzfAThFoElYMUbOf7h5fFRrCi4x9X9k'],
    ['age', 0, 'k1.HkbK6gIf_MSLXJFimCVucLYjYtEP4f-ha6Igm3FFuTk'],
    ['age', -0, 'k1.HkbK6gIf_MSLXJFimCVucLYjYtEP4f-ha6Igm3FFuTk'],
    ['born', new Date('1999-12-31'), 'k1.XbCS_C3Dx0vf4CRtMIlFmRlbfQnx9oJxSCyyyeSIus0'],
    ['born', '1999-12-31T00:00:00Z', 'k1.XbCS_C3Dx0vf4CRtMIlFmRlbfQnx9oJxSCyyyeSIus0'],
  ];
  for (const [property, value, index] of vectors) {
    it(`of ${property} ${JSON.stringify(value)} is what others compute`, () => {
      const row = givenCodec().encrypt({[property]: value}, {}) as PlainRow;
      assert.equal(row[`_${property}Index`], index);
    });
  }

  it('differs between columns, models and keys', () => {
    const indexes = [
      indexOf(givenCodec(), 'x'),
      indexOf(givenCodec({entityName: 'Other'}), 'x'),
      indexOf(givenCodec({keys: givenKeys('k2')}), 'x'),
      (givenCodec().encrypt({ssn: 'x'}, {}) as PlainRow)._ssnIndex,
    ];
    assert.equal(new Set(indexes.map(i => String(i).split('.')[1])).size, 4);
  });

  it('is null for null, absent for what is absent, and never what the caller says', () => {
    const codec = givenCodec();
    assert.deepEqual(codec.encrypt({email: null}, {}), {email: null, _emailIndex: null});
    assert.deepEqual(codec.encrypt({name: 'x', _emailIndex: 'planted'}, {}), {name: 'x'});
    const row = codec.encrypt({email: null, _emailIndex: 'planted'}, {}) as PlainRow;
    assert.equal(row._emailIndex, null);
  });

  it('is made of the normalised value, while the value itself stays', () => {
    const normalize: Normalize = ['trim', (v: string) => v.replace(/\D/g, '')];
    const codec = givenCodec({properties: {phone: property({searchable: true, normalize})}});
    const index = (phone: string) => (codec.encrypt({phone}, {}) as PlainRow)._phoneIndex;
    assert.equal(index(' (030) 12-34 '), index('0301234'));
    const stored = codec.encrypt({phone: ' (030) 12-34 '}, {}) as PlainRow;
    assert.equal((codec.decrypt(stored, {}) as PlainRow).phone, ' (030) 12-34 ');
  });

  it('says nothing of the value when a step of normalize answers none', () => {
    const normalize = () => undefined;
    const codec = givenCodec({properties: {phone: property({searchable: true, normalize})}});
    assert.throws(
      () => codec.encrypt({phone: '0301234'}, {}),
      (error: Error) => /Person\.phone/.test(error.message) && !error.message.includes('030'),
    );
  });

  const refusals: [string, EncryptedProperty, string][] = [
    ['an object', property({searchable: true}, 'object'), 'CRYPTO_SEARCHABLE_UNSUPPORTED'],
    ['an array', property({searchable: true}, Array), 'CRYPTO_SEARCHABLE_UNSUPPORTED'],
    [
      'an unknown normalisation',
      property({searchable: true, normalize: 'upper' as never}),
      'CRYPTO_SEARCHABLE_UNSUPPORTED',
    ],
    [
      'uniqueness of what is not searchable',
      {...property(true), index: {unique: true}},
      'CRYPTO_UNIQUE_NEEDS_SEARCHABLE',
    ],
  ];
  for (const [what, definition, code] of refusals) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => givenCodec({properties: {phone: definition}}),
        (error: CryptoConfigurationError) => error.code === code,
      );
    });
  }
});

describe('keys of blind indexes', () => {
  it('are the current key first, then all others', async () => {
    const keys = new IndexKeys(givenKeys('k1', 'k2', 'k3'));
    assert.deepEqual(idsOf(await keys.all()), ['k3', 'k1', 'k2']);
    assert.deepEqual(idsOf(keys.atHand()), ['k3', 'k1', 'k2']);
  });

  it('are those that are named', async () => {
    const keys = new IndexKeys(givenKeys('k1', 'k2', 'k3'), ['k2']);
    assert.deepEqual(idsOf(await keys.all()), ['k2']);
  });

  it('are asked of the provider, again when it has made another key current', async () => {
    let clock = 0;
    const provider = givenProvider();
    const ring = new KeyRing(provider, {currentTtl: 1000, now: () => clock});
    const keys = new IndexKeys(ring);
    assert.deepEqual(idsOf(await keys.all()), ['k1']);
    provider.current = async () => givenKey('k2');
    provider.ids = async () => ['k1', 'k2'];
    clock = 1000;
    assert.equal(keys.atHand(), undefined);
    assert.deepEqual(idsOf(await keys.all()), ['k2', 'k1']);
  });

  it('have to be named where the provider cannot tell', async () => {
    const {current, byId} = givenProvider();
    const unknown = {code: 'CRYPTO_INDEX_KEYS_UNKNOWN'};
    await assert.rejects(new IndexKeys(new KeyRing({current, byId})).all(), unknown);
    const named = new IndexKeys(new KeyRing({current, byId}), ['k1']);
    assert.deepEqual(idsOf(await named.all()), ['k1']);
    await assert.rejects(new IndexKeys(givenKeys('k1'), ['k9']).all(), unknown);
  });
});

function property(encrypt: EncryptSetting, type: unknown = 'string'): EncryptedProperty {
  return {encrypt, type};
}

function givenKey(id: string) {
  return {id, secret: Buffer.from(Array.from({length: 32}, (_, i) => i + Number(id[1]) - 1))};
}

function givenKeys(...ids: string[]): KeyRing {
  return new KeyRing({keys: ids.map(givenKey), current: ids[ids.length - 1]});
}

function givenProvider(): KeyProvider {
  return {
    current: async () => givenKey('k1'),
    byId: async id => givenKey(id),
    ids: async () => ['k1'],
  };
}

function givenCodec(options: object = {}) {
  return createPropertyCodec({
    entityName: 'Person',
    properties: {
      email: property({searchable: true, normalize: ['trim', 'lowercase']}),
      ssn: property({searchable: true}),
      age: property({searchable: true}, Number),
      born: property({searchable: true}, 'date'),
    },
    keys: givenKeys('k1'),
    indexKeys: undefined,
    bindId: false,
    ...options,
  });
}

function indexOf(codec: ReturnType<typeof givenCodec>, email: string): unknown {
  return (codec.encrypt({email}, {}) as PlainRow)._emailIndex;
}

function idsOf(keys: readonly {id: string}[] | undefined) {
  return keys?.map(({id}) => id);
}
