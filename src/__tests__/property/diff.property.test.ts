import assert from 'node:assert/strict';
import fc from 'fast-check';
import {diffPages} from '../../core/diff';
import {applyOps} from '../../protocol/apply';
import type {PageMeta, PageState} from '../../protocol/page';

const META: PageMeta = {pageOffset: 0, pageSize: 50, isLastPage: true};

describe('a delta between two states of a page', () => {
  it('turns the first into the second when it is applied', () => {
    fc.assert(
      fc.property(somePage(), somePage(), (from, to) => {
        const result = applyOps(from, diffPages(from, to), to.meta);
        assert.deepEqual(result, to);
      }),
      {numRuns: 2000},
    );
  });

  it('names only the one row that moved, however long the page', () => {
    const keys = Array.from({length: 500}, (_, i) => `k${i}`);
    const from = pageOf(keys.map(key => [key, 0]));
    const moved = [...keys.slice(1), keys[0]];
    const to = {...from, keys: moved, rows: [...from.rows.slice(1), from.rows[0]]};
    assert.deepEqual(diffPages(from, to), [{op: 'move', key: 'k0', at: 499}]);
  });

  it('is empty for equal pages', () => {
    const page = pageOf([['a', 1], ['b', 2]]);
    assert.deepEqual(diffPages(page, pageOf([['a', 1], ['b', 2]])), []);
  });
});

function somePage(): fc.Arbitrary<PageState> {
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom(...'abcdefghijklmnop'), fc.nat(3)), {
      selector: ([key]) => key,
      maxLength: 16,
    })
    .map(pageOf);
}

function pageOf(entries: [string, number][]): PageState {
  return {
    keys: entries.map(([key]) => key),
    rows: entries.map(([key, n]) => (n === 3 ? {id: key, extra: n} : {id: key, n})),
    meta: META,
  };
}
