import assert from 'node:assert/strict';
import type {RowImage} from '../../../core/change';
import {LiveHub, type Member} from '../../../core/hub';
import type {SnapshotRows} from '../../../core/ports';
import type {ViewQuery} from '../../../core/query';
import {applyOps} from '../../../protocol/apply';
import type {PageState} from '../../../protocol/page';
import {LINE, ORDER, ORDERS} from '../../support/order-lines';

const REASON = new Error('the connection is lost');

describe('a read of related rows that the feed is interrupted in', function () {
  this.timeout(5000);

  // An order has come, and its lines are being read. The mark of that read is lost with the feed.
  const cases: [when: string, happens: (world: World) => Promise<void>][] = [
    ['and that comes when the feed is back', async ({hub, changeLines, answer}) => {
      hub.interrupted(REASON);
      changeLines();
      hub.resumed();
      await answer();
    }],
    ['and that comes while the feed is away', async ({hub, changeLines, answer}) => {
      hub.interrupted(REASON);
      changeLines();
      await answer();
      hub.resumed();
    }],
    ['after it has come, while its mark is awaited', async ({hub, changeLines, answer}) => {
      await answer();
      hub.interrupted(REASON);
      changeLines();
      hub.resumed();
    }],
  ];
  for (const [when, happens] of cases) {
    it(`is dropped and made anew: ${when}`, async () => {
      const world = await givenOrderToCome();
      await happens(world);
      await world.shownAnew;
      assert.deepEqual(world.pages, [
        {o1: ['o1-1']},
        {o1: ['o1-1'], o2: ['o2-new']},
      ]);
      // Two orders with a line each.
      assert.equal(world.hub.counters.rows, 4);
      world.hub.close();
    });
  }
});

type World = Awaited<ReturnType<typeof givenOrderToCome>>;

/** Somebody watches one order; another has been committed, and the read of its lines is held up. */
async function givenOrderToCome() {
  const orders = ['o1'];
  const lines = new Map([['o1', ['o1-1']], ['o2', ['o2-old']]]);
  const pages: Record<string, string[]>[] = [];
  let page: PageState;
  let marks = 0;
  let transactions = 0;
  let heldUp: (() => void) | undefined;
  let begun: () => void = () => undefined;
  const reading = new Promise<void>(resolve => (begun = resolve));
  let shown: () => void = () => undefined;
  const shownAnew = new Promise<void>(resolve => (shown = resolve));

  const show = (next: PageState) => {
    page = next;
    pages.push(Object.fromEntries(next.rows.map(({id, lines: of}) => [id, of])) as never);
    if (next.keys.includes('o2')) shown();
  };
  const rowsOf = ({entity, condition}: ViewQuery): RowImage[] => {
    if (entity === 'Order') return orders.map(id => image({id}));
    assert.ok(condition.kind === 'and' && condition.parts[0].kind === 'compare');
    return (condition.parts[0].value as string[]).flatMap(orderId =>
      lines.get(orderId)!.map(id => image({id, orderId})));
  };
  const read = async (query: ViewQuery): Promise<SnapshotRows> => {
    const mark = `mark ${++marks}`;
    const seen = transactions;
    const result = {rows: rowsOf(query), sees: (id: number) => id <= seen, mark};
    if (query.entity === 'Line' && orders.includes('o2') && !heldUp) {
      await new Promise<void>(resolve => {
        heldUp = resolve;
        begun();
      });
    } else {
      setImmediate(() => hub.committed({id: ++transactions, changes: [], marks: [mark]}));
    }
    return result;
  };
  const hub = new LiveHub({
    shapes: new Map([['Order', ORDER], ['Line', LINE]]),
    source: {read, judge: async () => []},
    publisher: {publish: ({ops, meta}) => show(applyOps(page, ops, meta))},
    logger: {warn: () => undefined},
    cacheDuration: 0,
    resumeRing: 10,
  });
  hub.start();
  const member: Member = {join: () => undefined, leave: () => undefined, end: () => undefined};
  const reply = await hub.subscribe(member, {
    query: ORDERS,
    span: {base: 0, cap: 1000, offset: 0, size: 10},
    counts: false,
    fields: undefined,
    audience: {key: 'all', isPrivate: false, render: rendered},
  });
  assert.ok(reply.kind === 'snapshot');
  show(reply.snapshot);
  orders.push('o2');
  const o2 = {kind: 'insert', entity: 'Order', after: image({id: 'o2'})} as const;
  hub.committed({id: ++transactions, changes: [o2], marks: []});
  await reading;
  return {
    hub,
    pages,
    shownAnew,
    /** The lines of the new order are others. The feed, being away, does not tell. */
    changeLines: () => void lines.set('o2', ['o2-new']),
    /** The read that was held up is answered, with the lines as they were. */
    answer: async () => {
      heldUp!();
      await new Promise(resolve => setImmediate(resolve));
    },
  };
}

function rendered({values, related}: RowImage) {
  return {...values, lines: related!.lines.map(({key}) => key)};
}

function image(values: {id: string; orderId?: string}): RowImage {
  return {key: values.id, values, raw: values};
}
