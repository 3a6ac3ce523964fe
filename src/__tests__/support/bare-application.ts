import {
  type Class,
  type DefaultCrudRepository,
  type Entity,
  type juggler,
  RepositoryMixin,
} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {defineEntityController} from '../../components/rest/entity-controller';
import {LiveEntitiesBindings} from '../../keys';
import type {BehaviourName} from '../../mixins/behaviour';
import {DECORATORS} from './behaviours';

/** An application with a data source, keys for encryption, and nothing else. */
export class BareApplication extends RepositoryMixin(RestApplication) {
  constructor(dataSource: juggler.DataSource) {
    super({
      rest: {port: 0, host: '127.0.0.1', gracePeriodForClose: 100},
      shutdown: {signals: []},
    });
    this.bind('datasources.db').to(dataSource);
    this.configure(LiveEntitiesBindings.CRYPTO).to({
      keys: [{id: 'k1', secret: 'correct horse battery staple correct horse'}],
      current: 'k1',
    });
    // Refusals are what these tests are about; only faults of the server need to be seen.
    this.bind('rest.sequence.actions.logError').to((error: Error, status: number) => {
      if (status >= 500) console.error(error);
    });
  }

  /** The repository with these behaviours, and a generated controller at `basePath`. */
  mount<T extends Entity, ID>(
    entity: typeof Entity & {prototype: T},
    repository: Class<DefaultCrudRepository<T, ID>>,
    behaviours: readonly BehaviourName[],
    basePath: string,
  ): void {
    Object.defineProperty(repository, 'name', {value: `${entity.modelName}Repository`});
    for (const behaviour of behaviours) DECORATORS[behaviour]()(repository as never);
    this.repository(repository);
    this.controller(defineEntityController(entity, repository, {basePath}));
  }
}
