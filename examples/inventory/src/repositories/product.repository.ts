import {inject} from '@loopback/core';
import {DefaultTransactionalRepository} from '@loopback/repository';
import {
  audited,
  encrypted,
  historical,
  realtime,
  softDeletable,
  versioned,
} from 'loopback4-live-entities';
import {DbDataSource} from '../datasources/db.datasource';
import {Product} from '../models/product.model';
import {guardProduct, hideSupplierPrice} from '../services/access';

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
  filters: {pre: guardProduct, post: hideSupplierPrice},
  // Those with the same role see the same: one message serves them all.
  audience: who => who?.role ?? 'anonymous',
})
@versioned() @audited() @softDeletable() @historical() @encrypted()
export class ProductRepository extends DefaultTransactionalRepository<Product, string> {
  constructor(@inject('datasources.db') dataSource: DbDataSource) {
    super(Product, dataSource);
  }
}
