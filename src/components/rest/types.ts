import type {DefaultCrudRepository, Entity} from '@loopback/repository';
import type {Behaviour} from '../../mixins/behaviour';
import type {EmbeddedModel} from '../../mixins/embedded/embedded-model';
import type {
  HistoricalRepository,
  SoftDeletableRepository,
} from '../../mixins/repository-methods';

/** A row as it travels. */
export type Row = Record<string, unknown>;

/** A repository with every method that a route can need; which of them work, its behaviours say. */
export type EntityRepository = DefaultCrudRepository<AnyEntity, unknown> &
  HistoricalRepository<AnyEntity, unknown> &
  SoftDeletableRepository<AnyEntity, unknown>;

export type AnyEntity = Entity & Row;

/** What a generated controller knows of its entity. */
export interface ControllerEntity {
  readonly entity: typeof Entity;
  readonly behaviours: readonly Behaviour[];
  /** The properties that hold children, unless the repository cannot reach them. */
  readonly embedded: readonly EmbeddedModel[];
}
