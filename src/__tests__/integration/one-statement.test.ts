import assert from 'node:assert/strict';
import type {juggler} from '@loopback/repository';
import type {BehaviourName} from '../../mixins/behaviour';
import {
  ALL,
  givenItems,
  givenPostgresSource,
  subsetsOf,
  type ItemRepository,
} from '../support/behaviours';
import {givenPostgres18, type Postgres18, type TestDatabase} from '../support/databases';

describe('a write with behaviours, in the log of PostgreSQL', function () {
  this.timeout(60_000);
  let server: Postgres18;
  let database: TestDatabase;
  let dataSource: juggler.DataSource;
  let items: ItemRepository;
  let markers = 0;

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

  type WriteOne = (items: ItemRepository, id: string, version?: string) => Promise<unknown>;

  const creates: Record<string, WriteOne> = {
    create: (repo, id) => repo.create({id, name: 'one', secret: 's'}),
    createAll: (repo, id) =>
      repo.createAll([{id, name: 'one', secret: 's'}, {id: `${id}2`, name: 'two'}]),
  };
  const changes: Record<string, WriteOne> = {
    updateById: (repo, id, version) => repo.updateById(id, {name: 'x', secret: 't'}, {version}),
    replaceById: (repo, id, version) => repo.replaceById(id, {name: 'x', secret: 't'}, {version}),
    deleteById: (repo, id, version) => repo.deleteById(id, {version}),
    'deleteById for good': (repo, id, version) => repo.deleteById(id, {version, hard: true}),
    updateAll: (repo, id) => repo.updateAll({qty: 1}, both(id)),
    deleteAll: (repo, id) => repo.deleteAll(both(id)),
  };
  const ofDeleted: Record<string, WriteOne> = {
    restoreById: (repo, id) => repo.restoreById(id),
    restoreAll: (repo, id) => repo.restoreAll(both(id)),
    purge: (repo, id) => repo.purge(both(id)),
  };

  for (const subset of subsetsOf(ALL).filter(behaviours => behaviours.length > 0)) {
    it(`each write is one named statement with ${subset.join(', ')}`, async () => {
      const repo = await givenItems(dataSource, subset);
      await repo.create({id: 'warm', name: 'up', secret: 's'});
      for (const [name, write] of Object.entries(creates)) {
        await oneStatement(name, () => write(repo, name));
      }
      for (const [name, write] of Object.entries(changes)) {
        const {_version} = await repo.create({id: `${name}1`, name: 'one', secret: 's'});
        await repo.create({id: `${name}2`, name: 'two'});
        await oneStatement(name, () => write(repo, `${name}1`, _version));
        await keptOne(repo, subset, `${name}1`);
      }
      if (!subset.includes('softDelete')) return;
      for (const [name, write] of Object.entries(ofDeleted)) {
        const {_version} = await repo.create({id: `${name}1`, name: 'one', secret: 's'});
        await repo.deleteById(`${name}1`, {version: _version});
        await oneStatement(name, () => write(repo, `${name}1`));
      }
    });
  }

  async function oneStatement(name: string, write: () => Promise<unknown>): Promise<void> {
    const marker = `SELECT '${name} begins here, ${++markers}'`;
    await dataSource.execute(marker);
    await write();
    const statements = await statementsAfter(marker);
    assert.equal(statements.length, 1, `${name}:\n${statements.join('\n')}`);
    assert.match(statements[0], /LOG: {2}execute le_[0-9a-f]+: (INSERT|UPDATE|DELETE|WITH)/);
  }

  async function keptOne(repo: ItemRepository, subset: readonly BehaviourName[], id: string) {
    if (subset.includes('history')) assert.equal((await repo.history(id)).length, 1);
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

/** Rows 1 and 2. */
function both(id: string) {
  return {id: {inq: [id, `${id.slice(0, -1)}2`]}};
}
