import {DefaultTransactionalRepository, juggler, ModelDefinition} from '@loopback/repository';
import {createLoopbackLive, type LoopbackLive} from '../../adapters/loopback/live';
import {historical} from '../../index';
import {givenPostgres15, givenPostgres18, type PostgresServer} from './databases';
import {Category, Product, type Categories, type Products} from './live-database';
import {givenMariaDatabase, givenMariaSource} from './mariadb';

/** Categories and products on some connector, with what live views need of it. */
export interface LoopbackWorld {
  readonly dataSource: juggler.DataSource;
  readonly products: Products;
  readonly categories: Categories;
  readonly live: LoopbackLive;
  readonly hasTransactions: boolean;
  drop(): Promise<void>;
}

interface Source {
  readonly dataSource: juggler.DataSource;
  drop(): Promise<void>;
}

/** A data source on a PostgreSQL, in a database of its own. */
export async function onPostgres(
  given: () => Promise<PostgresServer | undefined>,
): Promise<Source | undefined> {
  const database = await (await given())?.createDatabase('feed');
  if (!database) return undefined;
  const settings = {connector: 'postgresql', ...database.config, onError: 'ignore'};
  return {dataSource: new juggler.DataSource(settings), drop: () => database.drop()};
}

async function onMariaDb(): Promise<Source | undefined> {
  const database = await givenMariaDatabase('feed');
  return database && {dataSource: givenMariaSource(database), drop: () => database.drop()};
}

async function inMemory(): Promise<Source> {
  const dataSource = new juggler.DataSource({connector: 'memory'});
  return {dataSource, drop: async () => undefined};
}

/** A data source of each kind; undefined where the machine lacks it. */
export const CONNECTORS: Readonly<Record<string, () => Promise<Source | undefined>>> = {
  'the memory connector': inMemory,
  'PostgreSQL 18': () => onPostgres(givenPostgres18),
  'PostgreSQL 15': () => onPostgres(givenPostgres15),
  MariaDB: onMariaDb,
};

/** What repositories to look at: LoopBack's own, or ones with behaviours. */
type Kind = 'plain' | 'decorated';

/** Behaviours change the definition of their entity, so these are entities of their own. */
class KeptProduct extends Product {}
KeptProduct.definition = new ModelDefinition({
  name: 'Product',
  properties: {...Product.definition.properties},
});

@historical()
class KeptProducts extends DefaultTransactionalRepository<Product, string> {}

/** The worlds to test, by title; each is undefined where the machine lacks it. */
export function loopbackWorlds(): [string, () => Promise<LoopbackWorld | undefined>][] {
  return Object.entries(CONNECTORS).flatMap(([title, open]) =>
    (['plain', 'decorated'] as const).map((kind): ReturnType<typeof loopbackWorlds>[number] => [
      `${kind} repositories on ${title}`,
      () => givenWorld(kind, open),
    ]),
  );
}

async function givenWorld(
  kind: Kind,
  open: () => Promise<Source | undefined>,
): Promise<LoopbackWorld | undefined> {
  const source = await open();
  if (!source) return undefined;
  const {dataSource} = source;
  const products = kind === 'plain'
    ? new DefaultTransactionalRepository<Product, string>(Product, dataSource)
    : new KeptProducts(KeptProduct, dataSource);
  const categories = new DefaultTransactionalRepository<Category, string>(Category, dataSource);
  await dataSource.automigrate();
  const live = createLoopbackLive([products.modelClass, categories.modelClass]);
  return {
    dataSource,
    products,
    categories,
    live,
    hasTransactions: dataSource.connector?.name !== 'memory',
    drop: async () => {
      await live.feed.stop();
      await dataSource.disconnect();
      await source.drop();
    },
  };
}
