/** An application with this package, as its README has one. */
import {
  DefaultTransactionalRepository,
  Entity,
  juggler,
  model,
  property,
  RepositoryMixin,
} from '@loopback/repository';
import {inject} from '@loopback/core';
import {RestApplication} from '@loopback/rest';
import {LiveEntitiesBindings, LiveEntitiesComponent, realtime} from 'loopback4-live-entities';
import {CONNECTIONS, serveLive} from './live-server.mjs';

class Product extends Entity {}
for (const [name, definition] of Object.entries({
  id: {type: 'string', id: true},
  name: {type: 'string', required: true},
  category: {type: 'string', required: true},
  qty: {type: 'number', required: true},
  price: {type: 'number', postgresql: {dataType: 'double precision'}},
})) {
  property(definition)(Product.prototype, name);
}
model({settings: {indexes: {product_category: {keys: {category: 1, id: 1}}}}})(Product);

class ProductRepository extends DefaultTransactionalRepository {
  constructor(dataSource) {
    super(Product, dataSource);
  }
}
inject('datasources.db')(ProductRepository, undefined, 0);
realtime({
  views: {
    categoryView: {
      paramFields: ['category'],
      transform: ({category}) => ({where: {category}, order: ['id DESC']}),
    },
  },
})(ProductRepository);

const LIMITS = {
  subscriptionsPerSocket: 1_000_000,
  opsPerSecond: 1_000_000,
  windows: 1_000_000,
};
const logger = {warn: console.warn, error: console.error};

serveLive(async (url, {page = 0}) => {
  const app = new (RepositoryMixin(RestApplication))({
    rest: {port: 0, host: '127.0.0.1', gracePeriodForClose: 0},
    shutdown: {signals: []},
  });
  const settings = {name: 'db', connector: 'postgresql', url, max: CONNECTIONS};
  app.dataSource(new juggler.DataSource(settings));
  app.repository(ProductRepository);
  app.component(LiveEntitiesComponent);
  app.configure(LiveEntitiesBindings.REALTIME).to({limits: LIMITS, logger});
  await app.migrateSchema();
  const products = await app.getRepository(ProductRepository);
  const rows = Array.from({length: page}, (_, i) => ({
    id: `0-${String(i).padStart(8, '0')}`, name: 'Oak chair', category: 'chairs', qty: 1, price: 1,
  }));
  if (rows.length) await products.createAll(rows);
  await app.start();
  return {address: app.restServer.url, create: product => products.create(product)};
});
