import type {juggler} from '@loopback/repository';
import {
  givenConnectedMariaSource,
  givenMariaDatabase,
  givenMariaSource,
  type MariaDatabase,
} from '../support/mariadb';
import {behavioursSuite} from './behaviours.suite';

describe('behaviours on MariaDB', function () {
  this.timeout(60_000);
  let database: MariaDatabase | undefined;
  let dataSource: juggler.DataSource;

  before(async function () {
    database = await givenMariaDatabase('behaviours');
    if (!database) return this.skip();
    dataSource = givenMariaSource(database);
  });

  after(async () => {
    await dataSource?.disconnect();
    await database?.drop();
  });

  behavioursSuite({
    dataSource: () => dataSource,
    transactions: {
      another: () => givenConnectedMariaSource(database!),
      retype: (modelName, type) => `ALTER TABLE \`${modelName}\` MODIFY name ${type}`,
      duplicate: 'ER_DUP_ENTRY',
      preparedPlans: false,
      outdated: 'CONCURRENT_WRITE',
    },
    unique: {duplicate: 'ER_DUP_ENTRY', among: 'all'},
    rawRows,
    crowd: 400,
  });

  async function rawRows(_: juggler.DataSource, modelName: string) {
    return database!.query(`SELECT * FROM \`${modelName}\``);
  }
});
