import {inject, lifeCycleObserver} from '@loopback/core';
import {juggler} from '@loopback/repository';
import {InventoryBindings} from '../keys';

@lifeCycleObserver('datasource')
export class DbDataSource extends juggler.DataSource {
  static readonly dataSourceName = 'db';

  constructor(@inject(InventoryBindings.DATABASE) config: {url: string}) {
    super({name: 'db', connector: 'postgresql', max: 10, ...config});
  }
}
