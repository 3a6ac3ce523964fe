import assert from 'node:assert/strict';
import {EVERYTHING} from '../../../core/query';
import {visibilityOf} from '../../../adapters/postgres/snapshot';
import {createPostgresLive} from '../../../adapters/postgres/live';
import {givenPostgres18} from '../../support/databases';
import {givenLiveDatabase, SILENT} from '../../support/live-database';

const ALL = {
  entity: 'Product',
  condition: EVERYTHING,
  order: [{property: 'name', descending: true}, {property: 'id', descending: false}],
} as const;

describe('the PostgreSQL row source', function () {
  this.timeout(60_000);

  it('reads rows, count, snapshot and mark in one named statement', async () => {
    const server = await givenPostgres18();
    const world = await givenLiveDatabase(server, {logStatements: true});
    await world.products.createAll(['a', 'b', 'c'].map(id => ({id})));
    const from = (await server.readLog()).length;
    const {rows, total} = await world.live.source.read(ALL, 2, true);
    assert.deepEqual([rows.length, total], [2, 3]);
    const {database} = world.database.config;
    const statements = (await server.readLog()).slice(from)
      .filter(entry => entry.includes(database) && / (statement|execute .*):/.test(entry));
    assert.equal(statements.length, 1, statements.join('\n'));
    assert.match(statements[0], /LOG: {2}execute live_\w+:/);
    await world.drop();
  });

  it('keeps a value that looks like SQL a value', async () => {
    const world = await givenLiveDatabase(await givenPostgres18());
    const hostile = `'; DROP TABLE product; --`;
    await world.products.create({id: hostile, name: '"$1'});
    const condition = {kind: 'compare', property: 'id', operator: 'inq', value: [hostile]} as const;
    const {rows} = await world.live.source.read({...ALL, condition}, 10, true);
    assert.equal(rows[0].values.name, '"$1');
    await world.drop();
  });

  it('goes on reading when a column has got another type', async () => {
    const world = await givenLiveDatabase(await givenPostgres18());
    await world.products.create({id: 'x', qty: 1});
    // Once on every connection that may be used later.
    const reading = () => Array.from({length: 8}, () => world.live.source.read(ALL, 10, true));
    await Promise.all(reading());
    await world.database.query('ALTER TABLE product ALTER COLUMN qty TYPE bigint');
    const results = await Promise.all(reading());
    assert.deepEqual(results.map(({rows}) => rows[0].raw.qty), Array(8).fill('1'));
    const {qty} = JSON.parse(JSON.stringify(await world.products.findById('x'))) as {qty: unknown};
    assert.deepEqual(results.map(({rows}) => rows[0].values.qty), Array(8).fill(qty));
    await world.drop();
  });

  it('reads a table and columns whose names need quoting, by the connection of a URL', async () => {
    const world = await givenLiveDatabase(await givenPostgres18());
    await world.database.query(`CREATE SCHEMA "My Shop"`);
    await world.database.query(`CREATE TABLE "My Shop"."Pro""duct" AS SELECT * FROM product`);
    await world.database.query(`INSERT INTO "My Shop"."Pro""duct" (id) VALUES ('x')`);
    const {modelClass} = world.products;
    modelClass.definition.settings!.postgresql = {schema: 'My Shop', table: 'Pro"duct'};
    const {connector} = world.dataSource;
    const settings = {url: `${world.database.url}?options=-c%20statement_timeout%3D5s`};
    const dataSource = {settings, connector};
    const live = await createPostgresLive({dataSource, models: [modelClass], logger: SILENT});
    const {rows} = await live.source.read(ALL, 10, true);
    assert.deepEqual(rows.map(({key}) => key), ['x']);
    await live.close();
    delete modelClass.definition.settings!.postgresql;
    await world.drop();
  });
});

describe('a snapshot', () => {
  it('sees what ended before it, and not what was under way or came later', () => {
    const sees = visibilityOf('100:105:101,103');
    const seen = [99, 100, 101, 102, 103, 104, 105, 106].filter(sees);
    assert.deepEqual(seen, [99, 100, 102, 104]);
  });

  it('compares ids across the wraparound of 32 bits, both ways', () => {
    const epoch = 2n ** 32n;
    const justAfter = visibilityOf(`${7n * epoch + 5n}:${7n * epoch + 10n}:${7n * epoch + 7n}`);
    assert.equal(justAfter(2 ** 32 - 1), true, 'of the epoch before');
    assert.equal(justAfter(7), false);
    assert.equal(justAfter(8), true);
    assert.equal(justAfter(10), false);
    const justBefore = visibilityOf(`${8n * epoch - 3n}:${8n * epoch - 1n}:`);
    assert.equal(justBefore(2 ** 32 - 4), true);
    assert.equal(justBefore(2), false, 'of the epoch after');
  });
});
