import {givenPostgres15, givenPostgres18, type PostgresServer} from '../support/databases';
import {leftOut} from '../support/left-out';
import {givenLiveDatabase} from '../support/live-database';
import {itDeliversCommittedTransactions} from './feed.suite';

const SERVERS: [string, () => Promise<PostgresServer | undefined>][] = [
  ['PostgreSQL 18', givenPostgres18],
  ['PostgreSQL 15', givenLogical15],
];

for (const [title, given] of SERVERS) {
  describe(`the feed of the log of ${title}, as a change feed`, () => {
    itDeliversCommittedTransactions(async () => {
      const server = await given();
      if (!server) return undefined;
      const {live, database, products, categories, drop} = await givenLiveDatabase(server);
      const {feed, shapes} = live;
      return {feed, shapes, products, categories, drop, sql: text => database.query(text)};
    });
  });
}

/** The PostgreSQL 15 of the tests need not log what logical decoding needs. */
async function givenLogical15(): Promise<PostgresServer | undefined> {
  const server = await givenPostgres15();
  const database = await server?.createDatabase('level');
  if (!server || !database) return undefined;
  const [{wal_level: level}] = await database.query('SHOW wal_level');
  await database.drop();
  if (level === 'logical') return server;
  leftOut('The feed on PostgreSQL 15', `its wal_level is ${String(level)}`);
  return undefined;
}
