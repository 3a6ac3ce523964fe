import assert from 'node:assert/strict';
import fc from 'fast-check';
import type {Change, RowImage} from '../../core/change';
import {parseOrder, parseWhere} from '../../core/filter';
import {refereeFor} from '../../core/match';
import type {EntityShape} from '../../core/shape';
import {advance, isSufficient, netChanges, type WindowState} from '../../core/window';

const SHAPE: EntityShape = {
  name: 'Item',
  ids: ['id'],
  properties: {
    id: {kind: 'text', hidden: false, encrypted: false},
    group: {kind: 'text', hidden: false, encrypted: false},
    rank: {kind: 'number', hidden: false, encrypted: false},
  },
};
const QUERY = {
  entity: 'Item',
  condition: parseWhere({group: 'a', rank: {lt: 8}}, SHAPE),
  order: parseOrder(['rank DESC'], SHAPE),
};
const REFEREE = refereeFor(QUERY, SHAPE);

type Table = Map<string, RowImage>;

describe('a window moved on by transactions', () => {
  it('holds what a fresh look at the table would, or knows that it must read again', () => {
    fc.assert(
      fc.property(someItems(), someWrites(), someSpan(), (items, writes, span) => {
        const table: Table = new Map(items.map(item => [item.key, item]));
        let state = look(table, span.keep);
        for (const write of writes) {
          const changes = write.flatMap(item => perform(table, item));
          const next = advance(state, netChanges(changes, 'Item'), REFEREE, span);
          assert.ok(next !== 'ask');
          if (!isSufficient(next, span)) {
            state = look(table, span.keep);
            continue;
          }
          state = next;
          const all = look(table, Infinity).rows;
          assert.deepEqual(state.rows, all.slice(0, state.rows.length), 'the rows are a prefix');
          assert.equal(state.total, all.length, 'the count is right');
          assert.ok(state.rows.length <= span.keep, 'no more rows are kept than agreed');
          assert.ok(state.beyond || state.rows.length === all.length, 'the end is known rightly');
        }
      }),
      {numRuns: 3000},
    );
  });

  it('sums up what one transaction did to a row', () => {
    const [a, b, c] = [1, 2, 3].map(rank => image('x', 'a', rank));
    const changes: Change[] = [
      {kind: 'insert', entity: 'Item', after: a},
      {kind: 'update', entity: 'Item', before: a, after: b},
      {kind: 'update', entity: 'Item', before: b, after: c},
      {kind: 'delete', entity: 'Item', before: c},
    ];
    assert.deepEqual(netChanges(changes, 'Item'), []);
    assert.deepEqual(netChanges(changes.slice(0, 3), 'Item'), [{before: undefined, after: c}]);
    assert.deepEqual(netChanges(changes.slice(1), 'Item'), [{before: a, after: undefined}]);
  });
});

/** Puts an item into the table, or takes it out when it is there already and equal. */
function perform(table: Table, item: RowImage): Change[] {
  const before = table.get(item.key);
  if (!before) {
    table.set(item.key, item);
    return [{kind: 'insert', entity: 'Item', after: item}];
  }
  if (before.values.rank === item.values.rank) {
    table.delete(item.key);
    return [{kind: 'delete', entity: 'Item', before}];
  }
  table.set(item.key, item);
  return [{kind: 'update', entity: 'Item', before, after: item}];
}

/** The recompute oracle: filters and sorts everything, by other means than the referee. */
function look(table: Table, limit: number): WindowState {
  const rows = [...table.values()]
    .filter(({values}) => values.group === 'a' && Number(values.rank) < 8)
    .sort((x, y) => Number(y.values.rank) - Number(x.values.rank) || (x.key < y.key ? -1 : 1));
  return {rows: rows.slice(0, limit), beyond: rows.length > limit, total: rows.length};
}

function someItem(): fc.Arbitrary<RowImage> {
  return fc
    .tuple(fc.nat(25), fc.constantFrom('a', 'b'), fc.nat(9))
    .map(([n, group, rank]) => image(`k${n}`, group, rank));
}

function someItems(): fc.Arbitrary<RowImage[]> {
  return fc.array(someItem(), {maxLength: 30});
}

function someWrites(): fc.Arbitrary<RowImage[][]> {
  return fc.array(fc.array(someItem(), {minLength: 1, maxLength: 4}), {maxLength: 20});
}

function someSpan() {
  return fc
    .tuple(fc.integer({min: 1, max: 6}), fc.integer({min: 1, max: 4}))
    .map(([need, slack]) => ({need, keep: need + slack}));
}

function image(id: string, group: string, rank: number): RowImage {
  return {key: id, values: {id, group, rank}, raw: {id, group, rank: String(rank)}};
}
