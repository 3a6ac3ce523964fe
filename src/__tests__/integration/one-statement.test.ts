import assert from 'node:assert/strict';
import type {juggler} from '@loopback/repository';
import {ALL, givenItems, givenPostgresSource, type ItemRepository} from '../support/behaviours';
import {givenPostgres18, type Postgres18, type TestDatabase} from '../support/databases';

describe('a write with all five behaviours, in the log of PostgreSQL', function () {
  this.timeout(60_000);
  let server: Postgres18;
  let database: TestDatabase;
  let dataSource: juggler.DataSource;
  let items: ItemRepository;

  before(async () => {
    server = await givenPostgres18();
    database = await server.createDatabase({name: 'one_statement', logStatements: true});
    dataSource = givenPostgresSource(database, {max: 1});
    items = await givenItems(dataSource, ALL);
    await items.create({id: 'warm', name: 'up', secret: 's'});
  });

  after(async () => {
    await dataSource.disconnect();
    await database.drop();
  });

  const writes: Record<string, (id: string, version?: string) => Promise<unknown>> = {
    create: id => items.create({id, name: 'one', secret: 's'}),
    createAll: id => items.createAll([{id, name: 'one', secret: 's'}, {id: `${id}2`, name: 'two'}]),
    updateById: (id, version) => items.updateById(id, {name: 'x', secret: 't'}, {version}),
    replaceById: (id, version) => items.replaceById(id, {name: 'x', secret: 't'}, {version}),
    deleteById: (id, version) => items.deleteById(id, {version}),
    'deleteById for good': (id, version) => items.deleteById(id, {version, hard: true}),
    updateAll: id => items.updateAll({qty: 1}, {id}),
    deleteAll: id => items.deleteAll({id}),
  };

  for (const [name, write] of Object.entries(writes)) {
    it(`${name} is one named statement`, async () => {
      const id = name;
      const creates = name.startsWith('create');
      const existing = creates ? undefined : await items.create({id, name: 'one', secret: 's'});
      const marker = `SELECT '${name} begins here'`;
      await dataSource.execute(marker);
      await write(id, existing?._version);
      const statements = await statementsAfter(marker);
      assert.equal(statements.length, 1, statements.join('\n'));
      assert.match(statements[0], /LOG: {2}execute le_[0-9a-f]+: (INSERT|UPDATE|DELETE|WITH)/);
      const kept = await items.history(id);
      assert.equal(kept.length, creates ? 0 : 1);
    });
  }

  it('names the same text the same, and plans it once a connection', async () => {
    for (const id of ['n1', 'n2', 'n3']) await items.create({id, name: 'one', secret: 's'});
    const [{plans}] = (await dataSource.execute(
      `SELECT generic_plans + custom_plans AS plans FROM pg_prepared_statements
       WHERE statement LIKE 'INSERT INTO%' ORDER BY 1 DESC LIMIT 1`,
    )) as {plans: string}[];
    assert.ok(Number(plans) >= 3);
  });

  it('does without names where a pooler cannot keep them', async () => {
    const unnamed = givenPostgresSource(database, {namedStatements: false});
    const others = await givenItems(unnamed, ALL);
    const marker = "SELECT 'unnamed begins here'";
    await unnamed.execute(marker);
    await others.create({id: 'u', name: 'one', secret: 's'});
    const statements = await statementsAfter(marker);
    assert.ok(statements.some(s => /execute <unnamed>: INSERT/.test(s)), statements.join('\n'));
    assert.ok(!statements.some(s => /execute le_/.test(s)));
    await unnamed.disconnect();
  });

  it('never shows a plaintext to the server', async () => {
    const secret = 'a plaintext that nobody may see';
    const {_version} = await items.create({id: 'p', name: 'one', secret});
    await items.updateById('p', {secret: `${secret} again`, _version});
    assert.equal((await items.findById('p')).secret, `${secret} again`);
    const log = (await server.readLog()).join('\n');
    assert.ok(!log.includes(secret));
  });

  async function statementsAfter(marker: string): Promise<string[]> {
    const log = (await server.readLog()).filter(e => e.includes(`${database.config.database} `));
    const from = log.findIndex(entry => entry.includes(marker));
    assert.ok(from >= 0, 'the marker is not in the log');
    return log.slice(from + 1).filter(entry => /LOG: {2}(execute|statement)/.test(entry));
  }
});
