import type {Entity, Filter, Options} from '@loopback/repository';
import type {JugglerInstance} from './juggler';
import type {LiveEntity} from './live-entity';
import type {Row} from './plan';
import type {Surroundings} from './surroundings';

/** What readers and writers need of the repository they work for. */
export interface RepositoryHost<T extends Entity> {
  readonly live: LiveEntity;
  readonly surroundings: Surroundings;
  /** Whether the steps by which rows become entities are LoopBack's own and ours. */
  readonly makesEntitiesPlainly: boolean;
  /** The repository's persist hook, `entityToData`. */
  toData(entity: object, options: Options | undefined): Promise<Row>;
  /** What juggler has created, as the entity that a create would answer, still encrypted. */
  toLiveEntity(instance: JugglerInstance): T;
  /** A stored row as the entity that a find would answer, still encrypted. */
  toStoredEntity(row: Row): T;
  /** The entities with what their relations lead to, as a find would include it. */
  withRelated(entities: T[], include: Filter<T>['include'], options: Options): Promise<T[]>;
}
