import assert from 'node:assert/strict';
import fc from 'fast-check';
import type {Change, RowImage} from '../../core/change';
import {parseOrder, parseWhere} from '../../core/filter';
import {refereeFor} from '../../core/match';
import {MatchIndex} from '../../core/match-index';
import type {ViewQuery} from '../../core/query';
import type {EntityShape} from '../../core/shape';

const SHAPE: EntityShape = {
  name: 'Item',
  ids: ['id'],
  properties: {
    id: {kind: 'text', hidden: false, encrypted: false},
    group: {kind: 'text', hidden: false, encrypted: false},
    rank: {kind: 'number', hidden: false, encrypted: false},
    on: {kind: 'boolean', hidden: false, encrypted: false},
  },
};

describe('the index of windows', () => {
  it('finds every window that a change can touch', () => {
    fc.assert(
      fc.property(fc.array(someWhere(), {maxLength: 12}), someChange(), (wheres, change) => {
        const index = new MatchIndex<ViewQuery>();
        const queries = wheres.map(queryOf);
        for (const query of queries) index.add(query, query, SHAPE);
        const found = index.affectedBy([change]);
        for (const query of queries) {
          const {matches} = refereeFor(query, SHAPE);
          const touched = imagesIn(change).some(image => matches(image) !== false);
          if (touched) assert.ok(found.has(query), JSON.stringify(query.condition));
        }
      }),
      {numRuns: 3000},
    );
  });

  it('asks one window of ten thousand that differ by a value', () => {
    const index = new MatchIndex<ViewQuery>();
    for (let i = 0; i < 10_000; i++) {
      const query = queryOf({group: `g${i}`, rank: {lt: 5}});
      index.add(query, query, SHAPE);
    }
    const after = image({id: 'x', group: 'g77', rank: 1, on: true});
    assert.equal(index.affectedBy([{kind: 'insert', entity: 'Item', after}]).size, 1);
    assert.equal(index.residueOf('Item'), 0);
  });

  it('forgets a window that is taken out', () => {
    const index = new MatchIndex<ViewQuery>();
    const queries = [{group: 'a'}, {rank: {gt: 1}}, {group: {inq: ['a', 'b']}}].map(queryOf);
    for (const query of queries) index.add(query, query, SHAPE);
    for (const query of queries) index.remove(query, query, SHAPE);
    const after = image({id: 'x', group: 'a', rank: 5, on: true});
    assert.equal(index.affectedBy([{kind: 'insert', entity: 'Item', after}]).size, 0);
  });

  it('finds all windows of an entity whose table is emptied', () => {
    const index = new MatchIndex<ViewQuery>();
    const queries = [{group: 'a'}, {rank: {gt: 1}}].map(queryOf);
    for (const query of queries) index.add(query, query, SHAPE);
    assert.equal(index.affectedBy([{kind: 'truncate', entity: 'Item'}]).size, 2);
    assert.equal(index.affectedBy([{kind: 'truncate', entity: 'Other'}]).size, 0);
  });
});

function someWhere(): fc.Arbitrary<object> {
  const group = fc.constantFrom('a', 'b', 'B', null);
  const rank = fc.constantFrom(0, 1, 2, '1', 1.5, null);
  const leaf = fc.oneof(
    fc.record({group}),
    fc.record({rank}),
    fc.record({on: fc.constantFrom(true, false, null)}),
    fc.record({group, rank}),
    fc.record({rank: fc.record({lte: fc.nat(3)})}),
    fc.record({group: fc.record({inq: fc.array(group, {maxLength: 3})})}),
    fc.record({group: fc.record({neq: group})}),
  );
  return fc.oneof(
    leaf,
    fc.array(leaf, {maxLength: 3}).map(and => ({and})),
    fc.array(leaf, {maxLength: 3}).map(or => ({or})),
  );
}

function someImage(): fc.Arbitrary<RowImage> {
  return fc
    .record({
      id: fc.constant('x'),
      group: fc.constantFrom('a', 'b', 'B', null),
      rank: fc.constantFrom(0, 1, 2, 1.5, '1.50', '1.00', null),
      on: fc.constantFrom(true, false, null),
    })
    .map(image);
}

function someChange(): fc.Arbitrary<Exclude<Change, {kind: 'truncate'}>> {
  return fc.oneof(
    someImage().map(after => ({kind: 'insert', entity: 'Item', after}) as const),
    someImage().map(before => ({kind: 'delete', entity: 'Item', before}) as const),
    fc
      .tuple(someImage(), someImage())
      .map(([before, after]) => ({kind: 'update', entity: 'Item', before, after}) as const),
  );
}

function imagesIn(change: Exclude<Change, {kind: 'truncate'}>): RowImage[] {
  return [
    ...('before' in change ? [change.before] : []),
    ...('after' in change ? [change.after] : []),
  ];
}

function image(values: Record<string, unknown>): RowImage {
  const raw = Object.entries(values).map(([name, v]) => [name, v === null ? null : String(v)]);
  return {key: String(values.id), values, raw: Object.fromEntries(raw)};
}

function queryOf(where: object): ViewQuery {
  return {
    entity: 'Item',
    condition: parseWhere(where, SHAPE),
    order: parseOrder(undefined, SHAPE),
  };
}
