import assert from 'node:assert/strict';
import {givenPostgres15, givenPostgres18, startPostgres18} from '../support/databases';

describe('test databases', function () {
  this.timeout(60_000);

  it('gives a PostgreSQL 18 that decodes its log and orders text by code point', async () => {
    const server = await givenPostgres18();
    const database = await server.createDatabase('support');
    const [row] = await database.query(`
      SELECT current_setting('wal_level') AS wal_level, datcollate,
             current_setting('server_version_num')::int / 10000 AS version
      FROM pg_database WHERE datname = current_database()`);
    assert.deepEqual(row, {wal_level: 'logical', datcollate: 'C', version: 18});
    await database.drop();
  });

  it('shows the statements that the server logged', async () => {
    const server = await givenPostgres18();
    const database = await server.createDatabase({name: 'support', logStatements: true});
    await database.query("SELECT 'logged\nas it is'");
    const entries = (await server.readLog()).filter(entry => entry.includes("'logged"));
    assert.equal(entries.length, 1);
    assert.match(entries[0], /LOG: {2}statement: SELECT 'logged\n\tas it is'$/);
    await database.drop();
  });

  it('keeps the data of a server that was stopped and started again', async () => {
    const server = await startPostgres18();
    const database = await server.createDatabase();
    await database.query('CREATE TABLE kept (id int)');
    await server.stop();
    await assert.rejects(database.query('SELECT 1'));
    await server.start();
    assert.deepEqual(await database.query('SELECT * FROM kept'), []);
    await server.remove();
  });

  it('gives databases on PostgreSQL 15 where there is one', async function () {
    const server = await givenPostgres15();
    if (server === undefined) return this.skip();
    const database = await server.createDatabase('support');
    assert.equal((await database.query('SELECT 1 AS one'))[0].one, 1);
    await database.drop();
  });
});
