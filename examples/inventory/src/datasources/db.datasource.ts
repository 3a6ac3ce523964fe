import {inject, lifeCycleObserver} from '@loopback/core';
import {juggler} from '@loopback/repository';
import {InventoryBindings} from '../keys';

@lifeCycleObserver('datasource')
export class DbDataSource extends juggler.DataSource {
  static readonly dataSourceName = 'db';

  constructor(@inject(InventoryBindings.DATABASE) config: {url: string}) {
    // The pool tells of idle connections that broke, and node ends a process in which nobody
    // listens to that. New ones are made as needed; a database that is gone shows in /health.
    const onError = (error: Error) => console.error(`A database connection broke: ${error.message}`);
    super({name: 'db', connector: 'postgresql', max: 10, onError, ...config});
  }
}
