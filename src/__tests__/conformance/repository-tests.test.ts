import {givenPostgres18} from '../support/databases';
import {givenMariaDatabase} from '../support/mariadb';
import {loopbacksOwnSuite, type Differences, type EmptyDatabase} from './repository-tests.suite';

const SQL = {
  idType: 'number',
  freeFormProperties: false,
  emptyValue: null,
  supportsTransactions: true,
} as const;

const nulls =
  'what a replace leaves out is null: a write on condition can set values, not take them away';

const LEFT_NULL: Differences = {
  'replaces all model properties (using model instance as data)': nulls,
  'replaces all model properties (using plain data object)': nulls,
  'returns inclusions after running save() operation': nulls,
  'returns inclusions after running replaceById() operation': nulls,
};

describe("LoopBack's own repository tests", function () {
  this.timeout(60_000);

  describe('on the memory connector', () => {
    loopbacksOwnSuite({
      settings: {connector: 'memory'},
      features: {idType: 'number', supportsTransactions: false},
      differences: LEFT_NULL,
    });
  });

  describe('on PostgreSQL 18', () => {
    loopbacksOwnSuite({
      settings: {connector: 'postgresql', onError: 'ignore'},
      features: SQL,
      givenDatabase: async () => {
        const database = await (await givenPostgres18()).createDatabase('repository_tests');
        return withSecond(database, ' WITH (FORCE)');
      },
    });
  });

  describe('on MariaDB', () => {
    loopbacksOwnSuite({
      settings: {connector: 'mysql'},
      features: SQL,
      givenDatabase: async () => {
        const database = await givenMariaDatabase('repository_tests');
        return database && withSecond(database);
      },
    });
  });
});

interface Database {
  readonly config: {readonly database: string};
  query(sql: string): Promise<unknown>;
  drop(): Promise<void>;
}

/** The suite opens a second database beside the first, by the first's name and `_new`. */
async function withSecond(database: Database, force = ''): Promise<EmptyDatabase> {
  const second = `${database.config.database}_new`;
  await database.query(`CREATE DATABASE ${second}`);
  return {
    settings: database.config,
    drop: async () => {
      await database.query(`DROP DATABASE ${second}${force}`);
      await database.drop();
    },
  };
}
