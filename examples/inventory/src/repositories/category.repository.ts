import {inject} from '@loopback/core';
import {DefaultTransactionalRepository} from '@loopback/repository';
import {audited, historical, realtime, softDeletable, versioned} from 'loopback4-live-entities';
import {DbDataSource} from '../datasources/db.datasource';
import {Category} from '../models/category.model';
import {guardCategory} from '../services/access';

@realtime<Category>({
  views: {
    alphabeticalView: {
      affectingFields: ['name'],
      transform: () => ({order: ['name ASC']}),
    },
  },
  filters: {pre: guardCategory},
})
@versioned() @audited() @softDeletable() @historical()
export class CategoryRepository extends DefaultTransactionalRepository<Category, string> {
  constructor(@inject('datasources.db') dataSource: DbDataSource) {
    super(Category, dataSource);
  }
}
