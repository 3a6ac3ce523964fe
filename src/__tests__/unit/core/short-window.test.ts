import assert from 'node:assert/strict';
import type {CommittedTransaction, RowImage} from '../../../core/change';
import {LiveHub, type Member, type Subscription} from '../../../core/hub';
import type {SnapshotRows} from '../../../core/ports';
import type {EntityShape} from '../../../core/shape';
import type {DeltaMessage, SubscribeReply} from '../../../protocol/messages';

const SHAPE: EntityShape = {
  name: 'Item',
  ids: ['id'],
  properties: {id: {kind: 'text', hidden: false, encrypted: false}},
};
const PAGE = 10;

describe('a window that has run short of rows', () => {
  it('shows its last whole page to others who come while it reads again', async () => {
    const {hub, table, deltas, subscribe} = await givenWatchedPage();
    hub.committed(table.remove(18));
    await turns();
    const late = await subscribe({key: 'others'});
    assert.equal(late.kind, 'snapshot');
    assert.deepEqual(late.kind === 'snapshot' && late.snapshot.keys, namesFrom(0));
    assert.equal(deltas.length, 0);
    await table.answer(hub);
    assert.equal(deltas.length, 2, 'one for each audience');
    assert.deepEqual(deltas[0].ops.map(({op}) => op), [
      ...Array(PAGE).fill('remove'), ...Array(PAGE).fill('insert'),
    ]);
  });

  it('shows no half page when rows took their time to be rendered', async () => {
    const slow = (row: RowImage) => turns().then(() => row.values);
    const {hub, table, deltas} = await givenWatchedPage({render: slow});
    // While the first is rendered, the second waits, and the third takes rows of its page away.
    hub.committed(table.remove(1));
    hub.committed(table.remove(1));
    hub.committed(table.remove(17));
    for (let i = 0; i < 10; i++) await turns();
    await table.answer(hub);
    for (let i = 0; i < 10; i++) await turns();
    for (const {ops} of deltas) {
      const grown = ops.filter(({op}) => op === 'insert').length;
      assert.equal(grown, ops.filter(({op}) => op === 'remove').length, 'a whole page again');
    }
    assert.deepEqual(deltas.at(-1)?.ops.at(-1), {
      op: 'insert', key: name(28), at: PAGE - 1, row: {id: name(28)},
    });
  });
});

/** A page of a table with many more rows, and somebody who watches it. */
async function givenWatchedPage(audience: Partial<Subscription['audience']> = {}) {
  const table = givenTable(100);
  const deltas: DeltaMessage[] = [];
  const hub = new LiveHub({
    shapes: new Map([['Item', SHAPE]]),
    source: {read: (_, limit) => table.read(limit), judge: async () => []},
    publisher: {publish: delta => void deltas.push(delta)},
    logger: {warn: message => assert.fail(message)},
    cacheDuration: 0,
    resumeRing: 10,
  });
  hub.start();
  const subscribe = (more: Partial<Subscription['audience']> = {}): Promise<SubscribeReply> =>
    hub.subscribe(nobody(), firstPage({...audience, ...more}));
  const first = subscribe();
  await turns();
  await table.answer(hub);
  await first;
  return {hub, table, deltas, subscribe};
}

/** A table whose reads are answered when the test says so. */
function givenTable(size: number) {
  let removed = 0;
  let transactions = 0;
  let pending: (() => string) | undefined;
  const rows = () => namesFrom(removed, size - removed).map(imageOf);
  return {
    remove(count: number): CommittedTransaction {
      const gone = namesFrom(removed, count).map(imageOf);
      removed += count;
      const changes = gone.map(before => ({kind: 'delete', entity: 'Item', before}) as const);
      return {id: ++transactions, changes, marks: []};
    },
    read(limit: number): Promise<SnapshotRows> {
      return new Promise(resolve => {
        pending = () => {
          const mark = `after ${transactions}`;
          const seen = transactions;
          resolve({rows: rows().slice(0, limit), sees: id => Number(id) <= seen, mark});
          return mark;
        };
      });
    },
    async answer(hub: LiveHub): Promise<void> {
      const mark = pending!();
      await turns();
      hub.committed({id: 0, changes: [], marks: [mark]});
      await turns();
    },
  };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function firstPage(audience: Partial<Subscription['audience']>): Subscription {
  return {
    query: {
      entity: 'Item',
      condition: {kind: 'and', parts: []},
      order: [{property: 'id', descending: false}],
    },
    span: {base: 0, cap: 1000, offset: 0, size: PAGE},
    counts: false,
    fields: undefined,
    audience: {key: 'all', isPrivate: false, render: image => image.values, ...audience},
  };
}

function nobody(): Member {
  return {join: () => undefined, leave: () => undefined, end: () => undefined};
}

function imageOf(id: string): RowImage {
  return {key: id, values: {id}, raw: {id}};
}

function namesFrom(first: number, count = PAGE): string[] {
  return Array.from({length: count}, (_, i) => name(first + i));
}

function name(number: number): string {
  return `n${String(number).padStart(4, '0')}`;
}
