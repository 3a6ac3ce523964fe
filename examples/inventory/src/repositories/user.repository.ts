import {inject} from '@loopback/core';
import {DefaultTransactionalRepository, type DataObject, type Options} from '@loopback/repository';
import {audited, realtime, versioned} from 'loopback4-live-entities';
import {DbDataSource} from '../datasources/db.datasource';
import {User} from '../models/user.model';
import {managersOnly} from '../services/access';
import {hashed} from '../services/passwords';

@realtime<User>({filters: {pre: managersOnly}})
@versioned() @audited()
export class UserRepository extends DefaultTransactionalRepository<User, string> {
  constructor(@inject('datasources.db') dataSource: DbDataSource) {
    super(User, dataSource);
  }

  /** Every way of writing a user passes here, so no plain password reaches the database. */
  protected override async entityToData<R extends User>(
    entity: R | DataObject<R>,
    options?: Options,
  ) {
    const data = await super.entityToData(entity, options);
    const {password} = data as {password?: unknown};
    if (typeof password !== 'string') return data;
    return Object.assign(data, {password: await hashed(password)});
  }
}
