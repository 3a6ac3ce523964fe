import assert from 'node:assert/strict';
import type {Interceptor} from '@loopback/core';
import {HttpErrors} from '@loopback/rest';
import {LiveEntitiesBindings} from '../../index';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {RawClient} from '../support/raw-client';
import {givenShop, type Shop} from '../support/shop';

const CYCLES = 1000;
const AT_ONCE = 25;
const PAGE = {type: 'Category', view: 'alphabeticalView'};
const SECRET_PAGE = {type: 'Product', view: 'categoryView', viewParams: {category: 'c1'}};

/** What is looked into because nothing public says it. */
interface Inside {
  readonly transport: {
    readonly io: {
      readonly engine: {readonly clientsCount: number};
      of(name: string): {readonly adapter: {
        readonly rooms: {readonly size: number};
        readonly sids: {readonly size: number};
      }};
    };
    readonly addresses: {readonly counts: {readonly size: number}};
    readonly drains: {readonly outlets: {readonly size: number}};
  };
  readonly engine: {readonly sources: readonly {readonly hub: {
    readonly marks: {readonly waiting: {readonly size: number}};
    readonly moved: {readonly size: number};
    readonly windows: {
      readonly index: {readonly entities: {readonly size: number}};
      readonly related: {readonly entities: {readonly size: number}};
      readonly watchers: {readonly size: number};
    };
  }}[]};
  readonly sessions: {readonly sessions: {readonly size: number}};
}

describe('clients that have come and gone', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let shop: Shop;

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('leftovers');
    shop = await givenShop(database, {
      cacheDisabled: true,
      logger: {warn: () => undefined, error: (_, error) => failures.push(error)},
    });
    await (await shop.categories()).create({id: 'c1', name: 'Tools'});
  });
  after(async () => {
    await shop?.shutDown();
    await database?.drop();
  });
  const failures: unknown[] = [];

  it('leave nothing behind, whenever they went', async () => {
    const tokens = await shop.get(LiveEntitiesBindings.TOKEN_SERVICE);
    const buyer = {id: 'buyer', role: 'buyer', [Symbol.for('securityId')]: 'buyer'};
    const token = await tokens.generateToken(buyer as never);
    await visit(token, 0);
    await allGone();
    const timers = timersNow();
    for (let i = 0; i < CYCLES; i += AT_ONCE) {
      await Promise.all(Array.from({length: AT_ONCE}, (_, j) => visit(token, i + j)));
    }
    await allGone();
    const realtime = await shop.get(LiveEntitiesBindings.REALTIME_SERVER);
    const {transport, engine, sessions} = realtime as unknown as Inside;
    const {adapter} = transport.io.of('/');
    const counts = {
      rooms: adapter.rooms.size,
      sockets: adapter.sids.size,
      addresses: transport.addresses.counts.size,
      behind: transport.drains.outlets.size,
      sessions: sessions.sessions.size,
      ...Object.fromEntries(engine.sources.flatMap(({hub: {marks, moved, windows}}, i) => [
        [`marks ${i}`, marks.waiting.size],
        [`moved ${i}`, moved.size],
        [`filed ${i}`, windows.index.entities.size],
        [`related ${i}`, windows.related.entities.size],
        [`watchers ${i}`, windows.watchers.size],
      ])),
    };
    assert.deepEqual(Object.entries(counts).filter(([, count]) => count > 0), []);
    assert.ok(timersNow() <= timers + 5, `${timersNow()} timers, and ${timers} before`);
    assert.deepEqual(failures, []);
  });

  it('are in no room of a page that an interceptor has refused them, while they stay', async () => {
    let isRefused = true;
    const late: Interceptor = async (_, next) => {
      const answer: unknown = await next();
      if (isRefused) throw new HttpErrors.Forbidden('not today');
      return answer;
    };
    const binding = shop.interceptor(late, {global: true, group: 'late', source: 'socketio'});
    const client = await RawClient.connect(shop.url);
    try {
      const realtime = await shop.get(LiveEntitiesBindings.REALTIME_SERVER);
      const {rooms} = (realtime as unknown as Inside).transport.io.of('/').adapter;
      const before = rooms.size;
      const {ok, error} = await client.call('subscribe', {ref: PAGE});
      assert.deepEqual([ok, error?.message], [false, 'not today']);
      assert.deepEqual([rooms.size, realtime.counters!.subscribers], [before, 0]);
      isRefused = false;
      assert.equal((await client.call('subscribe', {ref: PAGE})).ok, true);
      assert.deepEqual([rooms.size, realtime.counters!.subscribers], [before + 1, 1]);
    } finally {
      shop.unbind(binding.key);
      client.close();
    }
  });

  /** One who looks at some pages, and may go before the answer, or before the connection. */
  async function visit(token: string, number: number): Promise<void> {
    const client = await RawClient.connect(shop.url, number % 3 ? {token} : {});
    const asked = [
      client.call('subscribe', {ref: {...PAGE, pageSize: 1 + (number % 7)}}),
      client.call('subscribe', {ref: SECRET_PAGE}),
      client.call('subscribe', {ref: {type: 'Category', id: `c${number % 3}`}}),
      client.call('authenticate', {token}),
      ...(number % 4 === 1 ? [client.call('logout', {})] : []),
    ];
    const settled = Promise.allSettled(asked);
    if (number % 2) await settled;
    client.close();
  }

  async function allGone(): Promise<void> {
    const realtime = await shop.get(LiveEntitiesBindings.REALTIME_SERVER);
    const {transport} = realtime as unknown as Inside;
    for (;;) {
      const {windows, channels, subscribers, rows} = realtime.counters!;
      const {size} = transport.io.of('/').adapter.sids;
      const {clientsCount} = transport.io.engine;
      if (windows + channels + subscribers + rows + size + clientsCount === 0) return;
      await new Promise(resolve => setImmediate(resolve));
    }
  }
});

function timersNow(): number {
  return process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
}
