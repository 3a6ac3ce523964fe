import assert from 'node:assert/strict';
import {initialState, step, type SubscriptionState} from '../../../client/subscription';
import type {DeltaMessage} from '../../../protocol/messages';
import {hashOfPage} from '../../../protocol/page-hash';

const META = {pageOffset: 0, pageSize: 10, isLastPage: true};
const ROWS = [{id: 'b', _version: 'v1'}, {id: 'c'}];

describe('a page that has gone wrong', () => {
  it('is asked for anew when its hash is another, and the server is told', () => {
    const message = {...renaming(), hash: hashOfPage(['b'], [ROWS[0]])};
    const {state, effects} = step(shown(), {type: 'delta', message});
    assert.deepEqual(effects, [{do: 'subscribe', attempt: 2, patient: true, diverged: true}]);
    assert.deepEqual(state.held?.page.keys, ['b', 'c'], 'what was shown stays meanwhile');
  });

  it('is asked for anew when a step does not fit', () => {
    const message: DeltaMessage = {...renaming(), ops: [{op: 'remove', key: 'x'}]};
    const {effects} = step(shown(), {type: 'delta', message});
    assert.deepEqual(effects, [{do: 'subscribe', attempt: 2, patient: true, diverged: true}]);
  });

  it('is not told of as wrong when only a message was lost', () => {
    const {effects} = step(shown(), {type: 'delta', message: {...renaming(), seq: 9}});
    assert.deepEqual(effects, [{do: 'subscribe', attempt: 2, patient: true}]);
  });

  it('is right when the hash says so, or says nothing', () => {
    const rows = [{...ROWS[0], _version: 'v2'}, ROWS[1]];
    for (const hash of [hashOfPage(['b', 'c'], rows), undefined]) {
      const {state, effects} = step(shown(), {type: 'delta', message: {...renaming(), hash}});
      assert.deepEqual([effects, state.held?.page.rows], [[], rows]);
    }
  });
});

describe('the hash of a page', () => {
  it('is what the protocol says', () => {
    assert.equal(hashOfPage([], []), 2166136261);
    assert.equal(hashOfPage(['b', 'c'], [{id: 'b'}, {id: 'c'}]), 2512908186);
    assert.equal(hashOfPage(['b', 'c'], ROWS), 1202450659);
  });

  it('tells order, keys and versions apart', () => {
    const versions = (a: string, b: string) => [{_version: a}, {_version: b}];
    const pages: [string[], object[]][] = [
      [['a', 'b'], versions('1', '2')],
      [['b', 'a'], versions('2', '1')],
      [['a', 'b'], versions('2', '1')],
      [['ab', ''], versions('1', '2')],
      [['a', 'b'], [{_version: '1'}, {}]],
    ];
    const hashes = new Set(pages.map(([keys, rows]) => hashOfPage(keys, rows as never)));
    assert.equal(hashes.size, pages.length);
  });
});

function shown(): SubscriptionState {
  const snapshot = {channel: 'r', epoch: 'e', seq: 1, keys: ['b', 'c'], rows: ROWS, meta: META};
  const asked = step(initialState, {type: 'connected'}).state;
  const reply = {kind: 'snapshot', snapshot} as const;
  return step(asked, {type: 'accepted', attempt: 1, reply}).state;
}

function renaming(): DeltaMessage {
  const ops = [{op: 'patch', key: 'b', set: {_version: 'v2'}}] as const;
  return {channel: 'r', seq: 2, ops, meta: META};
}
