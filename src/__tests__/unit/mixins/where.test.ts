import assert from 'node:assert/strict';
import {assertSafeWhere, plainWhere} from '../../../mixins/where';

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
    assert.deepEqual(plainWhere(undefined), {});
    const date = new Date();
    assert.equal((plainWhere({a: date}) as {a: Date}).a, date);
  });

  it('are refused for a bulk write when a part of them would be dropped', () => {
    const known = (name: string) => ['a', 'meta'].includes(name);
    for (const where of [{a: undefined}, {b: 1}, {a: {gt: undefined}}, {and: [{a: 1}, {b: 1}]}]) {
      assert.throws(() => assertSafeWhere(where, known), {code: 'INVALID_WHERE'});
    }
    for (const where of [undefined, {}, {a: null}, {'meta.x.y': 1}, {or: [{a: {inq: []}}]}]) {
      assert.doesNotThrow(() => assertSafeWhere(where, known));
    }
  });
});
