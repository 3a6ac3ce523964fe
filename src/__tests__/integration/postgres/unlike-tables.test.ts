import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {createPostgresLive} from '../../../adapters/postgres/live';
import {givenPostgres18, startPostgres18} from '../../support/databases';
import {givenLiveDatabase, SILENT, type LiveDatabase} from '../../support/live-database';
import {Recorder} from '../../support/recorder';

const COLUMNS = 'id text PRIMARY KEY, name text, qty int, description text, categoryid text';

describe('the PostgreSQL feed and a publication that others change', function () {
  this.timeout(60_000);
  let world: LiveDatabase;
  let recorder: Recorder;
  const sql = (text: string, parameters?: unknown[]) => world.database.query(text, parameters);

  beforeEach(async () => {
    world = await givenLiveDatabase(await givenPostgres18());
    recorder = new Recorder();
    await world.live.feed.start(world.live.shapes, recorder);
  });
  afterEach(() => world.drop());

  const publication = () => world.live.feed.status().publication!;

  const changes: Record<string, () => string> = {
    'drops it': () => `DROP PUBLICATION ${publication()}`,
    'takes a table out of it': () => `ALTER PUBLICATION ${publication()} DROP TABLE product`,
    'leaves updates out of it': () => `ALTER PUBLICATION ${publication()} SET (publish = 'insert')`,
    'gives it a row filter': () =>
      `ALTER PUBLICATION ${publication()} SET TABLE category, product WHERE (qty > 5)`,
    'gives it a list of columns': () => {
      const all = 'id, name, qty, description, categoryid';
      return `ALTER PUBLICATION ${publication()} SET TABLE category, product (${all})`;
    },
    'has partitions under their own names': () =>
      `ALTER PUBLICATION ${publication()} SET (publish_via_partition_root = false)`,
    'leaves computed columns out of it': () =>
      `ALTER PUBLICATION ${publication()} SET (publish_generated_columns = none)`,
  };
  for (const [what, statement] of Object.entries(changes)) {
    it(`puts it right when somebody ${what}`, async () => {
      await sql(statement());
      await world.live.feed.check();
      await recorder.until(() => recorder.events.includes('resumed'));
      await world.products.create({id: 'a', qty: 1});
      await world.products.updateById('a', {qty: 2});
      await recorder.until(() => recorder.changesOf('a').length === 2);
      recorder.forget();
      await world.live.feed.check();
      await world.products.create({id: 'b'});
      await recorder.upTo('b');
      assert.deepEqual(recorder.events, [], 'it is right now');
    });
  }
});

describe('the PostgreSQL feed and tables that the log does not tell of', function () {
  this.timeout(60_000);
  let world: LiveDatabase;
  const sql = (text: string, parameters?: unknown[]) => world.database.query(text, parameters);

  beforeEach(async () => (world = await givenLiveDatabase(await givenPostgres18())));
  afterEach(() => world.drop());

  it('refuses an unlogged table', async () => {
    await sql('ALTER TABLE product SET UNLOGGED');
    await assert.rejects(start(), {
      code: 'TABLE_NOT_LOGGED', message: /ALTER TABLE product SET LOGGED/,
    });
  });

  it('refuses an unlogged partition', async () => {
    await sql(`DROP TABLE product; CREATE TABLE product (${COLUMNS}) PARTITION BY LIST (id);
      CREATE UNLOGGED TABLE product_a PARTITION OF product FOR VALUES IN ('a')`);
    await assert.rejects(start(), {
      code: 'TABLE_NOT_LOGGED', message: /ALTER TABLE product_a SET LOGGED/,
    });
  });

  it('refuses a partition that is in another database', async () => {
    await sql(`DROP TABLE product;
      CREATE TABLE product (${COLUMNS.replace(' PRIMARY KEY', '')}) PARTITION BY LIST (id);
      CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
      CREATE FOREIGN TABLE product_a PARTITION OF product FOR VALUES IN ('a') SERVER s`);
    await assert.rejects(start(), {code: 'TABLE_NOT_LOGGED', message: /product_a .*foreign table/});
  });

  it('stops when an unlogged partition comes, and goes on when it is logged', async () => {
    await sql(`DROP TABLE product; CREATE TABLE product (${COLUMNS}) PARTITION BY LIST (id)`);
    const {feed, shapes} = world.live;
    const recorder = new Recorder();
    await feed.start(shapes, recorder);
    await sql(`CREATE UNLOGGED TABLE product_a PARTITION OF product FOR VALUES IN ('a')`);
    await feed.check();
    assert.equal(feed.status().state, 'interrupted');
    assert.match(String(feed.status().error), /product_a/);
    await sql('ALTER TABLE product_a SET LOGGED');
    await recorder.until(() => recorder.events.includes('resumed'));
    await sql(`INSERT INTO product (id) VALUES ('a')`);
    await recorder.upTo('a');
  });

  for (const [kind, create] of Object.entries({
    'a view': `CREATE VIEW product AS SELECT * FROM elsewhere`,
    'a materialized view': `CREATE MATERIALIZED VIEW product AS SELECT * FROM elsewhere`,
    'a foreign table': `CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
      CREATE FOREIGN TABLE product (${COLUMNS.replace('PRIMARY KEY', '')}) SERVER s`,
  })) {
    it(`says that ${kind} has no changes of its own`, async () => {
      await sql(`ALTER TABLE product RENAME TO elsewhere; ${create}`);
      await assert.rejects(start(), {
        code: 'NOT_A_TABLE', message: new RegExp(`Product: "public"."product" is ${kind}`),
      });
    });
  }

  it('refuses a table from which others inherit', async () => {
    await sql('CREATE TABLE gadget () INHERITS (product)');
    await assert.rejects(start(), {code: 'TABLE_INHERITED', message: /gadget/});
  });

  it('refuses a table that the role may not read', async () => {
    const role = await givenOwner();
    await sql(`REVOKE ALL ON product FROM ${role.name}`);
    await assert.rejects(start(role.settings), {
      code: 'ROLE_LACKS_PRIVILEGE', message: /run: GRANT SELECT ON product/,
    });
    await role.drop();
  });

  it('refuses a table of which row security hides rows from the role', async () => {
    await sql('ALTER TABLE product ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
    const role = await givenOwner();
    await assert.rejects(start(role.settings), {
      code: 'ROW_SECURITY_ACTIVE', message: /product.*BYPASSRLS/,
    });
    await sql(`ALTER ROLE ${role.name} BYPASSRLS`);
    await start(role.settings);
    await role.drop();
  });

  it('stops when row security begins to hide rows from the role', async () => {
    const role = await givenOwner();
    const recorder = new Recorder();
    const {feed, close} = await start(role.settings, recorder, 'keep');
    await sql('ALTER TABLE product ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
    await feed.check();
    assert.equal(feed.status().state, 'interrupted');
    assert.match(String(feed.status().error), /row security/i);
    await sql('ALTER TABLE product NO FORCE ROW LEVEL SECURITY');
    await recorder.until(() => recorder.events.includes('resumed'));
    await close();
    await role.drop();
  });

  it('follows a table in another schema, beside one of the same name', async () => {
    await sql(`CREATE SCHEMA shop; CREATE TABLE shop.category (id text PRIMARY KEY, name text)`);
    const {dataSource} = world;
    const Elsewhere = dataSource.createModel('Elsewhere', {
      id: {type: 'string', id: true}, name: {type: 'string'},
    }, {postgresql: {schema: 'shop', table: 'category'}});
    const models = [Elsewhere as never, world.categories.modelClass];
    const live = await createPostgresLive({dataSource, models, logger: SILENT});
    const recorder = new Recorder();
    await live.feed.start(live.shapes, recorder);
    await sql(`INSERT INTO shop.category VALUES ('a', 'A')`);
    await sql(`INSERT INTO public.category VALUES ('b', 'B')`);
    await recorder.upTo('b');
    const changes = recorder.transactions.flatMap(each => each.changes);
    assert.deepEqual(changes.map(({entity}) => entity), ['Elsewhere', 'Category']);
    await live.feed.check();
    assert.equal(live.feed.status().state, 'live');
    await live.close();
  });

  /** Starts a feed of products, and stops it again unless it is to be kept. */
  async function start(settings: object = {}, recorder = new Recorder(), keep?: 'keep') {
    const {dataSource} = world;
    const models = [world.products.modelClass];
    const {connector} = dataSource;
    const given = {settings: {...dataSource.settings, ...settings}, connector};
    const live = await createPostgresLive({dataSource: given, models, logger: SILENT});
    try {
      await live.feed.start(live.shapes, recorder);
    } finally {
      if (!keep) await live.close();
    }
    return live;
  }

  /** A role that owns the tables and may do all that a feed needs, and no more. */
  async function givenOwner() {
    const name = `role_${randomBytes(6).toString('hex')}`;
    const {database} = world.database.config;
    await sql(`CREATE ROLE ${name} LOGIN REPLICATION PASSWORD 'x';
      GRANT CREATE ON DATABASE "${database}" TO ${name};
      ALTER TABLE product OWNER TO ${name}; ALTER TABLE category OWNER TO ${name}`);
    const drop = () => sql(`REASSIGN OWNED BY ${name} TO postgres; DROP OWNED BY ${name};
      DROP ROLE ${name}`);
    return {name, settings: {user: name, password: 'x'}, drop};
  }
});

describe('the PostgreSQL feed, where others have taken all slots', function () {
  this.timeout(60_000);

  it('says what to raise, and starts when there is room', async () => {
    const server = await startPostgres18();
    const world = await givenLiveDatabase(server);
    const {feed, shapes} = world.live;
    await world.database.query(`
      SELECT pg_create_physical_replication_slot('taken_' || n) FROM generate_series(1, 50) n`);
    await assert.rejects(feed.start(shapes, new Recorder()), {
      code: 'REPLICATION_SLOTS_EXHAUSTED', message: /raise max_replication_slots/,
    });
    await world.database.query(`SELECT pg_drop_replication_slot('taken_1')`);
    await feed.start(shapes, new Recorder());
    await world.drop();
    await server.remove();
  });
});
