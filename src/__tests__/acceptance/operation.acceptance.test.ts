import assert from 'node:assert/strict';
import {once} from 'node:events';
import {MetricsComponent} from '@loopback/metrics';
import {Client} from 'pg';
import {io} from 'socket.io-client';
import {adminUi} from '../../components/realtime/admin-ui';
import {LiveEntitiesBindings} from '../../index';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {RawClient} from '../support/raw-client';
import {Shop} from '../support/shop';

const PAGE = {type: 'Category', view: 'alphabeticalView'};
/** Of the password `admin`. */
const HASH = '$2b$04$gk8Wm9ARLCu4gVjkdkxzwuO6kXcwGVEuVJsRAUZj3aZIJuYxlM41K';

describe('the live side in operation', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let shop: Shop;
  let open: {close(): void}[];

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('operation');
    shop = new Shop(database, {
      adminUi: {auth: {username: 'admin', password: HASH}},
      logger: {warn: () => undefined, error: () => undefined},
    });
    shop.component(MetricsComponent);
    await shop.migrateSchema();
    await shop.start();
  });
  after(async () => {
    await shop?.shutDown();
    await database?.drop();
  });
  beforeEach(() => (open = []));
  afterEach(() => open.forEach(each => each.close()));

  it('shows its numbers where @loopback/metrics shows its own', async () => {
    const before = await metrics();
    const [first, second] = [await connected(), await connected()];
    for (const client of [first, second]) await client.call('subscribe', {ref: PAGE});
    await first.call('subscribe', {ref: {...PAGE, view: 'none'}});
    await (await shop.categories()).create({id: 'm', name: 'Metrics'});
    for (const client of [first, second]) await client.event('delta');
    const after = await metrics();
    const grown = (name: string) => after.get(name)! - (before.get(name) ?? 0);
    assert.equal(after.get('live_entities_windows'), 1);
    assert.equal(after.get('live_entities_channels'), 1);
    assert.equal(after.get('live_entities_subscribers'), 2);
    assert.equal(grown('live_entities_connections'), 2);
    assert.equal(grown('live_entities_deltas_total'), 1);
    assert.equal(grown('live_entities_refused_total{code="UNKNOWN_VIEW"}'), 1);
    assert.ok(grown('live_entities_transactions_total') >= 1);
    assert.equal(after.get('live_entities_feed_up{feed="postgres"}'), 1);
    const lag = after.get('live_entities_feed_lag_seconds{feed="postgres"}')!;
    assert.ok(lag >= 0 && lag < 10, String(lag));
    const kept = await eventually(async () =>
      (await metrics()).get('live_entities_feed_lag_bytes{feed="postgres"}'));
    assert.ok(kept >= 0, String(kept));
    assert.ok(after.has('live_entities_divergences_total'));
    assert.ok(after.has('live_entities_resyncs_total'));
  });

  it('is ready while its feed delivers, and says why when it does not', async () => {
    const [binding] = shop.findByTag('health.readyCheck');
    const isReady = await shop.get<() => Promise<void>>(binding.key);
    await isReady();
    const name = `"${database.config.database}"`;
    const elsewhere = new Client({connectionString: (await givenPostgres18()).url});
    await elsewhere.connect();
    try {
      await elsewhere.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
      await elsewhere.query(`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = $1 AND backend_type = 'walsender'`, [database.config.database]);
      const reason = await eventually(() => isReady().then(() => undefined, String));
      assert.match(reason, /the change feed postgres is (?!live)\w+/);
    } finally {
      await elsewhere.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      await elsewhere.end();
    }
    await eventually(() => isReady().then(() => true, () => undefined));
    assert.equal((await shop.get(LiveEntitiesBindings.REALTIME_SERVER)).status?.live, true);
  });

  it('lets the admin page look at the sockets, and shows it no secret', async () => {
    const client = await connected();
    const stranger = admin(shop, {username: 'admin', password: 'guess'});
    await once(stranger as never, 'connect_error');
    const visitor = admin(shop, {username: 'admin', password: 'admin'});
    const seen: unknown[] = [];
    visitor.onAny((...args: unknown[]) => seen.push(args));
    await once(visitor as never, 'server_stats');
    await client.call('login', {username: 'buyer', password: 'secret'});
    await client.call('subscribe', {ref: PAGE});
    await (await shop.categories()).create({id: 's', name: 'Shown to members'});
    await client.event('delta');
    await once(visitor as never, 'server_stats');
    assert.match(JSON.stringify(seen), /clientsCount/);
    assert.doesNotMatch(JSON.stringify(seen), /eyJ|secret|Shown to members/);
  });

  it('shows an admin page for development every event, and still no session', async () => {
    const auth = {username: 'admin', password: HASH};
    const other = new Shop(database, {adminUi: {auth, mode: 'development'}});
    await other.start();
    try {
      const client = await RawClient.connect(other.url);
      open.push(client);
      await client.call('login', {username: 'buyer', password: 'secret'});
      const visitor = admin(other, {username: 'admin', password: 'admin'});
      const [sockets] = (await once(visitor as never, 'all_sockets')) as [object[]];
      assert.match(JSON.stringify(sockets), new RegExp(client.socket.id!));
      assert.doesNotMatch(JSON.stringify(sockets), /eyJ|secret|principal/);
    } finally {
      await other.shutDown();
    }
  });

  it('says what is missing when the admin page is on and cannot be', () => {
    const auth = {username: 'admin', password: HASH};
    const missing = () => {
      throw Object.assign(new Error('Cannot find module'), {code: 'MODULE_NOT_FOUND'});
    };
    assert.throws(() => adminUi({auth}, missing), /npm install @socket\.io\/admin-ui/);
    const plain = {username: 'admin', password: 'in plain text'};
    assert.throws(() => adminUi({auth: plain}), /bcrypt hash/);
  });

  function admin(of: Shop, auth: object) {
    const socket = io(`${of.url}/admin`, {
      path: '/realtime', auth, transports: ['websocket'], forceNew: true, reconnection: false,
    });
    open.push({close: () => socket.disconnect()});
    return socket;
  }

  async function connected(): Promise<RawClient> {
    const client = await RawClient.connect(shop.url);
    open.push(client);
    return client;
  }

  async function metrics(): Promise<Map<string, number>> {
    const text = await (await fetch(`${shop.url}/metrics`)).text();
    const lines = text.split('\n').filter(line => line && !line.startsWith('#'));
    return new Map(lines.map(line => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }));
  }
});

/** Asks until there is an answer; mocha's timeout bounds it. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise(resolve => setImmediate(resolve));
  }
}
