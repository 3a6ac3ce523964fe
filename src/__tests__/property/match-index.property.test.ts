import assert from 'node:assert/strict';
import fc from 'fast-check';
import type {Change, RowImage} from '../../core/change';
import {parseOrder, parseWhere} from '../../core/filter';
import {refereeFor} from '../../core/match';
import {IntervalTree} from '../../core/intervals';
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
    made: {kind: 'date', hidden: false, encrypted: false},
    name: {kind: 'text', hidden: false, encrypted: false},
  },
};

const MOMENT = '2026-01-01T00:00:00.000Z';

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
    const index = filled(i => ({group: `g${i}`, rank: {lt: 5}}));
    assert.equal(touchedBy(index, {id: 'x', group: 'g77', rank: 1}), 1);
    assert.equal(index.residue, 0);
  });

  it('asks one window of ten thousand that differ in one of two values', () => {
    const index = filled(i => ({on: true, group: `g${i}`}));
    assert.equal(touchedBy(index, {id: 'x', group: 'g77', on: true}), 1);
    const mirrored = filled(i => ({rank: i, group: 'same'}));
    assert.equal(touchedBy(mirrored, {id: 'x', group: 'same', rank: 5000}), 1);
  });

  it('asks one window of ten thousand that differ by a range', () => {
    const steps = [
      filled(i => ({rank: {gte: 10 * i, lt: 10 * i + 10}})),
      filled(i => ({rank: {between: [10 * i, 10 * i + 9]}})),
      filled(i => ({group: 'same', rank: {gt: 10 * i, lte: 10 * i + 9}})),
    ];
    for (const index of steps) {
      assert.equal(touchedBy(index, {id: 'x', group: 'same', rank: 775}), 1);
      assert.equal(index.residue, 0);
    }
    const moments = filled(i => ({made: {gte: day(i), lt: day(i + 1)}}));
    assert.equal(touchedBy(moments, {id: 'x', made: '2026-05-05 12:00:00.123456+00'}), 1);
    const names = filled(i => ({name: {gte: `n${10_000 + i}`, lt: `n${10_001 + i}`}}));
    assert.equal(touchedBy(names, {id: 'x', name: 'n10077 x'}), 1);
  });

  it('asks of ten thousand open ranges those that hold the value', () => {
    const index = filled(i => ({rank: {lte: i}}));
    assert.equal(touchedBy(index, {id: 'x', rank: 9990}), 10);
  });

  it('asks one window of ten thousand that take one of some values', () => {
    const index = filled(i => ({or: [{group: `a${i}`}, {group: {inq: [`b${i}`, `c${i}`]}}]}));
    assert.equal(touchedBy(index, {id: 'x', group: 'c77'}), 1);
    assert.equal(index.residue, 0);
  });

  it('looks at few of the ten thousand to find them', () => {
    let looks = 0;
    const tree = new IntervalTree<number>((a, b) => (looks++, Number(a) - Number(b)));
    for (let i = 0; i < 10_000; i++) tree.add({low: 10 * i, high: 10 * i + 9}, i);
    looks = 0;
    const found: number[] = [];
    tree.at(50_005, i => found.push(i));
    assert.deepEqual(found, [5000]);
    assert.ok(looks < 200, `${looks} comparisons`);
  });

  it('counts the windows that each write has to ask', () => {
    const index = new MatchIndex<ViewQuery>();
    const queries = [{}, {group: {neq: 'a'}}, {group: 'a'}, {rank: {gt: null}}].map(queryOf);
    for (const query of queries) index.add(query, query, SHAPE);
    assert.equal(index.residue, 2);
  });

  it('forgets windows that are taken out, and only those', () => {
    fc.assert(
      fc.property(fc.array(someWhere(), {maxLength: 20}), fc.array(fc.nat(19)), someChange(),
        (wheres, gone, change) => {
          const [index, fresh] = [new MatchIndex<ViewQuery>(), new MatchIndex<ViewQuery>()];
          const queries = wheres.map(queryOf);
          for (const query of queries) index.add(query, query, SHAPE);
          const left = queries.filter((_, i) => !gone.includes(i));
          for (const query of queries) if (!left.includes(query)) index.remove(query, query);
          for (const query of left) fresh.add(query, query, SHAPE);
          assert.deepEqual(index.affectedBy([change]), fresh.affectedBy([change]));
          assert.equal(index.residue, fresh.residue);
        }),
      {numRuns: 1000},
    );
  });

  it('finds all windows of an entity whose table is emptied', () => {
    const index = new MatchIndex<ViewQuery>();
    const queries = [{group: 'a'}, {rank: {gt: 1}}].map(queryOf);
    for (const query of queries) index.add(query, query, SHAPE);
    assert.equal(index.affectedBy([{kind: 'truncate', entity: 'Item'}]).size, 2);
    assert.equal(index.affectedBy([{kind: 'truncate', entity: 'Other'}]).size, 0);
  });
});

function filled(where: (i: number) => object): MatchIndex<ViewQuery> {
  const index = new MatchIndex<ViewQuery>();
  for (let i = 0; i < 10_000; i++) {
    const query = queryOf(where(i));
    index.add(query, query, SHAPE);
  }
  return index;
}

function touchedBy(index: MatchIndex<ViewQuery>, values: Record<string, unknown>): number {
  return index.affectedBy([{kind: 'insert', entity: 'Item', after: image(values)}]).size;
}

function day(i: number): string {
  return new Date(Date.UTC(2026, 0, 1 + i)).toISOString();
}

function someWhere(): fc.Arbitrary<object> {
  const group = fc.constantFrom('a', 'b', 'B', null);
  const rank = fc.constantFrom(0, 1, 2, '1', 1.5, null);
  const bound = fc.constantFrom(-1, 0, 1, 1.5, 3, '1.000000000000000000001');
  const leaf = fc.oneof(
    fc.record({group}),
    fc.record({rank}),
    fc.record({on: fc.constantFrom(true, false, null)}),
    fc.record({group, rank}),
    fc.record({rank: fc.record({lte: fc.option(fc.nat(3), {freq: 9})})}),
    fc.tuple(bound, bound).map(between => ({rank: {between}})),
    fc.tuple(bound, bound).map(([gt, lt]) => ({rank: {gt, lt}})),
    fc.tuple(bound, bound).map(([gte, lte]) => ({group: 'a', rank: {gte, lte}})),
    fc.record({group: fc.record({gt: fc.constantFrom('a', 'b', 'B', '')})}),
    fc.constantFrom('<=', '>').map(op => ({made: {[op === '>' ? 'gt' : 'lte']: MOMENT}})),
    fc.record({group: fc.record({inq: fc.array(group, {maxLength: 3})})}),
    fc.record({group: fc.record({neq: group})}),
  );
  return fc.oneof(
    leaf,
    fc.array(leaf, {maxLength: 3}).map(and => ({and})),
    fc.array(leaf, {minLength: 1, maxLength: 3}).map(or => ({or})),
  );
}

function someImage(): fc.Arbitrary<RowImage> {
  return fc
    .record({
      id: fc.constant('x'),
      group: fc.constantFrom('a', 'b', 'B', null),
      rank: fc.constantFrom(0, 1, 2, 1.5, '1.50', '1.00', 'NaN', '1.0000000000000000000005', null),
      on: fc.constantFrom(true, false, null),
      made: fc.constantFrom(MOMENT, '2026-01-01 00:00:00.000001+00', 'infinity', '0044-03-15 BC'),
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
