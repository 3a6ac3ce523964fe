import assert from 'node:assert/strict';
import type {JugglerModelClass} from '../../../mixins/juggler';
import {assertPlainId, plainWhere} from '../../../mixins/where';
import {assertSafeWhere} from '../../../mixins/where-check';

describe('wheres', () => {
  it('become copies that say one thing at a time', () => {
    const where = {a: {gt: 1, lt: 5}, b: 2, or: [{c: {neq: null}}, {d: {gte: 1, lte: 2}}]};
    const before = structuredClone(where);
    const plain = plainWhere(where);
    assert.deepEqual(plain, {
      and: [
        {and: [{a: {gt: 1}}, {a: {lt: 5}}]},
        {b: 2},
        {or: [{c: {neq: null}}, {and: [{d: {gte: 1}}, {d: {lte: 2}}]}]},
      ],
    });
    assert.deepEqual(where, before);
    assert.ok(!Object.values(plain.and as object[]).includes(where));
  });

  it('keep operators together that belong together, and values that are objects', () => {
    const together = [{like: 'x', options: 'i'}, {near: 'x', unit: 'km'}, {x: 1, y: 2}];
    for (const a of together) {
      assert.deepEqual(plainWhere({a}), {a});
    }
    assert.deepEqual(plainWhere({a: {like: 'x', neq: 'y', options: 'i'}}), {
      and: [{a: {like: 'x', options: 'i'}}, {a: {neq: 'y'}}],
    });
    assert.deepEqual(plainWhere(undefined), {});
    const date = new Date();
    assert.equal((plainWhere({a: date}) as {a: Date}).a, date);
  });

  it('keep what is always true, which connectors would leave out of an "or"', () => {
    for (const always of [{}, {and: []}, {a: {nin: []}}, {or: [{}, {a: 2}]}]) {
      assert.deepEqual(plainWhere(always), {});
      assert.deepEqual(plainWhere({or: [always, {a: 1}]}), {});
      assert.deepEqual(plainWhere({and: [always, {a: 1}]}), {and: [{a: 1}]});
      assert.deepEqual(plainWhere({...always, b: 1}), {b: 1});
    }
  });

  it('ask whether there is a value as every connector understands it', () => {
    assert.deepEqual(plainWhere({a: {exists: true}}), {a: {neq: null}});
    assert.deepEqual(plainWhere({a: {exists: false}}), {a: null});
  });

  const REFUSED: Record<string, object> = {
    'an undefined value': {a: undefined},
    'an undefined operand': {a: {gt: undefined}},
    'an undefined value in a list': {a: {inq: [1, undefined]}},
    'a hole in a list': {a: {inq: [1, , 2]}}, // eslint-disable-line no-sparse-arrays
    'an unknown property': {b: 1},
    'a property of every object': {constructor: 1},
    'an unknown property deep down': {and: [{a: 1}, {or: [{b: 1}]}]},
    'a path into what is no object': {'a.b': 1},
    'nor': {nor: [{a: 1}]},
    'an or of nothing': {a: 1, or: []},
    'an and of nothing': {a: 1, and: []},
    'an or of no list': {or: {a: 1}},
    'a condition that is none': {and: [{a: 1}, undefined]},
    'a condition that is a list': {or: [{a: 1}, []]},
    'a list in place of a where': [{a: 1}],
    'an empty list in place of a where': [],
    'a map in place of a where': new Map([['a', 1]]),
    'an unknown operator': {a: {foo: 1}},
    'an unknown operator beside a known one': {a: {gt: 1, foo: 2}},
    'no operator': {a: {}},
    'inq of no list': {a: {inq: 'x'}},
    'between of one value': {a: {between: [1]}},
    'between of three values': {a: {between: [1, 2, 3]}},
    'a list for a value': {a: [1, 2]},
    'a list for one value': {a: {neq: [1]}},
    'like of no text': {name: {like: 5}},
    'regexp that cannot be read': {name: {regexp: '('}},
    'exists of neither': {a: {exists: 'no'}},
    'less than no number': {a: {lt: NaN}},
    'none of no number': {a: {nin: [NaN]}},
    'a date that is none': {on: new Date('x')},
    'a text that is no date': {on: {gt: 'yesterday'}},
    'a text that is no number': {a: '7 days'},
    'an empty text for a number': {a: {inq: ['']}},
    'a text that is neither true nor false': {flag: 'no'},
    'a number that is neither true nor false': {flag: {neq: 2}},
  };
  for (const [title, where] of Object.entries(REFUSED)) {
    it(`are refused with ${title}, for more rows would be meant`, () => {
      assert.throws(() => assertSafeWhere(where, givenModel()), {code: 'INVALID_WHERE'});
    });
  }

  it('are refused when they are no objects', () => {
    for (const where of ['a', 5, true, () => true]) {
      assert.throws(() => assertSafeWhere(where, givenModel()), {code: 'INVALID_WHERE'});
    }
  });

  it('may say all that connectors heed', () => {
    const all: (object | undefined)[] = [
      undefined, {}, {or: [{}]}, {a: null}, {'meta.x.y': 1}, {or: [{a: {inq: []}}]},
      {a: {gt: 1, lte: 5}}, {name: /x/}, {name: {like: 'x%', options: 'i'}}, {on: '2026-01-01'},
      {a: NaN}, {a: '7'}, {a: 7n}, {flag: 'true'}, {flag: 0}, {flag: {neq: null}},
      {meta: {neq: null}}, {name: {exists: true}}, Object.create(null),
    ];
    for (const where of all) assert.doesNotThrow(() => assertSafeWhere(where, givenModel()));
    assert.doesNotThrow(() => assertSafeWhere({a: 1, and: []}, givenModel(), 'read'));
    assert.throws(() => assertSafeWhere({a: 1, or: []}, givenModel(), 'read'));
  });

  it('may name anything in a model that is open, where the database can look for it', () => {
    assert.doesNotThrow(() => assertSafeWhere({b: 1}, givenModel({strict: false}, 'memory')));
    assert.throws(() => assertSafeWhere({b: 1}, givenModel({strict: false})));
  });

  it('may compare a number with a text where ids can be either', () => {
    const where = {a: '64af0c'};
    assert.doesNotThrow(() => assertSafeWhere(where, givenModel({}, 'memory')));
  });

  it('look into objects where the connector does', () => {
    const where = {'meta.x': 1};
    assert.doesNotThrow(() => assertSafeWhere(where, givenModel({}, 'memory')));
    assert.throws(() => assertSafeWhere(where, givenModel({}, 'mysql')), {code: 'INVALID_WHERE'});
  });

  it('name rows by ids that are values', () => {
    for (const id of ['a', '', 0, 7n, new Date(), Buffer.from('x')]) assertPlainId(id);
    const odd = [
      undefined, null, {neq: 0}, Object.create(null), ['a'], /a/, NaN, new Date('x'), () => 'a',
    ];
    for (const id of odd) assert.throws(() => assertPlainId(id), {code: 'INVALID_WHERE'});
  });
});

function givenModel(settings: object = {}, name = 'postgresql'): JugglerModelClass {
  const properties = {
    a: {type: Number},
    name: {type: String},
    flag: {type: Boolean},
    on: {type: Date},
    meta: {type: Object},
  };
  const dataSource = {connector: {name, relational: name !== 'memory'}};
  return {definition: {properties}, settings, dataSource} as unknown as JugglerModelClass;
}
