import {
  DefaultTransactionalRepository,
  Entity,
  juggler,
  ModelDefinition,
} from '@loopback/repository';
import type {Logger} from '../../adapters/postgres/logger';
import {createPostgresLive, type PostgresLive} from '../../adapters/postgres/live';
import type {PostgresServer, TestDatabase} from './databases';

export class Category extends Entity {
  declare id: string;
  declare name: string;
}
Category.definition = new ModelDefinition({
  name: 'Category',
  properties: {id: {type: 'string', id: true}, name: {type: 'string'}},
});

export class Product extends Entity {
  declare id: string;
  declare name?: string | null;
  declare qty?: number | null;
  declare description?: string | null;
  declare categoryId?: string | null;
}
Product.definition = new ModelDefinition({
  name: 'Product',
  properties: {
    id: {type: 'string', id: true},
    name: {type: 'string'},
    qty: {type: 'number'},
    description: {type: 'string'},
    categoryId: {type: 'string'},
  },
});

export type Products = DefaultTransactionalRepository<Product, string>;
export type Categories = DefaultTransactionalRepository<Category, string>;

/** Categories and products in a database of their own, with everything live views need. */
export interface LiveDatabase {
  readonly database: TestDatabase;
  readonly dataSource: juggler.DataSource;
  readonly products: Products;
  readonly categories: Categories;
  readonly live: PostgresLive;
  drop(): Promise<void>;
}

export const SILENT: Logger = {info: ignore, warn: ignore, error: ignore};

export async function givenLiveDatabase(
  server: PostgresServer,
  {logStatements, ...options}: {
    name?: string;
    maxChangesPerTransaction?: number;
    maxLagBytes?: number;
    silenceLimit?: number;
    logger?: Logger;
    logStatements?: boolean;
  } = {},
): Promise<LiveDatabase> {
  const database = await server.createDatabase({name: 'live', logStatements});
  const dataSource = new juggler.DataSource({
    connector: 'postgresql',
    ...database.config,
    // Without it, a server that is stopped ends the process.
    onError: 'ignore',
  });
  const products = new DefaultTransactionalRepository<Product, string>(Product, dataSource);
  const categories = new DefaultTransactionalRepository<Category, string>(Category, dataSource);
  await dataSource.automigrate(['Category', 'Product']);
  await database.query(`
    ALTER TABLE product ADD FOREIGN KEY (categoryid) REFERENCES category (id) ON DELETE CASCADE`);
  const models = [products.modelClass, categories.modelClass];
  const live = await createPostgresLive({logger: SILENT, ...options, dataSource, models});
  return {
    database, dataSource, products, categories, live,
    drop: async () => {
      await live.close();
      await dataSource.disconnect();
      await database.drop();
    },
  };
}

function ignore(): void {
  // Reports are looked at by the tests that are about them.
}
