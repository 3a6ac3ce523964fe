import assert from 'node:assert/strict';
import type {juggler} from '@loopback/repository';
import {ALL, givenItems, givenPostgresSource, type ItemRepository} from '../../support/behaviours';
import {givenPostgres18, type Postgres18, type TestDatabase} from '../../support/databases';

const MANY = 10_000;
const ROWS = Array.from({length: MANY}, (_, i) => ({id: `m${i}`, name: 'many', qty: 1}));

describe('many rows, with all five behaviours, in the log of PostgreSQL', function () {
  this.timeout(120_000);
  let server: Postgres18;
  let database: TestDatabase;
  let dataSource: juggler.DataSource;
  let items: ItemRepository;
  let markers = 0;

  before(async () => {
    server = await givenPostgres18();
    database = await server.createDatabase({name: 'many', logStatements: true});
    // Ten thousand rows of parameters would be most of the log.
    await database.query(
      `ALTER DATABASE "${database.config.database}" SET log_parameter_max_length = 0`,
    );
    dataSource = givenPostgresSource(database, {max: 1});
    items = await givenItems(dataSource, ALL);
    await items.create({id: 'warm', name: 'up', secret: 's'});
  });

  after(async () => {
    await dataSource.disconnect();
    await database.drop();
  });

  it('are created in as few statements as can be, in one transaction', async () => {
    const kinds = await statementsOf(async () => {
      assert.equal((await items.createAll(ROWS)).length, MANY);
    });
    const columns = Object.keys(items.modelClass.definition.properties).length;
    const parts = Math.ceil(MANY / Math.floor(65_535 / columns));
    const inserts = Array.from({length: parts}, () => 'INSERT');
    assert.deepEqual(kinds, ['BEGIN', 'SELECT', ...inserts, 'COMMIT']);
  });

  it('are changed, deleted and restored in one statement each', async () => {
    const writes = [
      () => items.updateAll({qty: 2}, {name: 'many'}),
      () => items.deleteAll({name: 'many'}),
      () => items.restoreAll({name: 'many'}),
    ];
    for (const write of writes) {
      const kinds = await statementsOf(async () => {
        assert.deepEqual(await write(), {count: MANY});
      });
      assert.deepEqual(kinds, ['WITH']);
    }
    assert.equal(await states(), 3 * MANY);
  });

  it('are checked and changed in one statement', async () => {
    const versions = await items.find({where: {name: 'many'}, fields: ['id', '_version']});
    const kinds = await statementsOf(async () => {
      assert.deepEqual(await items.updateAll({qty: 3}, {}, {versions}), {count: MANY});
    });
    assert.deepEqual(kinds, ['WITH']);
    const stale = await items.updateAll({qty: 4}, {}, {versions}).catch(error => error);
    assert.equal(stale.conflicts.length, MANY);
  });

  it('that have the values already are found out in one statement', async () => {
    const before = await states();
    const kinds = await statementsOf(async () => {
      assert.deepEqual(await items.updateAll({qty: 3}, {name: 'many'}), {count: MANY});
    });
    assert.deepEqual(kinds, ['WITH']);
    assert.equal(await states(), before);
  });

  it('go on counting where their ids were in use before', async () => {
    await items.deleteAll({name: 'many'}, {hard: true});
    await items.createAll(ROWS.slice(0, 100));
    await items.updateAll({qty: 9}, {id: 'm7'});
    const numbers = (await items.history('m7')).map(state => state._revision);
    assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6]);
  });

  it('a row that has the values already costs a second statement, which tells why', async () => {
    const {_version} = await items.create({id: 'same', name: 'one', qty: 1, tags: ['x']});
    const same = {name: 'one', qty: 1, tags: ['x'], _version};
    assert.deepEqual(await statementsOf(() => items.updateById('same', same)), ['WITH', 'SELECT']);
    assert.deepEqual(await items.history('same'), []);
  });

  it('states begin one after the other, even where the clock stands still', async () => {
    const table = items.entityClass.modelName.toLowerCase();
    await items.create({id: 'clock', name: 'one'});
    const ahead = "SET _validfrom = '2999-01-01' WHERE id = 'clock'";
    await database.query(`UPDATE "${table}" ${ahead}`);
    for (const qty of [1, 2]) await items.updateAll({qty}, {id: 'clock'});
    const states = await database.query(
      `SELECT to_char(_validfrom, 'US') AS a, to_char(_validto, 'US') AS b
       FROM "${table}history" WHERE _modelid = 'clock' ORDER BY _revision`,
    );
    assert.deepEqual(states, [{a: '000000', b: '000001'}, {a: '000001', b: '000002'}]);
  });

  async function states(): Promise<number> {
    const table = `${items.entityClass.modelName}history`.toLowerCase();
    const [{n}] = await database.query(`SELECT count(*)::int AS n FROM "${table}"`);
    return n as number;
  }

  /** The first words of what the server was sent meanwhile. */
  async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
    const marker = `SELECT 'begins here, ${++markers}'`;
    await dataSource.execute(marker);
    await work();
    const own = (await server.readLog()).filter(e => e.includes(`${database.config.database} `));
    const from = own.findIndex(entry => entry.includes(marker));
    assert.ok(from >= 0, 'the marker is not in the log');
    return own.slice(from + 1).flatMap(entry => {
      const kind = /LOG: {2}(?:execute [^:]+|statement): (\w+)/.exec(entry)?.[1];
      return kind ? [kind] : [];
    });
  }
});
