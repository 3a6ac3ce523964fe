import assert from 'node:assert/strict';
import {once} from 'node:events';
import type {Duplex} from 'node:stream';
import {io, type Socket} from 'socket.io-client';
import {LiveClient, type LiveCollection} from '../../client';
import {LiveEntitiesBindings} from '../../index';
import type {DeltaMessage} from '../../protocol/messages';
import {PROTOCOL_VERSION} from '../../protocol/version';
import {startPostgres18, type Postgres18, type TestDatabase} from '../support/databases';
import {givenShop, type Product, type Shop} from '../support/shop';
import {until} from '../support/until';

describe('live views when things break', function () {
  this.timeout(60_000);
  let server: Postgres18;
  let database: TestDatabase;
  let shop: Shop;
  let live: LiveClient;
  let view: LiveCollection<Product>;
  const warnings: string[] = [];
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
    live.close();
    await shop.shutDown();
    await database.drop();
  });

  it('go on after the database was stopped and started again', async () => {
    await server.stop();
    await assert.rejects(live.collection({type: 'Product', view: 'lowStockView'}).create({
      id: 'x', name: 'X', qty: 1,
    } as never), {code: 'INTERNAL_ERROR'});
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
    reader.disconnect();
    stalled.disconnect();
  });

  it('bring a client that stalls up to date in one step, whatever has passed', async () => {
    const stalled = await subscribedSocket();
    let deltas = 0;
    let last: DeltaMessage | undefined;
    stalled.on('delta', (message: DeltaMessage) => {
      deltas++;
      last = message;
    });
    stopReading(stalled);
    const counters = async () =>
      (await shop.get(LiveEntitiesBindings.REALTIME_SERVER)).counters!;
    const filler = 'x'.repeat(2000);
    let writes = 0;
    // Until the wire is full, and then ten thousand changes more.
    for (let left = 10_000; left > 0; writes += 500) {
      await database.query(`
        DO $$ BEGIN FOR i IN 1..500 LOOP
          UPDATE product SET name = '${writes} ' || i || '${filler}' WHERE id = 'a';
          COMMIT;
        END LOOP; END $$`);
      if ((await counters()).waiting > 0) left -= 500;
    }
    await insert('z', 'The last');
    await until(view, () => names().includes('The last'));
    assert.equal((await counters()).waiting, 1);
    const told = new Promise<void>(resolve => {
      stalled.on('delta', () => last!.from !== undefined && resolve());
    });
    startReading(stalled);
    await told;
    assert.ok(deltas < writes / 2, `${deltas} deltas for ${writes} writes`);
    assert.equal(last!.ops.some(op => op.op === 'insert' && op.key === 'z'), true);
    assert.equal((await counters()).waiting, 0);
    stalled.disconnect();
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
    const ref = {
      type: 'Product', view: 'categoryView', viewParams: {category: 'c1'}, pageSize: 20,
    };
    const answer = await socket.emitWithAck('subscribe', {ref});
    assert.equal(answer.ok, true, JSON.stringify(answer));
    return socket;
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

function stopReading(socket: Socket): void {
  const engine = socket.io.engine as unknown as {transport: {ws: {_socket: Duplex}}};
  engine.transport.ws._socket.pause();
}
