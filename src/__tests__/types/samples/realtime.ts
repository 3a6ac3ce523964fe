import {Application} from '@loopback/core';
import {DefaultTransactionalRepository, Entity, juggler, model, property} from '@loopback/repository';
import {
  audited,
  LiveEntitiesBindings,
  LiveEntitiesComponent,
  realtime,
  versioned,
} from 'loopback4-live-entities';

@model()
export class Product extends Entity {
  @property({id: true, type: 'string'}) id: string;
  @property({type: 'string'}) name: string;
  @property({type: 'string'}) category: string;
  @property({type: 'number'}) qty: number;
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
  },
  filters: {
    pre: (req, next) => {
      if (!req.principal) throw new Error('sign in first');
      return next();
    },
    post: (req, next) => {
      if (req.resource) delete req.resource.cost;
      return next();
    },
  },
  audience: who => who?.role ?? 'anonymous',
  scope: who => ({tenantId: who.tenantId}),
})
@versioned() @audited()
export class ProductRepository extends DefaultTransactionalRepository<Product, string> {
  constructor(dataSource: juggler.DataSource) {
    super(Product, dataSource);
  }
}

export function configure(app: Application): void {
  app.component(LiveEntitiesComponent);
  app.configure(LiveEntitiesBindings.REALTIME).to({
    path: '/realtime',
    defaultPageSize: 10,
    maxPageSize: 1000,
    cacheDisabled: false,
    cacheDuration: 10_000,
    blockPreByDefault: false,
    blockPostByDefault: false,
    feed: 'auto',
  });
}
