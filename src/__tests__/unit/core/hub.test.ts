import assert from 'node:assert/strict';
import {FilterGuard, type AccessFilter, type AccessRequest} from '../../../core/access';
import type {CommittedTransaction, RowImage} from '../../../core/change';
import type {Render} from '../../../core/channel';
import {LiveHub, type Member, type Subscription} from '../../../core/hub';
import type {HubOptions} from '../../../core/hub-options';
import {LiveEntityError} from '../../../core/errors';
import {RecentTransactions} from '../../../core/history';
import type {SnapshotRows} from '../../../core/ports';
import type {EntityShape} from '../../../core/shape';
import type {DeltaMessage, PageSnapshot} from '../../../protocol/messages';

const SHAPE: EntityShape = {
  name: 'Item',
  ids: ['id'],
  properties: {
    id: {kind: 'text', hidden: false, encrypted: false},
    name: {kind: 'text', hidden: false, encrypted: false},
  },
};

describe('the hub', () => {
  it('tells those who wait for a page when it is closed meanwhile', async () => {
    const {hub} = givenHub();
    const waiting = hub.subscribe(nobody(), everything());
    // The read has been answered, and its mark is awaited.
    await turns();
    hub.close();
    await assert.rejects(waiting, {code: 'SUBSCRIPTION_ENDED'});
  });

  it('asks no snapshot about transactions that have only brought marks of readers', async () => {
    const asked: number[] = [];
    let reads = 0;
    const sees = (id: number) => asked.push(id) > 0;
    const read = async () => ({rows: [], sees, mark: `mark ${++reads}`});
    const {hub} = givenHub({source: {read, judge: async () => []}});
    for (let id = 1; id <= 100; id++) hub.committed({id, changes: [], marks: [`other ${id}`]});
    hub.committed(inserting(101, 'k'));
    await arrived(hub, hub.subscribe(nobody(), everything()), 'mark 1');
    assert.deepEqual(asked, [101]);
    hub.close();
  });

  it('answers at once while the feed is interrupted', async () => {
    const {hub} = givenHub();
    hub.interrupted(new Error('gone'));
    await assert.rejects(hub.subscribe(nobody(), everything()), {code: 'FEED_UNAVAILABLE'});
  });

  it('reads again where the feed was interrupted before the database answered', async () => {
    let answerLate = () => undefined as void;
    let askedAgain = () => undefined as void;
    const again = new Promise<void>(resolve => (askedAgain = resolve));
    let reads = 0;
    const read = async () => {
      const mark = `mark ${++reads}`;
      if (reads === 1) await new Promise<void>(resolve => (answerLate = resolve));
      else askedAgain();
      return {rows: [], sees: () => true, mark};
    };
    const {hub} = givenHub({source: {read, judge: async () => []}});
    const waiting = hub.subscribe(nobody(), everything());
    await turns();
    hub.interrupted(new Error('gone'));
    hub.resumed();
    answerLate();
    await again;
    assert.equal((await arrived(hub, waiting, 'mark 2')).kind, 'snapshot');
    hub.close();
  });

  it('says to ask again when the database is away and the feed has not noticed', async () => {
    const away = [
      {code: 'ECONNREFUSED'}, {code: 'ECONNRESET'}, {code: '57P01'}, {code: '08006'},
      {message: 'Connection terminated unexpectedly'},
    ];
    const broken = [{code: '42P01'}, {code: '57014'}, {message: 'no such column'}];
    const cases = [[away, 'DATABASE_UNAVAILABLE'], [broken, undefined]] as const;
    for (const [errors, expected] of cases) {
      for (const error of errors) {
        const thrown = Object.assign(new Error('the read failed'), error);
        const {hub} = givenHub({}, () => { throw thrown; });
        await assert.rejects(hub.subscribe(nobody(), everything()), (told: LiveEntityError) => {
          if (!expected) return told === thrown as unknown;
          assert.deepEqual([told.code, told.statusCode, told.cause], [expected, 503, thrown]);
          return true;
        });
        assert.equal(hub.size.windows, 0);
      }
    }
  });

  it('keeps no window of which nobody got a page', async () => {
    const {hub} = givenHub();
    const refusing: Member = {
      join: () => { throw new Error('somebody else is signed in now'); },
      leave: () => undefined,
      end: () => undefined,
    };
    const waiting = hub.subscribe(refusing, everything({isPrivate: true}));
    await assert.rejects(arrived(hub, waiting), /somebody else/);
    assert.equal(hub.size.channels, 0);
  });

  it('tells a member which life of a channel it joins, as the answer does', async () => {
    const {hub} = givenHub();
    const joined: string[][] = [];
    const join: Member['join'] = (channel, epoch) => void joined.push([channel, epoch]);
    const member = {...nobody(), join};
    const {snapshot} = (await arrived(hub, hub.subscribe(member, everything()))) as {
      snapshot: PageSnapshot;
    };
    assert.deepEqual(joined, [[snapshot.channel, snapshot.epoch]]);
  });

  it('leaves out a row that cannot be rendered, and goes on with the others', async () => {
    const {hub, published, warnings} = givenHub();
    const render = (row: RowImage) => {
      if (row.key === 'bad') throw new Error('cannot be decrypted');
      return row.values;
    };
    await arrived(hub, hub.subscribe(nobody(), everything({render})));
    for (const transaction of [inserting(1, 'bad'), inserting(2, 'good')]) {
      hub.committed(transaction);
      await turns();
    }
    assert.deepEqual(published.flatMap(({ops}) => ops.map(({key}) => key)), ['good']);
    assert.equal(warnings.length, 2, 'tried again with the next change');
  });

  describe('what cannot travel', () => {
    const circle: Record<string, unknown> = {};
    circle.itself = circle;
    const unfit: [what: string, spoil: (row: Record<string, unknown>) => void][] = [
      ['a BigInt', row => void (row.extra = 5n)],
      ['a circle', row => void (row.extra = circle)],
      ['a function', row => void (row.extra = () => 'hidden')],
      ['a symbol', row => void (row.extra = [Symbol('hidden')])],
      ['a toJSON that throws', row => void (row.toJSON = () => { throw new Error('no'); })],
      ['a toJSON that answers no row', row => void (row.extra = {toJSON: () => 5n})],
      ['a getter that throws', row => void Object.defineProperty(row, 'extra', {
        enumerable: true, get: () => { throw new Error('no'); },
      })],
    ];
    for (const [what, spoil] of unfit) {
      it(`is refused as one row when a post filter leaves ${what}`, async () => {
        const {hub, published, warnings} = givenHub();
        const render = filtered(row => {
          if (row.id === 'bad') spoil(row);
        });
        await arrived(hub, hub.subscribe(nobody(), everything({render})));
        for (const transaction of [inserting(1, 'a'), inserting(2, 'bad'), inserting(3, 'c')]) {
          hub.committed(transaction);
          await turnsOfAll();
        }
        const keys = published.flatMap(({ops}) => ops.map(({key}) => key));
        assert.deepEqual(keys, ['a', 'c']);
        assert.ok(warnings.length > 0, 'and it is told');
        assert.doesNotMatch(warnings.join(), /could not be rendered/);
        assert.doesNotThrow(() => JSON.stringify(published));
        hub.close();
      });
    }

    it('ends the page whose delta cannot be sent, and no other', async () => {
      const sent: DeltaMessage[] = [];
      const publisher = {publish: (delta: DeltaMessage) => {
        JSON.stringify(delta);
        sent.push(delta);
      }};
      const {hub, warnings} = givenHub({publisher});
      const ended: Error[] = [];
      const member: Member = {...nobody(), end: (_, error) => void ended.push(error)};
      for (const isAsync of [false, true]) {
        const row = {n: 5n as never};
        const render = () => isAsync ? Promise.resolve(row) : row;
        const unfit = everything({render, key: `unfit ${isAsync}`});
        await arrived(hub, hub.subscribe(member, unfit));
      }
      await arrived(hub, hub.subscribe(nobody(), everything({key: 'fit'})));
      hub.committed(inserting(1, 'a'));
      await turns();
      assert.deepEqual(sent.flatMap(({ops}) => ops.map(({key}) => key)), ['a']);
      assert.deepEqual(ended.map(({name}) => name), ['TypeError', 'TypeError']);
      assert.deepEqual([warnings.length, hub.size.channels], [2, 1]);
      hub.close();
    });

    it('is also a row in whose place the filter has put something else', async () => {
      for (const instead of [5, 'text', [], null, () => undefined]) {
        const {hub} = givenHub();
        const replaced = filtered((_, request) => void (request.resource = instead as never));
        await arrived(hub, hub.subscribe(nobody(), everything({render: replaced})));
        hub.committed(inserting(1, 'a'));
        await turnsOfAll();
        const reply = await hub.peek(everything({render: replaced}));
        assert.ok(reply.kind === 'snapshot');
        assert.deepEqual(reply.snapshot.rows, []);
        hub.close();
      }
    });

    it('is not what JSON knows how to write, which is written once for all', async () => {
      const {hub, published} = givenHub();
      const render = filtered(row => Object.assign(row, {
        at: new Date(0), gone: undefined, none: NaN, own: {toJSON: () => 'text'},
      }));
      await arrived(hub, hub.subscribe(nobody(), everything({render})));
      hub.committed(inserting(1, 'a'));
      await turnsOfAll();
      const [op] = published[0].ops;
      assert.ok(op.op === 'insert');
      const at = '1970-01-01T00:00:00.000Z';
      assert.deepEqual(op.row, {id: 'a', at, none: null, own: 'text'});
      hub.close();
    });
  });

  it('shares one read between all who ask for the same', async () => {
    const {hub, reads} = givenHub();
    const all = Promise.all([1, 2, 3].map(() => hub.subscribe(nobody(), everything())));
    await arrived(hub, all);
    assert.equal(reads(), 1);
    assert.deepEqual(hub.size, {windows: 1, channels: 1});
  });

  it('shares none between those who ask for what only looks the same as JSON', async () => {
    const values = [Infinity, null, undefined, 'Infinity', /a/, '/a/', 5n, 5];
    const {hub, reads} = givenHub();
    for (const value of values) {
      const condition = {kind: 'compare', property: 'id', operator: 'lt', value} as const;
      void hub.subscribe(nobody(), {
        ...everything(), query: {...everything().query, condition},
      }).catch(() => undefined);
    }
    await turns();
    assert.equal(reads(), values.length);
    hub.close();
  });

  it('keeps no more windows than agreed, and says that it is busy', async () => {
    const {hub} = givenHub({maxWindows: 1, cacheDuration: 60_000});
    const member = nobody();
    const reply = await arrived(hub, hub.subscribe(member, everything()));
    await arrived(hub, hub.subscribe(nobody(), everything()));
    const other = {...everything(), counts: true};
    const refusal = {code: 'SERVER_BUSY', statusCode: 503};
    await assert.rejects(arrived(hub, hub.subscribe(nobody(), other)), refusal);
    assert.equal(hub.counters.refusals, 1);
    assert.ok(reply.kind === 'snapshot');
    hub.close();
  });

  it('opens no window while all hold as many rows as they may together', async () => {
    const {hub} = givenHub({maxRows: 2});
    const member = nobody();
    const reply = await arrived(hub, hub.subscribe(member, everything()));
    for (const id of [1, 2]) hub.committed(inserting(id, `k${id}`));
    assert.equal(hub.counters.rows, 2);
    const other = {...everything(), counts: true};
    await assert.rejects(hub.subscribe(nobody(), other), {code: 'SERVER_BUSY'});
    assert.ok(reply.kind === 'snapshot');
    hub.unsubscribe(member, reply.snapshot.channel);
    await arrived(hub, hub.subscribe(nobody(), other), 'mark 2');
    assert.deepEqual([hub.counters.rows, hub.size.windows], [2, 1], 'those of the new one');
    hub.close();
  });

  it('holds no more rows than agreed of windows that are read at the same time', async () => {
    const {hub} = givenHub({maxRows: 10}, () => undefined, 6);
    const [first, second] = [everything(), {...everything(), counts: true}]
      .map(each => hub.subscribe(nobody(), each));
    // Rows count as soon as they are there, whenever the feed comes to their marks.
    await assert.rejects(second, {code: 'SERVER_BUSY'});
    assert.equal((await arrived(hub, first)).kind, 'snapshot');
    assert.deepEqual([hub.counters.rows, hub.size.windows], [6, 1]);
    hub.close();
  });

  it('lets a live page make them more, after what nobody watches has gone', async () => {
    const {hub, published} = givenHub({maxRows: 3, cacheDuration: 60_000});
    const ended: unknown[] = [];
    const member: Member = {
      ...nobody(), end: (_, error) => void ended.push((error as LiveEntityError).code),
    };
    const left = nobody();
    const other = await arrived(hub, hub.subscribe(left, everything()));
    hub.committed(inserting(1, 'k1'));
    await turns();
    await arrived(hub, hub.subscribe(member, {...everything(), counts: true}), 'mark 2');
    assert.ok(other.kind === 'snapshot');
    hub.unsubscribe(left, other.snapshot.channel);
    for (const id of [2, 3]) hub.committed(inserting(id, `k${id}`));
    assert.deepEqual([hub.size.windows, hub.counters.rows, ended], [1, 3, []]);
    hub.committed(inserting(4, 'k4'));
    await turns();
    assert.deepEqual([hub.size.windows, hub.counters.rows, ended], [1, 4, []]);
    assert.deepEqual(published.at(-1)?.ops.map(({key}) => key), ['k2', 'k3', 'k4']);
    await assert.rejects(hub.subscribe(nobody(), everything()), {code: 'SERVER_BUSY'});
    hub.close();
  });

  it('has as many give way as it takes, where one transaction brings many rows', async () => {
    const {hub} = givenHub({maxRows: 4, cacheDuration: 60_000});
    for (const [i, value] of ['a', 'b'].entries()) {
      const condition = {kind: 'compare', property: 'id', operator: 'eq', value} as const;
      const one = {...everything(), query: {...everything().query, condition}};
      const member = nobody();
      const reply = await arrived(hub, hub.subscribe(member, one), `mark ${i + 1}`);
      hub.committed(inserting(i + 1, value));
      await turns();
      assert.ok(reply.kind === 'snapshot');
      hub.unsubscribe(member, reply.snapshot.channel);
    }
    await arrived(hub, hub.subscribe(nobody(), everything()), 'mark 3');
    assert.equal(hub.size.windows, 3);
    const changes = ['k1', 'k2', 'k3', 'k4'].flatMap(key => inserting(3, key).changes);
    hub.committed({id: 3, changes, marks: []});
    await turns();
    assert.equal(hub.size.windows, 1, 'the one that is watched');
    hub.close();
  });

  it('ends what cannot be kept live any more, and says why', async () => {
    let refuses = false;
    const tooMuch = new LiveEntityError('LIMIT_EXCEEDED', 'more rows than a page can hold');
    const {hub} = givenHub({}, () => {
      if (refuses) throw tooMuch;
    });
    const ended: unknown[] = [];
    const member = {...nobody(), end: (...how: unknown[]) => void ended.push(how)};
    const reply = await arrived(hub, hub.subscribe(member, everything()));
    refuses = true;
    hub.resumed();
    await turns();
    assert.ok(reply.kind === 'snapshot');
    assert.deepEqual(ended, [[reply.snapshot.channel, tooMuch]]);
    assert.deepEqual(hub.size, {windows: 0, channels: 0});
  });

  it('ends a window that fails at a change, and goes on with the others', async () => {
    const {hub, published} = givenHub();
    const ended: unknown[] = [];
    const member: Member = {...nobody(), end: (_, error) => void ended.push(error)};
    const condition = {kind: 'compare', property: 'name', operator: 'neq', value: 'x'} as const;
    const failing = {...everything(), query: {...everything().query, condition}};
    await arrived(hub, hub.subscribe(member, failing));
    const byId = everything({render: ({key}) => ({id: key})});
    await arrived(hub, hub.subscribe(nobody(), byId), 'mark 2');
    const broken = new Error('cannot be compared');
    const values = {id: 'a', get name() { throw broken; }};
    const after = {key: 'a', values, raw: {id: 'a'}};
    hub.committed({id: 1, changes: [{kind: 'insert', entity: 'Item', after}], marks: []});
    hub.committed(inserting(2, 'b'));
    await turns();
    assert.deepEqual(ended, [broken]);
    assert.equal(hub.size.windows, 1);
    assert.deepEqual(published.flatMap(({ops}) => ops.map(({key}) => key)), ['a', 'b']);
    hub.close();
  });

  it('gives the place of a window that nobody watches to one that is asked for', async () => {
    const {hub} = givenHub({maxWindows: 1, cacheDuration: 60_000});
    const member = nobody();
    const reply = await arrived(hub, hub.subscribe(member, everything()));
    assert.ok(reply.kind === 'snapshot');
    hub.unsubscribe(member, reply.snapshot.channel);
    const other = {...everything(), counts: true};
    await arrived(hub, hub.subscribe(nobody(), other), 'mark 2');
    assert.equal(hub.size.windows, 1);
    hub.close();
  });

  it('is not full for ever when one came for a window as its last watcher left', async () => {
    const {hub} = givenHub({maxWindows: 1, cacheDuration: 60_000});
    const first = nobody();
    const reply = await arrived(hub, hub.subscribe(first, everything({isPrivate: true})));
    assert.ok(reply.kind === 'snapshot');
    const coming = hub.subscribe(nobody(), everything({isPrivate: true, key: 'second'}));
    hub.unsubscribe(first, reply.snapshot.channel);
    await coming;
    const other = {...everything(), counts: true};
    await assert.rejects(hub.subscribe(nobody(), other), {code: 'SERVER_BUSY'});
    assert.deepEqual(hub.size, {windows: 1, channels: 1});
    hub.close();
  });

  it('closes no window under one who is about to see it', async () => {
    const {hub, published} = givenHub({maxWindows: 1, cacheDuration: 60_000});
    const first = nobody();
    const reply = await arrived(hub, hub.subscribe(first, everything()));
    assert.ok(reply.kind === 'snapshot');
    hub.unsubscribe(first, reply.snapshot.channel);
    // Its window is there, and only the page of another audience has to be made of it.
    const coming = hub.subscribe(nobody(), everything({key: 'others'}));
    const elsewhere = hub.subscribe(nobody(), {...everything(), counts: true});
    await assert.rejects(elsewhere, {code: 'SERVER_BUSY'});
    const page = await coming;
    assert.ok(page.kind === 'snapshot');
    hub.committed(inserting(1, 'a'));
    await turns();
    assert.deepEqual(published.map(({channel}) => channel), [page.snapshot.channel]);
    hub.close();
  });

  it('opens no page on a window that has just been given up, whenever one comes', async () => {
    for (let delay = 0; delay < 30; delay++) {
      let refuses = false;
      const tooMuch = new LiveEntityError('LIMIT_EXCEEDED', 'more rows than a page can hold');
      const {hub, published} = givenHub({cacheDuration: 60_000}, () => {
        if (refuses) throw tooMuch;
      });
      await arrived(hub, hub.subscribe(nobody(), everything()));
      refuses = true;
      hub.resumed();
      for (let i = 0; i < delay; i++) await Promise.resolve();
      const ended: unknown[] = [];
      const late = {...nobody(), end: (...how: unknown[]) => void ended.push(how)};
      const outcome = await hub.subscribe(late, everything({key: 'others'})).catch(() => 'refused');
      await turns();
      hub.committed(inserting(1, 'a'));
      await turns();
      const knows = outcome === 'refused' || ended.length > 0 || published.length > 0;
      assert.ok(knows, `after ${delay} turns`);
      assert.equal(hub.counters.subscribers, 0, `after ${delay} turns`);
      hub.close();
    }
  });

  it('counts what happens, in numbers that do not change once they are taken', async () => {
    const {hub} = givenHub();
    await arrived(hub, hub.subscribe(nobody(), everything()));
    const before = hub.counters;
    hub.committed(inserting(1, 'a'));
    hub.committed({id: 2, changes: [], marks: []});
    hub.diverged();
    hub.interrupted(new Error('gone'));
    hub.resumed();
    await turns();
    const after = hub.counters;
    const grown = Object.entries(after).filter(([name, count]) =>
      count !== before[name as keyof typeof before]);
    assert.deepEqual(Object.fromEntries(grown), {
      transactions: 3, probes: 1, deltas: 1, divergences: 1, resyncs: 1, reads: 2, rows: 1,
    });
    assert.deepEqual([before.subscribers, before.windows, before.residue], [1, 1, 1]);
    hub.close();
  });

  it('sends one delta for transactions that come in one piece', async () => {
    const {hub, published} = givenHub();
    await arrived(hub, hub.subscribe(nobody(), everything()));
    for (const id of [1, 2, 3]) hub.committed(inserting(id, `k${id}`));
    await turns();
    assert.deepEqual(published.map(({seq, ops}) => [seq, ops.length]), [[1, 3]]);
    hub.close();
  });

  it('sends one delta to a member that was behind, and each to the others', async () => {
    const {hub, published} = givenHub();
    const sent: DeltaMessage[] = [];
    let drained = () => undefined as void;
    let isBehind = false;
    const slow: Member = {
      ...nobody(),
      outlet: {
        isBehind: () => isBehind,
        whenDrained: callback => (drained = callback),
        pause: () => undefined,
        resume: (_, missed) => void (missed && sent.push(missed)),
      },
    };
    await arrived(hub, hub.subscribe(slow, everything()));
    isBehind = true;
    for (let id = 1; id <= 8; id++) {
      hub.committed(inserting(id, `k${id}`));
      await turns();
    }
    assert.equal(hub.counters.waiting, 1);
    isBehind = false;
    drained();
    assert.equal(published.length, 8);
    assert.deepEqual(sent.map(({seq, from, ops}) => [seq, from, ops.length]), [[8, 0, 8]]);
    assert.equal(sent[0].hash, published[7].hash);
    assert.deepEqual([hub.counters.waiting, hub.counters.coalesced], [0, 1]);
  });
});

describe('the recent transactions', () => {
  it('are bounded while reads overlap without end', () => {
    const recent = new RecentTransactions(100);
    let release = recent.hold();
    for (let id = 1; id <= 1000; id++) {
      recent.add(inserting(id, `k${id}`));
      if (id % 10 > 0) continue;
      const next = recent.hold();
      release();
      release = next;
      assert.ok(recent.size <= 80, `${recent.size} at ${id}`);
      // Those of the read itself, and as many before as are kept in any case.
      const kept = recent.unseenBy(() => false).map(transaction => transaction.id);
      assert.ok(kept[0] <= Math.max(1, id - 50), `${kept[0]} at ${id}`);
    }
  });

  it('are bounded by their changes, and none is dropped while somebody reads', () => {
    const recent = new RecentTransactions(100);
    const release = recent.hold();
    for (let id = 1; id <= 1000; id++) recent.add(inserting(id, `k${id}`));
    assert.equal(recent.unseenBy(() => false).length, 1000);
    release();
    recent.add(inserting(1001, 'last'));
    const kept = recent.unseenBy(() => false);
    assert.ok(kept.length <= 50, `${kept.length}`);
    assert.equal(kept.at(-1)?.id, 1001);
  });
});

function givenHub(
  options: Partial<HubOptions> = {},
  beforeRead = () => undefined as void,
  size = 0,
) {
  const published: DeltaMessage[] = [];
  const warnings: string[] = [];
  let reads = 0;
  const rows = Array.from({length: size}, (_, i) => imageOf(`r${i}`));
  const snapshot = (): SnapshotRows => ({rows, sees: () => false, mark: `mark ${++reads}`});
  const hub = new LiveHub({
    shapes: new Map([['Item', SHAPE]]),
    source: {
      read: async () => {
        beforeRead();
        return snapshot();
      },
      judge: async () => [],
    },
    publisher: {publish: delta => void published.push(delta)},
    logger: {warn: message => void warnings.push(message)},
    cacheDuration: 0,
    resumeRing: 10,
    ...options,
  });
  hub.start();
  return {hub, published, warnings, reads: () => reads};
}

/** Lets the mark of the read arrive, and answers what was waited for. */
async function arrived<T>(hub: LiveHub, waiting: Promise<T>, mark = 'mark 1'): Promise<T> {
  waiting.catch(() => undefined);
  await turns();
  hub.committed({id: 0, changes: [], marks: [mark]});
  return waiting;
}

/** Renders as rows of an entity with this post filter are. */
function filtered(
  change: (row: Record<string, unknown>, request: AccessRequest) => unknown,
): Render {
  const post: AccessFilter = (request, next) => {
    change(request.resource!, request);
    return next();
  };
  const guard = new FilterGuard({filters: new Map([['Item', {pre: [], post: [post]}]])});
  const request: AccessRequest = {
    principal: undefined, source: 'socketio', context: undefined, action: 'read',
    query: {type: 'Item'},
  };
  return image => guard.after(request, image.values);
}

/** What filters take, too. */
async function turnsOfAll(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve));
}

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function everything(audience: Partial<Subscription['audience']> = {}): Subscription {
  return {
    query: {
      entity: 'Item',
      condition: {kind: 'and', parts: []},
      order: [{property: 'id', descending: false}],
    },
    span: {base: 0, cap: 1000, offset: 0, size: 10},
    counts: false,
    fields: undefined,
    audience: {key: 'all', isPrivate: false, render: image => image.values, ...audience},
  };
}

function nobody(): Member {
  return {join: () => undefined, leave: () => undefined, end: () => undefined};
}

function inserting(id: number, key: string): CommittedTransaction {
  return {id, changes: [{kind: 'insert', entity: 'Item', after: imageOf(key)}], marks: []};
}

function imageOf(key: string): RowImage {
  return {key, values: {id: key}, raw: {id: key}};
}
