import assert from 'node:assert/strict';
import {once} from 'node:events';
import type {Duplex} from 'node:stream';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {DefaultTransactionalRepository} from '@loopback/repository';
import {io, type Socket} from 'socket.io-client';
import {LiveClient, type LiveCollection} from '../../client';
import {
  DatabaseUnavailableError,
  LiveEntitiesBindings,
  type HistoricalRepository,
} from '../../index';
import {applyOps} from '../../protocol/apply';
import type {DeltaMessage, PageSnapshot} from '../../protocol/messages';
import type {WireError} from '../../protocol/errors';
import type {PageState} from '../../protocol/page';
import {PROTOCOL_VERSION} from '../../protocol/version';
import {startPostgres18, type Postgres18, type TestDatabase} from '../support/databases';
import {Network} from '../support/network';
import {RawClient} from '../support/raw-client';
import {Category, givenShop, type Product, type Shop} from '../support/shop';
import {until} from '../support/until';

/**
 * Changes that pass while a client does not read; STALLED_FOR=100000 is the long form. They have to
 * pass within 45 seconds: after that Socket.IO gives up a connection that does not answer.
 */
const STALLED_FOR = Number(process.env.STALLED_FOR ?? 30_000);
/** Rows that change with each commit meanwhile. */
const ROWS = 18;

describe('live views when things break', function () {
  this.timeout(120_000);
  let server: Postgres18;
  let database: TestDatabase;
  let shop: Shop;
  let live: LiveClient;
  let view: LiveCollection<Product>;
  const warnings: string[] = [];
  const opened: Socket[] = [];
  const note = (message: string) => void warnings.push(message);

  before(async () => (server = await startPostgres18()));
  after(() => server?.remove());
  beforeEach(async () => {
    warnings.length = 0;
    database = await server.createDatabase('faults');
    shop = await givenShop(database, {
      logger: {warn: note, error: note},
      limits: {bufferedBytes: 200_000},
    });
    await insert('a', 'Anvil');
    live = new LiveClient(shop.url, {reconnectionDelay: 20, reconnectionDelayMax: 100});
    await live.login({username: 'clerk', password: 'secret'});
    view = live.collection<Product>({
      type: 'Product', view: 'categoryView', viewParams: {category: 'c1'}, pageSize: 50,
    });
    await view.ready;
  });
  afterEach(async () => {
    for (const socket of opened.splice(0)) socket.disconnect();
    live.close();
    await shop.shutDown();
    await database.drop();
  });

  it('go on after the database was stopped and started again', async () => {
    await server.stop();
    await assert.rejects(live.collection({type: 'Product', view: 'lowStockView'}).create({
      id: 'x', name: 'X', qty: 1,
    } as never), {code: 'DATABASE_UNAVAILABLE', statusCode: 503});
    assert.deepEqual(names(), ['Anvil'], 'what was seen stays');
    assert.equal((await health())?.live, false);
    await server.start();
    await insert('b', 'Bolt');
    await until(view, () => names().join() === 'Anvil,Bolt');
    await database.query(`DELETE FROM product WHERE id = 'a'`);
    await until(view, () => names().join() === 'Bolt');
    assert.equal((await health())?.live, true);
    assert.ok(warnings.some(text => /interrupted/.test(text)), warnings.join('\n'));
  });

  it('say on every way that the database is away, and nothing of where it was', async () => {
    const products = await shop.products();
    const {_version} = await products.create({id: 'v', name: 'Vase', qty: 1, category: 'c1'});
    const plain = new DefaultTransactionalRepository(Category, products.dataSource);
    const token = `Bearer ${live.token}`;
    const rest = async (method: string, path: string, body?: object) => {
      const headers = {authorization: token, 'content-type': 'application/json'};
      const init = {method, headers, ...(body && {body: JSON.stringify(body)})};
      const answer = await fetch(`${shop.url}${path}`, init);
      return {status: answer.status, text: await answer.text()};
    };
    const calls: (() => Promise<unknown>)[] = [
      () => products.find(),
      () => products.find({where: {category: 'c1'}, fields: ['id']}),
      () => products.findOne(),
      () => products.findById('v'),
      () => products.count(),
      () => products.exists('v'),
      () => products.create({id: 'w', name: 'Wok', qty: 1}),
      () => products.createAll([{id: 'x', name: 'X', qty: 1}]),
      () => products.updateById('v', {name: 'Vat', _version}),
      () => products.replaceById('v', {id: 'v', name: 'Vat', qty: 2, _version}),
      () => products.updateAll({name: 'Vat'}, {id: 'v'}),
      () => products.deleteById('v', {version: _version}),
      () => products.deleteAll({id: 'v'}),
      () => (products as unknown as HistoricalRepository<Product, string>).history('v'),
      () => products.execute('SELECT 1', []),
      () => products.beginTransaction(),
      () => plain.find(),
      () => plain.create({id: 'p', name: 'Plain'}),
    ];
    const routes: [string, string, object?][] = [
      ['GET', '/products'], ['GET', '/products/v'], ['GET', '/products/count'],
      ['POST', '/products', {id: 'w', name: 'Wok', qty: 1}],
      ['PATCH', '/products/v', {name: 'Vat', _version}],
      ['PUT', '/products/v', {id: 'v', name: 'Vat', qty: 2, _version}],
      ['DELETE', `/products/v/${_version}`], ['POST', '/products/v/restore'],
      ['GET', '/products/v/history'], ['GET', '/products/history'],
      ['GET', `/products/v?asOf=${new Date().toISOString()}`],
    ];
    const page = {type: 'Product', view: 'categoryView', viewParams: {category: 'c1'}};
    const [socket, model] = [await RawClient.connect(shop.url), {type: 'Product', id: 'v'}];
    await socket.call('login', {username: 'clerk', password: 'secret'});
    const sent: [string, object, RegExp][] = [
      ['create', {type: 'Product', value: {id: 'w', name: 'W', qty: 1}}, /^DATABASE_UNAVAILABLE$/],
      ['update', {...model, value: {name: 'V'}, version: _version}, /^DATABASE_UNAVAILABLE$/],
      ['delete', {...model, version: _version}, /^DATABASE_UNAVAILABLE$/],
      ['read', model, /^(DATABASE|FEED)_UNAVAILABLE$/],
      ['read', page, /^(DATABASE|FEED)_UNAVAILABLE$/],
      ['subscribe', {ref: {...page, pageSize: 7}}, /^FEED_UNAVAILABLE$/],
    ];
    await server.stop();
    for (const call of calls) {
      await assert.rejects(call(), (error: Error) => {
        assert.ok(error instanceof DatabaseUnavailableError, `${String(call)}: ${error.stack}`);
        return true;
      });
    }
    for (const route of routes) {
      const {status, text} = await rest(...route);
      assert.equal(status, 503, `${route.join(' ')}: ${text}`);
      assert.match(text, /The database cannot be reached/);
      assert.doesNotMatch(text, /127\.0\.0\.1|ECONN|terminated/);
    }
    for (const [name, request, code] of sent) {
      const answer = (await socket.call(name, request)) as {error?: WireError};
      assert.match(String(answer.error?.code), code, `${name}: ${JSON.stringify(answer)}`);
      assert.equal(answer.error?.statusCode, 503);
      assert.doesNotMatch(JSON.stringify(answer), /127\.0\.0\.1|ECONN|terminated/);
    }
    assert.doesNotMatch(JSON.stringify(await health()), /127\.0\.0\.1|ECONN|terminated/);
    assert.match(warnings.join('\n'), /ECONNREFUSED/, 'the log says what happened');
    await server.start();
    for (const call of calls.slice(0, 5)) await call();
    assert.equal((await rest('GET', '/products/v')).status, 200);
    socket.close();
  });

  it('go on when the database stops in the middle of a transaction, which then fails', async () => {
    const products = await shop.products();
    const transaction = await products.beginTransaction();
    const options = {transaction};
    await products.updateAll({name: 'Never'}, {id: 'a'}, options);
    await server.stop();
    await assert.rejects(products.updateAll({name: 'Neither'}, {id: 'a'}, options));
    await transaction.rollback().catch(() => undefined);
    await server.start();
    await products.updateAll({name: 'Axe'}, {id: 'a'});
    await until(view, () => names().join() === 'Axe');
  });

  it('are stale while the database is away; all are told, also who comes then', async () => {
    const statuses: string[] = [];
    view.on('status', status => void statuses.push(status));
    const told = new Promise<void>(resolve => view.on('status', () => resolve()));
    await server.stop();
    await told;
    const late = io(shop.url, {path: '/realtime', auth: {protocol: 2, token: live.token}});
    const [message] = (await once(late as never, 'feed')) as [object];
    assert.deepEqual(message, {types: ['Category', 'Product'], live: false});
    const again = once(late as never, 'feed');
    await server.start();
    assert.deepEqual(await again, [{types: ['Category', 'Product'], live: true}]);
    late.disconnect();
    await insert('b', 'Bolt');
    await until(view, () => names().join() === 'Anvil,Bolt');
    assert.deepEqual(statuses, ['stale', 'live']);
  });

  it('go on after only the stream was cut, and miss nothing', async () => {
    await Promise.all([
      database.query(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
                      WHERE database = current_database()`),
      insert('b', 'Bolt'),
      insert('c', 'Cup'),
    ]);
    await until(view, () => names().join() === 'Anvil,Bolt,Cup');
  });

  it('go on after the application was stopped and started again on its port', async () => {
    const port = Number(new URL(shop.url).port);
    await shop.shutDown();
    await insert('b', 'Bolt');
    shop = await givenShop(database, {logger: {warn: note, error: note}}, port);
    await until(view, () => names().join() === 'Anvil,Bolt');
    await insert('c', 'Cup');
    await until(view, () => names().join() === 'Anvil,Bolt,Cup');
  });

  it('go on at another server of the same database', async () => {
    const other = await givenShop(database, {logger: {warn: note, error: note}});
    let home = shop;
    const network = await Network.before(() => ({
      host: '127.0.0.1', port: Number(new URL(home.url).port),
    }));
    const roaming = new LiveClient(network.url, {reconnectionDelay: 20});
    await roaming.authenticate(live.token!);
    const page = roaming.collection<Product>({
      type: 'Product', view: 'categoryView', viewParams: {category: 'c1'},
    });
    await page.ready;
    const resets: boolean[] = [];
    page.on('status', (status, {reset}) => status === 'live' && resets.push(reset));
    home = other;
    network.cut(() => 0);
    await insert('b', 'Bolt');
    await until(page, () => page.value.map(row => row.name).join() === 'Anvil,Bolt');
    assert.deepEqual(resets, [true], 'the other server has no past of the page, and says so');
    await page.update('b', {name: 'Big bolt', qty: 4});
    await until(view, () => names().join() === 'Anvil,Big bolt');
    roaming.close();
    await network.close();
    await other.shutDown();
  });

  it('cut off a client that does not read, and nobody else notices', async () => {
    const reader = await subscribedSocket();
    const stalled = await subscribedSocket();
    let deltas = 0;
    reader.on('delta', () => deltas++);
    let isGone = false;
    serverSideOf.get(stalled)!.once('close', () => (isGone = true));
    stopReading(stalled);
    for (let i = 0; !isGone; i++) {
      const filler = `${i} ${'x'.repeat(300_000)}`;
      await database.query(`UPDATE product SET name = $1 WHERE id = 'a'`, [filler]);
    }
    await insert('last', 'The last');
    await until(view, () => names().includes('The last'));
    assert.ok(deltas > 10, `${deltas} deltas`);
  });

  it(`bring a client that stalls up to date in one step after ${STALLED_FOR} changes`, async () => {
    for (let i = 1; i <= ROWS; i++) await insert(`s${i}`, `Screw ${i}`);
    const stalled = await subscribedSocket();
    const {page, seq} = await snapshotFor(stalled);
    const shown = {page, seq};
    let deltas = 0;
    let last: DeltaMessage | undefined;
    stalled.on('delta', (message: DeltaMessage) => {
      deltas++;
      last = message;
      assert.equal(message.from ?? message.seq - 1, shown.seq, 'no gap, no duplicate');
      shown.page = applyOps(shown.page, message.ops, message.meta);
      shown.seq = message.seq;
    });
    stopReading(stalled);
    const counters = async () =>
      (await shop.get(LiveEntitiesBindings.REALTIME_SERVER)).counters!;
    let writes = 0;
    const writeUntil = async (enough: () => Promise<boolean>) => {
      for (; !(await enough()); writes += 250 * ROWS) {
        await database.query(`
          DO $$ BEGIN FOR i IN 1..250 LOOP
            UPDATE product SET name = 'Screw ${writes} ' || i || id || repeat('x', 100)
              WHERE id LIKE 's%';
            COMMIT;
          END LOOP; END $$`);
      }
    };
    await writeUntil(async () => (await counters()).waiting > 0);
    const before = {writes, bytes: bytesInUse()};
    await writeUntil(async () => writes >= before.writes + STALLED_FOR);
    await insert('z', 'The last');
    await until(view, () => names().includes('The last'));
    const grown = bytesInUse() - before.bytes;
    assert.ok(grown < 16 * 2 ** 20, `${grown} bytes more for one who does not read`);
    assert.equal((await counters()).waiting, 1);
    const told = new Promise<void>(resolve => {
      stalled.on('delta', () => last!.from !== undefined && resolve());
    });
    startReading(stalled);
    await told;
    assert.ok(deltas < writes / ROWS / 2, `${deltas} deltas for ${writes} changes`);
    assert.deepEqual(shown.page, (await snapshotFor(await subscribedSocket())).page);
    assert.equal((await counters()).waiting, 0);
  });

  /** The server's end of each raw connection. */
  const serverSideOf = new Map<Socket, Duplex>();

  async function subscribedSocket(): Promise<Socket> {
    const {server: http} = shop.restServer.httpServer!;
    const upgraded = once(http, 'upgrade');
    const socket = io(shop.url, {
      path: '/realtime',
      auth: {protocol: PROTOCOL_VERSION, token: live.token},
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    const [, tcp] = (await upgraded) as [unknown, Duplex];
    serverSideOf.set(socket, tcp);
    await once(socket as never, 'connect');
    opened.push(socket);
    await snapshotFor(socket);
    return socket;
  }

  /** The page, for a connection that is in its channel from here on. */
  async function snapshotFor(socket: Socket): Promise<{page: PageState; seq: number}> {
    const ref = {
      type: 'Product', view: 'categoryView', viewParams: {category: 'c1'}, pageSize: 20,
    };
    const answer = await socket.emitWithAck('subscribe', {ref});
    assert.equal(answer.ok, true, JSON.stringify(answer));
    const {keys, rows, meta, seq} = answer.snapshot as PageSnapshot;
    return {page: {keys, rows, meta}, seq};
  }

  async function insert(id: string, name: string): Promise<void> {
    await database.query(
      `INSERT INTO product (id, name, qty, category) VALUES ($1, $2, 1, 'c1')`,
      [id, name],
    );
  }

  async function health() {
    return (await shop.get(LiveEntitiesBindings.REALTIME_SERVER)).status;
  }

  function names(): string[] {
    return view.value.map(row => row.name);
  }
});

function startReading(socket: Socket): void {
  const engine = socket.io.engine as unknown as {transport: {ws: {_socket: Duplex}}};
  engine.transport.ws._socket.resume();
}

/** What the process holds once everything has gone that nobody holds. */
function bytesInUse(): number {
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
  const {heapUsed, external} = process.memoryUsage();
  return heapUsed + external;
}

function stopReading(socket: Socket): void {
  const engine = socket.io.engine as unknown as {transport: {ws: {_socket: Duplex}}};
  engine.transport.ws._socket.pause();
}
