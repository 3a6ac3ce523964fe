import {spawn} from 'node:child_process';
import {once} from 'node:events';
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {Client} from 'pg';
import {imagesOf, type Change} from '../../../core/change';
import {createPostgresLive} from '../../../adapters/postgres/live';
import {givenPostgres15, givenPostgres18, startPostgres18} from '../../support/databases';
import {givenLiveDatabase, SILENT, type LiveDatabase} from '../../support/live-database';
import {Recorder} from '../../support/recorder';

describe('the PostgreSQL feed', function () {
  this.timeout(60_000);
  let world: LiveDatabase;
  let recorder: Recorder;
  const sql = (text: string, parameters?: unknown[]) => world.database.query(text, parameters);

  beforeEach(async () => {
    world = await givenLiveDatabase(await givenPostgres18());
    recorder = new Recorder();
  });
  afterEach(() => world.drop());

  const started = () => world.live.feed.start(world.live.shapes, recorder);

  it('delivers what another process wrote', async () => {
    await started();
    const script = `
      const client = new (require('pg').Client)(process.argv[1]);
      client.connect().then(() => client.query("INSERT INTO product (id) VALUES ('afar')"))
        .finally(() => client.end());`;
    const child = spawn(process.execPath, ['-e', script, world.database.url], {stdio: 'inherit'});
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 0);
    await recorder.upTo('afar');
  });

  it('keeps a large value that an update did not touch', async () => {
    await started();
    // Random, so that it is neither compressed nor kept in the row itself.
    const description = randomBytes(20_000).toString('hex');
    await world.products.create({id: 'large', description, qty: 1});
    await world.products.updateById('large', {qty: 2});
    await recorder.until(() => recorder.changesOf('large').length === 2);
    const {before, after} = images(recorder.changesOf('large')[1]);
    assert.equal(before?.values.description, description);
    assert.equal(after?.values.description, description);
    assert.equal(after?.values.qty, 2);
  });

  it('brings a mark with the transaction that left it, and not those of others', async () => {
    await started();
    const query = {entity: 'Product', condition: {kind: 'and', parts: []} as const, order: []};
    const order = [{property: 'id', descending: false}];
    await sql(`SELECT pg_logical_emit_message(true, 'somebody', 'else')`);
    const {mark} = await world.live.source.read({...query, order}, 10, false);
    await recorder.until(() => recorder.transactions.some(({marks}) => marks.includes(mark)));
    assert.deepEqual(recorder.transactions.map(({changes, marks}) => [changes, marks]),
      [[[], [mark]]]);
  });

  it('goes on after its connection was cut, and says so once', async () => {
    await started();
    await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_replication`);
    await recorder.until(() => recorder.events.includes('resumed'));
    await world.products.create({id: 'after the cut'});
    await recorder.upTo('after the cut');
    assert.deepEqual(recorder.events, ['interrupted', 'resumed']);
    assert.equal(world.live.feed.status().state, 'live');
  });

  it('takes a frozen server for gone, tells of the lag, and goes on with another', async () => {
    const frozen = await givenLiveDatabase(await givenPostgres18(), {silenceLimit: 600});
    await frozen.live.feed.start(frozen.live.shapes, recorder);
    const [{pid}] = await frozen.database.query(
      `SELECT pid FROM pg_stat_replication WHERE application_name = $1`,
      [frozen.live.feed.status().publication],
    );
    process.kill(Number(pid), 'SIGSTOP');
    try {
      await untilTrue(async () => (frozen.live.feed.status().lagMs ?? 0) >= 200);
      await recorder.until(() => recorder.events.includes('interrupted'));
      assert.match(String(frozen.live.feed.status().error), /silent for too long/);
      await recorder.until(() => recorder.events.includes('resumed'));
      await frozen.products.create({id: 'after the frost'});
      await recorder.upTo('after the frost');
      const {state, error, lagMs} = frozen.live.feed.status();
      assert.deepEqual([state, error], ['live', undefined]);
      assert.ok(lagMs! < 200, String(lagMs));
    } finally {
      process.kill(Number(pid), 'SIGCONT');
      // It has a slot in the database until it has noticed that nobody listens.
      await untilTrue(async () =>
        (await frozen.database.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [pid]))
          .length === 0);
      await frozen.drop();
    }
  });

  it('goes on after the server was stopped and started again', async () => {
    const server = await startPostgres18();
    const away = await givenLiveDatabase(server);
    await away.live.feed.start(away.live.shapes, recorder);
    await away.products.create({id: 'before'});
    await recorder.upTo('before');
    await server.stop();
    await recorder.until(() => recorder.events.length > 0);
    assert.equal(away.live.feed.status().state, 'interrupted');
    await server.start();
    await recorder.until(() => recorder.events.includes('resumed'));
    await away.products.create({id: 'afterwards'});
    await recorder.upTo('afterwards');
    assert.deepEqual(recorder.events, ['interrupted', 'resumed']);
    await away.live.close();
    await away.dataSource.disconnect();
    await server.remove();
  });

  it('stops within a second while the server is away', async () => {
    const server = await startPostgres18();
    const away = await givenLiveDatabase(server);
    await away.live.feed.start(away.live.shapes, recorder);
    await server.stop();
    await recorder.until(() => recorder.events.length > 0);
    const began = Date.now();
    await away.live.close();
    assert.ok(Date.now() - began < 1000, `took ${Date.now() - began} ms`);
    assert.equal(away.live.feed.status().state, 'stopped');
    await away.dataSource.disconnect();
    await server.remove();
  });

  it('stops within a second while an open transaction keeps it from starting', async () => {
    const other = await connected(world);
    await other.query('CREATE TABLE elsewhere (id text)');
    await other.query(`BEGIN; INSERT INTO elsewhere VALUES ('undecided')`);
    const starting = assert.rejects(started(), {code: 'CONNECTION_LOST'});
    await untilTrue(async () =>
      (await sql(`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE_REPLICATION_SLOT%'`))
        .length > 0);
    const began = Date.now();
    await world.live.feed.stop();
    await starting;
    assert.ok(Date.now() - began < 1000, `took ${Date.now() - began} ms`);
    await other.end();
  });

  it('waits for open transactions before it says that it has started', async () => {
    const other = await connected(world);
    await other.query('CREATE TABLE elsewhere (id text)');
    await other.query(`BEGIN; INSERT INTO elsewhere VALUES ('late')`);
    let isStarted = false;
    const starting = started().then(() => (isStarted = true));
    await untilTrue(async () =>
      (await sql(`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE_REPLICATION_SLOT%'`))
        .length > 0);
    assert.equal(isStarted, false);
    await other.query('COMMIT');
    await starting;
    await other.end();
  });

  it('leaves no slot behind', async () => {
    await started();
    const slots = 'SELECT 1 FROM pg_replication_slots WHERE database = current_database()';
    assert.equal((await sql(slots)).length, 1);
    await world.live.feed.stop();
    await untilTrue(async () => (await sql(slots)).length === 0);
  });

  it('tells the server how far it has come', async () => {
    await started();
    await world.products.create({id: 'noted'});
    await recorder.upTo('noted');
    const [{lsn}] = await sql('SELECT pg_current_wal_flush_lsn()::text AS lsn');
    await untilTrue(async () =>
      (await sql(`SELECT 1 FROM pg_replication_slots
        WHERE database = current_database() AND confirmed_flush_lsn >= $1::pg_lsn`, [lsn]))
        .length === 1);
  });

  it('says how much of the log is kept for it, and begins anew when it is too much', async () => {
    const narrow = await givenLiveDatabase(await givenPostgres18(), {maxLagBytes: 10_000});
    const {feed, shapes} = narrow.live;
    await feed.start(shapes, recorder);
    await feed.check();
    assert.ok(feed.status().lagBytes! >= 0 && feed.status().lagBytes! < 10_000);
    const description = randomBytes(20_000).toString('hex');
    const interrupted = recorder.until(() => recorder.events.includes('interrupted'))
      .then(() => feed.status().error as {code?: string});
    // Looked at before the feed has told the server how far it is.
    await Promise.all([
      narrow.products.create({id: 'large', description}),
      recorder.upTo('large').then(() => feed.check()),
    ]);
    assert.equal((await interrupted).code, 'LAG_TOO_LARGE');
    await recorder.until(() => recorder.events.includes('resumed'));
    assert.equal(feed.status().error, undefined);
    await narrow.products.create({id: 'goes on'});
    await recorder.upTo('goes on');
    await narrow.drop();
  });

  it('drops publications of before that nobody uses, and no others', async () => {
    const names = async () =>
      (await sql('SELECT pubname FROM pg_publication ORDER BY pubname')).map(row => row.pubname);
    await sql('CREATE PUBLICATION live_entities_0123abcd FOR TABLE product');
    await sql('CREATE PUBLICATION live_entities_of_mine FOR TABLE product');
    const models = [world.categories.modelClass];
    const {dataSource} = world;
    const older = await createPostgresLive({dataSource, models, logger: SILENT});
    await older.feed.start(older.shapes, new Recorder());
    const {publication} = older.feed.status();
    await started();
    const kept = [publication, world.live.feed.status().publication, 'live_entities_of_mine'];
    assert.deepEqual(await names(), kept.sort());
    await older.close();
  });

  it('follows a table whose definition changes', async () => {
    await started();
    await world.products.create({id: 'before', name: 'Bolt'});
    await sql(`ALTER TABLE product ADD COLUMN colour text DEFAULT 'red'`);
    await sql(`UPDATE product SET qty = 1`);
    await sql(`ALTER TABLE product DROP COLUMN description`);
    await sql(`INSERT INTO product (id, name, colour) VALUES ('after', 'Nut', 'blue')`);
    await recorder.upTo('after');
    assert.deepEqual(images(recorder.changesOf('before')[1]).after?.values,
      {id: 'before', name: 'Bolt', qty: 1, description: null, categoryId: null});
    assert.deepEqual(images(recorder.changesOf('after')[0]).after?.values,
      {id: 'after', name: 'Nut', qty: null, categoryId: null});
  });

  it('notices a table that was dropped and made again', async () => {
    await started();
    await world.dataSource.automigrate('Product');
    await world.live.feed.check();
    await recorder.until(() => recorder.events.includes('resumed'));
    await world.products.create({id: 'in the new table'});
    await world.products.updateById('in the new table', {qty: 1});
    await recorder.until(() => recorder.changesOf('in the new table').length === 2);
  });

  it('repairs a replica identity that somebody has taken away', async () => {
    await started();
    await sql('ALTER TABLE product REPLICA IDENTITY DEFAULT');
    await world.products.create({id: 'poor', qty: 1});
    await world.products.updateById('poor', {qty: 2});
    await recorder.until(() => recorder.events.includes('resumed'));
    await world.products.updateById('poor', {qty: 3});
    await recorder.until(() => recorder.changesOf('poor').length === 2);
    assert.equal(images(recorder.changesOf('poor')[1]).before?.values.qty, 2);
  });

  it('has every view read anew after a transaction that is too large to keep', async () => {
    const small = await givenLiveDatabase(await givenPostgres18(), {maxChangesPerTransaction: 10});
    await small.live.feed.start(small.live.shapes, recorder);
    await small.database.query(`INSERT INTO product SELECT 'p' || n FROM generate_series(1, 11) n`);
    await recorder.until(() => recorder.events.includes('resumed'));
    await small.products.create({id: 'small again'});
    assert.deepEqual((await recorder.upTo('small again')).length, 1);
    await small.drop();
  });

  it('delivers partitioned tables under their own name, new partitions too', async () => {
    await sql('DROP TABLE product');
    await sql(`CREATE TABLE product (id text, name text, qty int, description text, categoryid text,
      PRIMARY KEY (id)) PARTITION BY LIST (id)`);
    await sql(`CREATE TABLE product_a PARTITION OF product FOR VALUES IN ('a')`);
    await started();
    await sql(`INSERT INTO product (id, qty) VALUES ('a', 1)`);
    await sql(`UPDATE product SET qty = 2`);
    await recorder.until(() => recorder.changesOf('a').length === 2);
    assert.equal(images(recorder.changesOf('a')[1]).before?.values.qty, 1);
    await sql(`CREATE TABLE product_b PARTITION OF product FOR VALUES IN ('b')`);
    await sql(`INSERT INTO product (id, qty) VALUES ('b', 1)`);
    await sql(`UPDATE product SET qty = 2 WHERE id = 'b'`);
    await recorder.until(() => recorder.events.includes('resumed'));
    await sql(`UPDATE product SET qty = 3 WHERE id = 'b'`);
    await recorder.until(() => recorder.changesOf('b').length === 2);
  });

  it('lets several consumers of one database be', async () => {
    const models = [world.products.modelClass];
    const other = await createPostgresLive({
      dataSource: world.dataSource, models, name: 'other app', logger: SILENT,
    });
    const heard = new Recorder();
    await Promise.all([started(), other.feed.start(other.shapes, heard)]);
    await world.products.create({id: 'for both'});
    await Promise.all([recorder.upTo('for both'), heard.upTo('for both')]);
    await other.close();
    await world.products.create({id: 'for one'});
    await recorder.upTo('for one');
    assert.equal(heard.changesOf('for one').length, 0);
  });
});

describe('the PostgreSQL feed, where something is missing', function () {
  this.timeout(60_000);

  it('says how to set wal_level', async function () {
    const server = await givenPostgres15();
    if (server === undefined) return this.skip();
    const world = await givenLiveDatabase(server);
    const [{wal_level: level}] = await world.database.query('SHOW wal_level');
    if (level === 'logical') return this.skip();
    await assert.rejects(world.live.feed.start(world.live.shapes, new Recorder()),
      {code: 'WAL_LEVEL_NOT_LOGICAL', message: /set wal_level = logical/});
    await world.drop();
  });

  it('says which right the role lacks, one after the other', async () => {
    const world = await givenLiveDatabase(await givenPostgres18());
    const role = `role_${randomBytes(6).toString('hex')}`;
    await world.database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    for (const table of ['product', 'category']) {
      await world.database.query(`ALTER TABLE ${table} OWNER TO ${role}`);
    }
    const settings = {...world.database.config, user: role, password: 'x'};
    const models = [world.products.modelClass];
    const {connector} = world.dataSource;
    const dataSource = {settings, connector};
    const live = await createPostgresLive({dataSource, models, logger: SILENT});
    const start = () => live.feed.start(live.shapes, new Recorder());
    await assert.rejects(start(), {code: 'ROLE_LACKS_REPLICATION', message: /REPLICATION/});
    await world.database.query(`ALTER ROLE ${role} REPLICATION`);
    await assert.rejects(start(), {code: 'ROLE_LACKS_PRIVILEGE', message: /run: CREATE PUBLICATION/});
    const {database} = world.database.config;
    await world.database.query(`GRANT CREATE ON DATABASE "${database}" TO ${role}`);
    await start();
    await live.close();
    await world.database.query(`REASSIGN OWNED BY ${role} TO postgres; DROP OWNED BY ${role};
      DROP ROLE ${role}`);
    await world.drop();
  });

  it('says which table is missing', async () => {
    const world = await givenLiveDatabase(await givenPostgres18());
    await world.database.query('DROP TABLE product');
    const models = [world.products.modelClass];
    await assert.rejects(createPostgresLive({dataSource: world.dataSource, models}),
      {code: 'TABLE_NOT_FOUND', message: /Product: there is no table "public"."product"/});
    await world.drop();
  });

  it('refuses a property that the database computes and does not publish', async () => {
    const world = await givenLiveDatabase(await givenPostgres18());
    await world.database.query(`ALTER TABLE product DROP COLUMN name;
      ALTER TABLE product ADD name text GENERATED ALWAYS AS (upper(id)) VIRTUAL`);
    const models = [world.products.modelClass];
    const live = await createPostgresLive({dataSource: world.dataSource, models, logger: SILENT});
    await assert.rejects(live.feed.start(live.shapes, new Recorder()),
      {code: 'COLUMN_NOT_REPLICATED', message: /Product.name/});
    await live.close();
    await world.drop();
  });

  it('delivers a column that the database computes and stores', async () => {
    const world = await givenLiveDatabase(await givenPostgres18());
    await world.database.query(`ALTER TABLE product DROP COLUMN name;
      ALTER TABLE product ADD name text GENERATED ALWAYS AS (upper(id)) STORED`);
    const models = [world.products.modelClass];
    const live = await createPostgresLive({dataSource: world.dataSource, models, logger: SILENT});
    const recorder = new Recorder();
    await live.feed.start(live.shapes, recorder);
    await world.database.query(`INSERT INTO product (id) VALUES ('loud')`);
    await recorder.upTo('loud');
    assert.equal(images(recorder.changesOf('loud')[0]).after?.values.name, 'LOUD');
    await live.close();
    await world.drop();
  });
});

function images(change: Change) {
  assert.notEqual(change.kind, 'truncate');
  return imagesOf(change as Exclude<Change, {kind: 'truncate'}>);
}

async function connected({database}: LiveDatabase): Promise<Client> {
  const client = new Client(database.url);
  await client.connect();
  return client;
}

/** For what the server tells nobody about: asks until it is so. */
async function untilTrue(question: () => Promise<boolean>): Promise<void> {
  while (!(await question())) await new Promise(wake => setTimeout(wake, 5));
}
