import type {juggler} from '@loopback/repository';
import {givenPostgresSource} from '../support/behaviours';
import {
  givenPostgres15,
  givenPostgres18,
  type PostgresServer,
  type TestDatabase,
} from '../support/databases';
import {behavioursSuite} from './behaviours.suite';

const servers: Record<string, () => Promise<PostgresServer | undefined>> = {
  'PostgreSQL 18': givenPostgres18,
  'PostgreSQL 15': givenPostgres15,
};

for (const [name, givenServer] of Object.entries(servers)) {
  describe(`behaviours on ${name}`, function () {
    this.timeout(60_000);
    let database: TestDatabase | undefined;
    let dataSource: juggler.DataSource;

    before(async function () {
      database = await (await givenServer())?.createDatabase('behaviours');
      if (!database) return this.skip();
      dataSource = givenPostgresSource(database);
    });

    after(async () => {
      await dataSource?.disconnect();
      await database?.drop();
    });

    behavioursSuite({
      dataSource: () => dataSource,
      transactions: {
        another: async () => givenPostgresSource(database!),
        retype: (modelName, type) =>
          `ALTER TABLE "${modelName.toLowerCase()}" ALTER COLUMN name TYPE ${type}`,
        duplicate: '23505',
        preparedPlans: true,
        outdated: '40001',
      },
      unique: {duplicate: '23505', among: 'live'},
      rawRows,
      crowd: 400,
    });

    async function rawRows(_: juggler.DataSource, modelName: string) {
      const rows = await database!.query(`SELECT * FROM "${modelName.toLowerCase()}"`);
      return rows;
    }
  });
}
