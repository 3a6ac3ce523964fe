import assert from 'node:assert/strict';
import {scopeFor, UNKNOWN, type Scope} from '../../../core/scope';
import type {EntityShape} from '../../../core/shape';

const plain = {hidden: false, encrypted: false};
const SHAPE: EntityShape = {
  name: 'Item',
  ids: ['id'],
  properties: {
    id: {kind: 'number', ...plain},
    tenant: {kind: 'collated', ...plain},
    qty: {kind: 'number', ...plain},
    due: {kind: 'date', ...plain},
    tags: {kind: 'opaque', ...plain},
    secret: {kind: 'opaque', hidden: false, encrypted: true},
  },
};

describe('a scope', () => {
  it('needs somebody, before the application is asked', () => {
    const rule = {shape: SHAPE, of: () => assert.fail('asked'), newRow: () => ({})};
    for (const nobody of [undefined, null]) {
      assert.throws(() => scopeFor(rule, nobody), {code: 'NOT_AUTHENTICATED', statusCode: 401});
    }
  });

  it('is everything when it is undefined', () => {
    assert.equal(given(undefined), undefined);
  });

  const lacking: [string, object][] = [
    ['nothing', {}],
    ['a property without a value', {tenant: undefined}],
    ['an operator without a value', {tenant: {eq: undefined}}],
    ['an object without an operator', {tenant: {}}],
    ['a list with a hole', {tenant: {inq: ['a', undefined]}}],
    ['an alternative of nothing', {or: []}],
    ['an alternative that is everything', {or: [{tenant: 'a'}, {}]}],
    ['a conjunction of nothing', {and: []}],
    ['a part without a value', {and: [{qty: 1}, {tenant: undefined}]}],
  ];
  for (const [what, where] of lacking) {
    it(`refuses when it says ${what}, which LoopBack would leave out`, () => {
      assert.throws(() => given(where), {code: 'CRUD_BLOCKED', statusCode: 403});
    });
  }

  const mistaken: [string, object | null][] = [
    ['an unknown property', {tenannt: 'a'}],
    ['an unknown operator', {tenant: {equals: 'a'}}],
    ['a value of another type', {qty: 'many'}],
    ['an encrypted property', {secret: 'x'}],
    ['a promise', Promise.resolve({tenant: 'a'})],
    ['null', null],
  ];
  for (const [what, where] of mistaken) {
    it(`is the application's mistake when it says ${what}`, () => {
      assert.throws(() => given(where as object), {statusCode: 500, message: /scope of Item/});
    });
  }

  it('gives a where of one operator a condition, so that no connector loses one', () => {
    const {where} = given({qty: {gt: 1, lt: 5}, tenant: {inq: []}, due: null})!;
    assert.deepEqual(where, {
      and: [
        {qty: {gt: 1}},
        {qty: {lt: 5}},
        {tenant: {inq: []}},
        {due: null},
      ],
    });
  });

  it('keeps rows that are within, and refuses the others', () => {
    const scope = given({or: [{tenant: {inq: ['a', 'b']}}, {qty: {between: [1, 3]}}]})!;
    for (const row of [{tenant: 'a'}, {tenant: 'c', qty: 2}]) scope.keep(row);
    for (const row of [{}, {tenant: 'c'}, {tenant: null, qty: 4}, {tenant: 'A'}]) {
      assert.throws(() => scope.keep(row), {code: 'CRUD_BLOCKED', statusCode: 403});
    }
  });

  it('compares dates, as the model or as JSON has them', () => {
    const scope = given({due: {gt: new Date('2026-01-01')}})!;
    scope.keep({due: new Date('2026-02-01')});
    scope.keep({due: '2026-02-01T00:00:00.000Z'});
    assert.throws(() => scope.keep({due: new Date('2025-02-01')}), {statusCode: 403});
  });

  it('refuses where only the database could tell', () => {
    for (const where of [{tenant: {regexp: 'a.'}}, {tags: ['x']}, {tenant: {gt: 'a'}}]) {
      assert.throws(() => given(where)!.keep({tenant: 'ab', tags: ['x']}), {statusCode: 403});
    }
    assert.throws(() => given({tenant: {neq: 'a'}})!.keep({tenant: UNKNOWN}), {statusCode: 403});
  });

  it('says which data it depends on', () => {
    const scope = given({and: [{tenant: 'a'}, {or: [{qty: 1}, {qty: 2}]}]})!;
    assert.equal(scope.dependsOn({qty: 3}), true);
    assert.equal(scope.dependsOn({due: null, tags: []}), false);
  });
});

function given(where: object | undefined): Scope | undefined {
  const newRow = (data: object) => ({...data});
  return scopeFor({shape: SHAPE, of: () => where, newRow}, {id: 'ann'});
}
