import type {BehaviourName} from '../../mixins/behaviour';
import type {EmbeddedModel} from '../../mixins/embedded/embedded-model';
import type {ErrorStatus} from './error-answers';
import type {ControllerEntity} from './types';

/** The methods that routes of an entity lead to. */
export type EntityOperation =
  | 'create' | 'find' | 'count' | 'findById' | 'updateById' | 'replaceById' | 'updateAll'
  | 'deleteById' | 'deleteVersion' | 'restoreById'
  | 'findHistory' | 'history' | 'diff' | 'revertTo';

export type EmbeddedOperationName = 'get' | 'list' | 'create' | 'replace' | 'delete';

/** What of an entity decides about its refusals. */
interface Traits {
  readonly versioned: boolean;
  readonly softDeletable: boolean;
  /** Whether a child has a version of its own, which a body or a query can name. */
  readonly namesVersion: boolean;
  /** Whether a query could compare an encrypted property, its own or one of a related row. */
  readonly hasSecrets: boolean;
}

type Refusals = (traits: Traits) => readonly ErrorStatus[];

/** A query that is malformed (400), or compares what is encrypted (422). */
const query: Refusals = ({hasSecrets}) => (hasSecrets ? [400, 422] : [400]);
/** A version that is missing (428), or that `If-Match` names and the row does not have (412). */
const precondition: Refusals = ({versioned}) => (versioned ? [412, 428] : []);

/**
 * What each operation can be refused with: everything that the document says of it apart from 401
 * and 403, which depend on the application. 400 goes with every id, which may be none of its type.
 */
const REFUSALS: Readonly<Record<EntityOperation, Refusals>> = {
  create: () => [400, 409, 422],
  find: query,
  count: query,
  findById: traits => [...query(traits), 404],
  updateById: traits => [400, 404, 409, 422, ...precondition(traits)],
  replaceById: traits => [400, 404, 409, 422, ...precondition(traits)],
  updateAll: () => [400, 409, 422],
  deleteById: traits => [400, 404, ...referenced(traits), ...precondition(traits)],
  deleteVersion: () => [400, 404, 409],
  restoreById: traits => [400, 404, 409, ...precondition(traits).filter(status => status !== 428)],
  findHistory: query,
  history: query,
  diff: () => [400, 404],
  revertTo: traits => [400, 404, 409, 422, ...precondition(traits)],
};

/** The same for children. Only `If-Match` can be stale where no body names a version. */
const OF_CHILDREN: Readonly<Record<EmbeddedOperationName, Refusals>> = {
  get: () => [400, 404],
  list: () => [400, 404],
  create: traits => [400, 404, 409, 422, ...precondition(traits)],
  replace: traits => [400, 404, ...stale(traits), 422, ...precondition(traits)],
  delete: traits => [400, 404, ...stale(traits), ...precondition(traits)],
};

export function refusalsOf(
  operation: EntityOperation,
  {behaviours, entity}: ControllerEntity,
): readonly ErrorStatus[] {
  const has = (name: BehaviourName) => behaviours.some(behaviour => behaviour.name === name);
  const {properties, relations} = entity.definition;
  const isEncrypted = Object.values(properties).some(property => property.encrypt);
  return REFUSALS[operation]({
    versioned: has('version'),
    namesVersion: has('version'),
    softDeletable: has('softDelete'),
    hasSecrets: (has('crypto') && isEncrypted) || Object.keys(relations).length > 0,
  });
}

export function childRefusalsOf(
  operation: EmbeddedOperationName,
  versioned: boolean,
  {property}: EmbeddedModel,
): readonly ErrorStatus[] {
  const namesVersion = versioned && property.versioned;
  return OF_CHILDREN[operation]({
    versioned, namesVersion, softDeletable: false, hasSecrets: false,
  });
}

/** What is only marked as deleted breaks no reference. */
function referenced({softDeletable}: Traits): readonly ErrorStatus[] {
  return softDeletable ? [] : [409];
}

function stale({namesVersion}: Traits): readonly ErrorStatus[] {
  return namesVersion ? [409] : [];
}
