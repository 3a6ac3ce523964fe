import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {LiveEntitiesBindings} from '../../index';
import type {HubCounters} from '../../core/counters';
import type {DeltaMessage, PageSnapshot} from '../../protocol/messages';
import {givenPostgres18, type Postgres18, type TestDatabase} from '../support/databases';
import {RawClient} from '../support/raw-client';
import {givenShop, type Shop} from '../support/shop';

const {Encoder} = createRequire(require.resolve('socket.io'))('socket.io-parser') as {
  Encoder: {prototype: {encode(packet: {data?: unknown}): unknown}};
};

/** Counts, where a bench has a clock: what the live side does for a write and for a subscriber. */
describe('the cost of the live side, counted', function () {
  this.timeout(60_000);
  const CATEGORIES = 40;
  const SUBSCRIBERS = 12;
  let server: Postgres18;
  let database: TestDatabase;
  let shop: Shop;
  let clients: RawClient[];

  before(async () => {
    server = await givenPostgres18();
    database = await server.createDatabase({name: 'proportional', logStatements: true});
    // No window of an earlier test ends while a later one counts them.
    shop = await givenShop(database, {cacheDuration: 600_000});
  });
  after(async () => {
    await shop?.shutDown();
    await database?.drop();
  });
  beforeEach(() => (clients = []));
  afterEach(() => clients.forEach(client => client.close()));

  it('a write probes the window that it touches, and reads nothing', async () => {
    const client = await signedIn();
    for (let i = 0; i < CATEGORIES; i++) await subscribe(client, `probed-${i}`);
    const products = await shop.products();
    const {_version} = await products.create({id: 'p', name: 'A', qty: 1, category: 'probed-3'});
    await nextDelta(client, 1);
    const before = await counters();
    assert.ok(before.windows >= CATEGORIES);

    const statements = await statementsOf(async () => {
      await products.updateById('p', {name: 'B', _version});
      await nextDelta(client, 2);
    });
    const after = await counters();
    assert.equal(after.probes - before.probes, 1);
    assert.equal(after.deltas - before.deltas, 1);
    assert.equal(after.reads - before.reads, 0);
    assert.equal(after.asks - before.asks, 0);
    assert.equal(statements.length, 1, statements.join('\n'));
  });

  it('a row that moves probes the window that it leaves and the one that it joins', async () => {
    const client = await signedIn();
    for (let i = 0; i < CATEGORIES; i++) await subscribe(client, `moved-${i}`);
    const products = await shop.products();
    const {_version} = await products.create({id: 'm', name: 'A', qty: 1, category: 'moved-3'});
    await nextDelta(client, 1);
    const before = await counters();
    await products.updateById('m', {category: 'moved-7', _version});
    await nextDelta(client, 3);
    const after = await counters();
    assert.equal(after.probes - before.probes, 2);
    assert.equal(after.deltas - before.deltas, 2);
  });

  it('a write that concerns no window probes none', async () => {
    const client = await signedIn();
    await subscribe(client, 'watched');
    const before = await counters();
    const products = await shop.products();
    await products.create({id: 'n', name: 'Nobody looks', qty: 1, category: 'unwatched'});
    await products.create({id: 'w', name: 'Somebody does', qty: 1, category: 'watched'});
    await nextDelta(client, 1);
    const after = await counters();
    assert.equal(after.probes - before.probes, 1);
  });

  it('a delta is encoded once, whatever the number of its subscribers', async () => {
    for (let i = 0; i < SUBSCRIBERS; i++) await subscribe(await signedIn(), 'encoded');
    const before = await counters();
    const encoded = await deltasEncoded(async () => {
      await (await shop.products()).create({id: 'e', name: 'A', qty: 1, category: 'encoded'});
      await Promise.all(clients.map(client => nextDelta(client, 1)));
    });
    const after = await counters();
    assert.equal(encoded, 1);
    assert.equal(after.deltas - before.deltas, 1);
    assert.equal(after.subscribers, SUBSCRIBERS);
  });

  it('the first subscriber of a window costs one statement, and one read', async () => {
    const client = await signedIn();
    const before = await counters();
    const statements = await statementsOf(() => subscribe(client, 'first'));
    const after = await counters();
    assert.equal(statements.length, 1, statements.join('\n'));
    assert.equal(after.reads - before.reads, 1);
    assert.equal(after.windows - before.windows, 1);
  });

  it('a subscriber of a living window costs no statement', async () => {
    await subscribe(await signedIn(), 'shared');
    const newcomers = await Promise.all(Array.from({length: SUBSCRIBERS}, signedIn));
    const before = await counters();
    const statements = await statementsOf(() =>
      Promise.all(newcomers.map(client => subscribe(client, 'shared'))));
    const after = await counters();
    assert.deepEqual(statements, []);
    assert.equal(after.reads - before.reads, 0);
    assert.equal(after.windows - before.windows, 0);
    assert.equal(after.channels - before.channels, 0);
    assert.equal(after.subscribers - before.subscribers, SUBSCRIBERS);
  });

  it('those who come back to a living window cost no statement either', async () => {
    const places: PageSnapshot[] = [];
    for (let i = 0; i < SUBSCRIBERS; i++) places.push(await subscribe(await signedIn(), 'back'));
    clients.forEach(client => client.close());
    const again = await Promise.all(places.map(signedIn));
    const statements = await statementsOf(async () => {
      for (const [i, client] of again.entries()) {
        const {channel, epoch, seq} = places[i];
        const answer = await client.call('subscribe', {
          ref: page('back'), resume: {channel, epoch, seq},
        });
        assert.equal(answer.kind, 'resumed', JSON.stringify(answer));
      }
    });
    assert.deepEqual(statements, []);
  });

  async function signedIn(): Promise<RawClient> {
    const client = await RawClient.connect(shop.url);
    clients.push(client);
    await client.call('login', {username: 'clerk', password: 'secret'});
    return client;
  }

  async function subscribe(client: RawClient, category: string): Promise<PageSnapshot> {
    const answer = await client.call('subscribe', {ref: page(category)});
    assert.equal(answer.kind, 'snapshot', JSON.stringify(answer));
    return answer.snapshot as PageSnapshot;
  }

  /** Resolves once that many deltas have come to the client. */
  async function nextDelta(client: RawClient, count: number): Promise<void> {
    const deltas = () => client.frames.filter(([name]) => name === 'delta').length;
    while (deltas() < count) {
      await new Promise<DeltaMessage>(resolve => client.socket.once('delta', resolve));
    }
    assert.equal(deltas(), count);
  }

  async function counters(): Promise<HubCounters> {
    return (await shop.get(LiveEntitiesBindings.REALTIME_SERVER)).counters!;
  }

  async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
    const marker = `SELECT 'counting begins at ${process.hrtime.bigint()}'`;
    await database.query(marker);
    await work();
    const {database: name} = database.config;
    const log = (await server.readLog()).filter(entry => entry.includes(`${name} `));
    const from = log.findIndex(entry => entry.includes(marker));
    assert.ok(from >= 0, 'the marker is not in the log');
    return log.slice(from + 1).filter(entry => /LOG: {2}(execute|statement)/.test(entry));
  }
});

function page(category: string) {
  return {type: 'Product', view: 'categoryView', viewParams: {category}};
}

/** How often a delta was made into text while the work was done. */
async function deltasEncoded(work: () => Promise<unknown>): Promise<number> {
  const {encode} = Encoder.prototype;
  let count = 0;
  Encoder.prototype.encode = function (packet) {
    if (Array.isArray(packet.data) && packet.data[0] === 'delta') count++;
    return encode.call(this, packet);
  };
  try {
    await work();
    return count;
  } finally {
    Encoder.prototype.encode = encode;
  }
}
