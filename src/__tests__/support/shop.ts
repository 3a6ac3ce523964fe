import {inject} from '@loopback/core';
import {
  DefaultTransactionalRepository,
  Entity,
  juggler,
  model,
  property,
  RepositoryMixin,
} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {securityId, type UserProfile} from '@loopback/security';
import {
  Audited,
  audited,
  defineEntityController,
  encrypted,
  historical,
  LiveEntitiesBindings,
  LiveEntitiesComponent,
  LiveEntityError,
  realtime,
  SoftDeletable,
  softDeletable,
  Versioned,
  versioned,
  type AccessFilter,
  type LoginService,
  type RealtimeConfig,
} from '../../index';
import type {TestDatabase} from './databases';

@model()
export class Category extends Entity {
  @property({id: true, type: 'string', required: true}) id: string;
  @property({type: 'string', required: true}) name: string;
}

@model()
export class Product extends Versioned(Audited(SoftDeletable(Entity))) {
  @property({id: true, type: 'string', required: true}) id: string;
  @property({type: 'string', required: true}) name: string;
  @property({type: 'number', required: true}) qty: number;
  @property({type: 'number', postgresql: {dataType: 'double precision'}}) price?: number;
  @property({type: 'string'}) category?: string;
  @property({type: 'string', encrypt: true}) supplierPrice?: string;
}

const mustBeLoggedIn: AccessFilter = (req, next) => {
  if (!req.principal) throw new LiveEntityError('NOT_AUTHENTICATED', 'Please sign in.', 401);
  return next();
};

const hideSupplierPrice: AccessFilter = (req, next) => {
  if (req.principal?.role !== 'buyer') delete req.resource?.supplierPrice;
  return next();
};

@realtime<Category>({
  views: {
    alphabeticalView: {affectingFields: ['name'], transform: () => ({order: ['name ASC']})},
  },
})
export class CategoryRepository extends DefaultTransactionalRepository<Category, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Category, dataSource);
  }
}

@realtime<Product>({
  views: {
    categoryView: {
      paramFields: ['category'],
      affectingFields: ['name'],
      transform: ({category}) => ({where: {category}, order: ['name ASC']}),
    },
    lowStockView: {
      paramFields: ['category', 'qty'],
      primaryKeys: ['category'],
      transform: ({category, qty}) => ({where: {category, qty: {lte: qty}}, order: ['qty ASC']}),
    },
    matchingView: {
      paramFields: ['name'],
      transform: ({name}) => ({where: {name: {like: `${name}%`}}, order: ['qty DESC']}),
    },
  },
  filters: {pre: mustBeLoggedIn, post: hideSupplierPrice},
  audience: who => String(who?.role),
})
@versioned() @audited() @softDeletable() @historical() @encrypted()
export class ProductRepository extends DefaultTransactionalRepository<Product, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Product, dataSource);
  }
}

const CONTROLLERS = [
  defineEntityController(Category, CategoryRepository, {basePath: '/categories'}),
  defineEntityController(Product, ProductRepository, {basePath: '/products'}),
];

/** Everybody's password is `secret`; the name is the role. */
class Doorman implements LoginService {
  async login({username, password}: Readonly<Record<string, unknown>>): Promise<UserProfile> {
    if (password !== 'secret') throw new LiveEntityError('LOGIN_FAILED', 'wrong password', 401);
    return {[securityId]: String(username), id: String(username), role: String(username)};
  }
}

/** A small application with everything on, as a user of the package would write it. */
export class Shop extends RepositoryMixin(RestApplication) {
  constructor(database: TestDatabase, config: RealtimeConfig = {}, port = 0) {
    super({rest: {port, host: '127.0.0.1', gracePeriodForClose: 0}, shutdown: {signals: []}});
    const settings = {name: 'db', connector: 'postgresql', ...database.config};
    this.dataSource(new juggler.DataSource(settings));
    this.repository(CategoryRepository);
    this.repository(ProductRepository);
    for (const controller of CONTROLLERS) this.controller(controller);
    this.component(LiveEntitiesComponent);
    const secret = Buffer.alloc(32, 7).toString('base64');
    this.configure(LiveEntitiesBindings.CRYPTO).to({keys: [{id: 'k1', secret}], current: 'k1'});
    this.configure(LiveEntitiesBindings.REALTIME).to({
      jwt: {secret: 'a secret that is long enough for tests'},
      ...config,
    } satisfies RealtimeConfig);
    this.bind(LiveEntitiesBindings.LOGIN_SERVICE).toClass(Doorman);
  }

  get url(): string {
    return this.restServer.url!;
  }

  products(): Promise<ProductRepository> {
    return this.getRepository(ProductRepository);
  }

  categories(): Promise<CategoryRepository> {
    return this.getRepository(CategoryRepository);
  }

  /** Stops the application and its database connections. */
  async shutDown(): Promise<void> {
    await this.stop();
    await (await this.get<juggler.DataSource>('datasources.db')).disconnect();
  }
}

/** Migrates and starts the shop. */
export async function givenShop(
  database: TestDatabase,
  config?: RealtimeConfig,
  port?: number,
): Promise<Shop> {
  const shop = new Shop(database, config, port);
  await shop.migrateSchema();
  await shop.start();
  return shop;
}
