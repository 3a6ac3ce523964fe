import type {juggler} from '@loopback/repository';
import {givenMemory, givenPostgresSource} from '../support/behaviours';
import {givenPostgres15, givenPostgres18, type PostgresServer} from '../support/databases';
import {givenLibrary, type Library} from '../support/library';
import {givenMariaDatabase, givenMariaSource} from '../support/mariadb';
import {childrenSuite} from './embedded/children';
import {originalSuite} from './embedded/original';

interface Place {
  readonly dataSource: juggler.DataSource;
  remove(): Promise<void>;
}

const places: Record<string, {given(): Promise<Place | undefined>; crowd: number}> = {
  memory: {given: async () => ({dataSource: givenMemory(), remove: async () => {}}), crowd: 20},
  'PostgreSQL 18': {given: () => postgres(givenPostgres18()), crowd: 100},
  'PostgreSQL 15': {given: () => postgres(givenPostgres15()), crowd: 100},
  MariaDB: {given: maria, crowd: 30},
};

for (const [name, {given, crowd}] of Object.entries(places)) {
  describe(`embedded entities on ${name}`, function () {
    this.timeout(60_000);
    let place: Place | undefined;
    let library: Library;

    before(async function () {
      place = await given();
      if (!place) return this.skip();
      library = await givenLibrary(place.dataSource);
    });
    after(async () => {
      await place?.dataSource.disconnect();
      await place?.remove();
    });

    describe('the examples of oe-common-mixins', () => originalSuite(() => library.books));
    childrenSuite({library: () => library, transactions: name !== 'memory', crowd});
  });
}

async function postgres(server: Promise<PostgresServer | undefined>): Promise<Place | undefined> {
  const database = await (await server)?.createDatabase('embedded');
  return database && {dataSource: givenPostgresSource(database), remove: () => database.drop()};
}

async function maria(): Promise<Place | undefined> {
  const database = await givenMariaDatabase('embedded');
  return database && {dataSource: givenMariaSource(database), remove: () => database.drop()};
}
