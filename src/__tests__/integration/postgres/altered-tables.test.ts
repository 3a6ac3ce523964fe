import assert from 'node:assert/strict';
import type {Change} from '../../../core/change';
import {givenPostgres18} from '../../support/databases';
import {givenLiveDatabase, SILENT, type LiveDatabase} from '../../support/live-database';
import {Recorder} from '../../support/recorder';

const PRODUCTS_ANEW: Change = {kind: 'truncate', entity: 'Product'};
const CATEGORIES_ANEW: Change = {kind: 'truncate', entity: 'Category'};

describe('the PostgreSQL feed, when rows are changed by altering their table', function () {
  this.timeout(60_000);
  let world: LiveDatabase;
  let recorder: Recorder;
  let warnings: string[];
  const sql = (text: string, parameters?: unknown[]) => world.database.query(text, parameters);

  beforeEach(async () => {
    warnings = [];
    const logger = {...SILENT, warn: (message: string) => void warnings.push(message)};
    world = await givenLiveDatabase(await givenPostgres18(), {logger});
    recorder = new Recorder();
  });
  afterEach(() => world.drop());

  const started = () => world.live.feed.start(world.live.shapes, recorder);

  /** All changes that checking now brings, up to one that comes after them. */
  const changesByChecking = async () => {
    recorder.forget();
    await world.live.feed.check();
    await world.categories.create({id: `end ${++ends}`});
    await recorder.upTo(`end ${ends}`);
    assert.deepEqual(recorder.events, []);
    return recorder.transactions.flatMap(({changes}) => changes).slice(0, -1);
  };
  let ends = 0;

  it('says nothing of tables that are as they were', async () => {
    await started();
    await world.products.create({id: 'a', qty: 1});
    await sql('ALTER TABLE product ADD COLUMN colour text');
    await sql('CREATE INDEX ON product (qty)');
    await sql('ANALYZE product');
    assert.deepEqual(await changesByChecking(), []);
  });

  it('has a table read anew that was written anew', async () => {
    await world.products.create({id: 'a', qty: 2});
    await started();
    await sql('ALTER TABLE product ALTER qty TYPE integer USING qty * 10');
    assert.deepEqual(await changesByChecking(), [PRODUCTS_ANEW]);
    assert.deepEqual(await changesByChecking(), []);
    assert.deepEqual(warnings, []);
  });

  it('lets the snapshots of before the alteration know, and none of afterwards', async () => {
    const {source, feed} = world.live;
    const query = {
      entity: 'Product',
      condition: {kind: 'and', parts: []} as const,
      order: [{property: 'id', descending: false}],
    };
    await started();
    const old = await source.read(query, 10, false);
    await sql('ALTER TABLE product ALTER qty TYPE integer USING qty * 10');
    await feed.check();
    const isWord = ({changes}: {changes: readonly Change[]}) => changes.length > 0;
    await recorder.until(() => recorder.transactions.some(isWord));
    const {id} = recorder.transactions.find(isWord)!;
    assert.equal(old.sees(id), false);
    assert.equal((await source.read(query, 10, false)).sees(id), true);
  });

  it('has a partitioned table read anew when a partition is emptied', async () => {
    await givenPartitions();
    await started();
    await sql('TRUNCATE product_a');
    assert.deepEqual(await changesByChecking(), [PRODUCTS_ANEW]);
    assert.deepEqual(await changesByChecking(), []);
  });

  it('has a partitioned table read anew when a partition goes or comes', async () => {
    await givenPartitions();
    await started();
    await sql('ALTER TABLE product DETACH PARTITION product_b');
    assert.deepEqual(await changesByChecking(), [PRODUCTS_ANEW]);
    assert.deepEqual(await changesByChecking(), []);
    await sql(`ALTER TABLE product ATTACH PARTITION product_b FOR VALUES IN ('b')`);
    assert.deepEqual(await changesByChecking(), [PRODUCTS_ANEW]);
    assert.deepEqual(await changesByChecking(), []);
  });

  it('has all tables read anew that were altered', async () => {
    await started();
    await sql('VACUUM FULL product');
    await sql('VACUUM FULL category');
    assert.deepEqual(await changesByChecking(), [PRODUCTS_ANEW, CATEGORIES_ANEW]);
    assert.deepEqual(await changesByChecking(), []);
  });

  it('has a table read anew whose enum got other names, and warns', async () => {
    await sql(`CREATE TYPE mood AS ENUM ('glad', 'sad');
      ALTER TABLE product ALTER name TYPE mood USING name::mood`);
    await started();
    await sql(`ALTER TYPE mood RENAME VALUE 'glad' TO 'happy'`);
    assert.deepEqual(await changesByChecking(), [PRODUCTS_ANEW]);
    assert.match(warnings.join(), /columns of Product were altered/);
  });

  it('has a table read anew with the first change that shows other types', async () => {
    await started();
    await world.products.create({id: 'a', qty: 1});
    await sql('ALTER TABLE product ALTER qty TYPE bigint USING qty * 10');
    await sql(`INSERT INTO product (id) VALUES ('b')`);
    const [first, second] = await recorder.upTo('b');
    assert.deepEqual(first.changes.map(({kind}) => kind), ['insert']);
    assert.deepEqual(second.changes.map(({kind}) => kind), ['truncate', 'insert']);
    assert.equal(second.changes[0].entity, 'Product');
  });

  async function givenPartitions(): Promise<void> {
    await sql(`DROP TABLE product;
      CREATE TABLE product (id text PRIMARY KEY, name text, qty int, description text,
        categoryid text) PARTITION BY LIST (id);
      CREATE TABLE product_a PARTITION OF product FOR VALUES IN ('a');
      CREATE TABLE product_b PARTITION OF product FOR VALUES IN ('b');
      INSERT INTO product (id) VALUES ('a'), ('b')`);
  }
});
