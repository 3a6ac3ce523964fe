import assert from 'node:assert/strict';
import type {Change, RowImage} from '../../../core/change';
import {LiveHub, type Member} from '../../../core/hub';
import type {ViewQuery} from '../../../core/query';
import {LINE, ORDER, ORDERS} from '../../support/order-lines';

const MOST = 10_000;
const TOO_MANY = 'LIMIT_EXCEEDED';

describe('the rows that a page brings along', () => {
  it('end the page when the feed adds more than it can hold', async () => {
    const {commit, ended, hub} = await givenOrders(['o1'], MOST - 1);
    await commit(linesOf('o1', MOST, MOST).map(inserted('Line')));
    assert.deepEqual(ended, []);
    await commit(linesOf('o1', MOST + 1, MOST + 1).map(inserted('Line')));
    assert.deepEqual(ended, [TOO_MANY]);
    assert.deepEqual([hub.size.windows, hub.counters.rows], [0, 0]);
  });

  it('end it, too, when order after order comes with as many as each may have', async () => {
    const {commit, ended} = await givenOrders(['o1'], 6000);
    await commit([inserted('Order')(image({id: 'o2'}))]);
    assert.deepEqual(ended, [TOO_MANY]);
  });

  it('are those of the rows that are on it: what has left makes room', async () => {
    const {commit, ended, hub} = await givenOrders(['o1'], 6000);
    const o1: Change = {kind: 'delete', entity: 'Order', before: image({id: 'o1'})};
    await commit([o1, inserted('Order')(image({id: 'o2'}))]);
    await commit(linesOf('o2', 6001, 9000).map(inserted('Line')));
    assert.deepEqual(ended, []);
    assert.equal(hub.counters.rows, 1 + 9000);
  });

  it('refuse the page when they are too many from the beginning', async () => {
    await assert.rejects(givenOrders(['o1', 'o2'], 6000), {code: TOO_MANY});
  });

  it('count for what all pages hold together', async () => {
    const busy = {code: 'SERVER_BUSY'};
    await assert.rejects(givenOrders(['o1', 'o2'], 10, {maxRows: 20}), busy);
  });

  it('may become more on a page that is live, however many all pages hold', async () => {
    const {commit, ended, hub} = await givenOrders(['o1'], 10, {maxRows: 20});
    await commit([inserted('Order')(image({id: 'o2'}))]);
    assert.deepEqual(ended, []);
    assert.equal(hub.counters.rows, 22);
  });
});

/** A page of orders, each read with so many lines. */
async function givenOrders(orders: string[], lines: number, limits: {maxRows?: number} = {}) {
  const ended: string[] = [];
  let transactions = 0;
  let marks = 0;
  const rowsOf = ({entity, condition}: ViewQuery): RowImage[] => {
    if (entity === 'Order') return orders.map(id => image({id}));
    assert.ok(condition.kind === 'and' && condition.parts[0].kind === 'compare');
    return (condition.parts[0].value as string[]).flatMap(id => linesOf(id, 1, lines));
  };
  const hub = new LiveHub({
    shapes: new Map([['Order', ORDER], ['Line', LINE]]),
    source: {
      read: async (query, limit) => {
        const mark = `mark ${++marks}`;
        setImmediate(() => hub.committed({id: ++transactions, changes: [], marks: [mark]}));
        const seen = transactions;
        return {rows: rowsOf(query).slice(0, limit), sees: id => id <= seen, mark};
      },
      judge: async () => [],
    },
    publisher: {publish: () => undefined},
    logger: {warn: () => undefined},
    cacheDuration: 0,
    resumeRing: 10,
    ...limits,
  });
  hub.start();
  const member: Member = {
    join: () => undefined,
    leave: () => undefined,
    end: (_, error) => void ended.push((error as Error & {code: string}).code),
  };
  await hub.subscribe(member, {
    query: ORDERS,
    span: {base: 0, cap: 1000, offset: 0, size: 10},
    counts: false,
    fields: undefined,
    audience: {key: 'all', isPrivate: false, render: row => row.values},
  });
  return {
    hub,
    ended,
    commit: async (changes: Change[]) => {
      hub.committed({id: ++transactions, changes, marks: []});
      for (let i = 0; i < 10; i++) await new Promise(resolve => setImmediate(resolve));
    },
  };
}

function linesOf(orderId: string, from: number, to: number): RowImage[] {
  const count = to - from + 1;
  return Array.from({length: count}, (_, i) => image({id: `${orderId}-${from + i}`, orderId}));
}

function inserted(entity: string): (after: RowImage) => Change {
  return after => ({kind: 'insert', entity, after});
}

function image(values: {id: string; orderId?: string}): RowImage {
  return {key: values.id, values, raw: values};
}
