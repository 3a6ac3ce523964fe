import type {Entity, Filter} from '@loopback/repository';
import {HttpErrors} from '@loopback/rest';

/** One relation that a filter asks to be included. */
export interface IncludedRelation {
  readonly relation: string;
  readonly target: typeof Entity;
  readonly scope: Filter | undefined;
  /** Whether each row decides which entity it leads to, so that `target` does not say it. */
  readonly isPolymorphic: boolean;
}

/** The relations that a filter includes, with the entities they lead to. */
export function inclusionsOf(
  entity: typeof Entity,
  filter: Filter | undefined,
): IncludedRelation[] {
  return (filter?.include ?? []).map((inclusion): IncludedRelation => {
    const {relation, scope} =
      typeof inclusion === 'string'
        ? {relation: inclusion, scope: undefined}
        : (inclusion);
    const target = targetOf(entity, relation);
    const {polymorphic} = entity.definition.relations[relation] as {polymorphic?: unknown};
    return {relation, target, scope, isPolymorphic: Boolean(polymorphic)};
  });
}

/** The entity at the other end of a relation. */
export function targetOf(entity: typeof Entity, relation: string): typeof Entity {
  const {relations} = entity.definition;
  if (!Object.hasOwn(relations, relation)) {
    throw Object.assign(
      new HttpErrors.BadRequest(`${entity.modelName} has no relation '${String(relation)}'.`),
      {code: 'INVALID_INCLUSION_FILTER'},
    );
  }
  return relations[relation].target();
}
