import type {PropertyDefinition} from '@loopback/repository';
import type {LiveOptions} from './options';
import type {
  Assignments,
  CheckedRow,
  Condition,
  RevisionNote,
  RevisionOperation,
  Row,
} from './plan';

export type BehaviourName = 'version' | 'audit' | 'softDelete' | 'history' | 'crypto';

export type PropertyMap = Readonly<Record<string, PropertyDefinition>>;

/** What the caller wants to do with existing rows. */
export type ChangeKind = 'update' | 'replace' | 'delete' | 'restore' | 'purge';

/** Who writes, when and how: the same for every kind of write. */
export interface WriteContext {
  readonly entityName: string;
  readonly actor: string;
  readonly now: Date;
  readonly options: LiveOptions;
}

/** A write of existing rows, before behaviours have had their say. */
export interface ChangeRequest extends WriteContext {
  readonly kind: ChangeKind;
  /** Present for a write by id; absent for a write of many rows. */
  readonly id?: unknown;
  readonly single: boolean;
  /** The caller's data as it was given, input-only properties included. */
  readonly input: Row;
  /** Properties that a replace leaves as they are, beside those of behaviours. */
  readonly kept?: readonly string[];
  /** What the history calls it, when that differs from `kind`. */
  readonly operation?: RevisionOperation;
  /** The only rows of a write of many, each with the version it must have. */
  readonly checked?: readonly CheckedRow[];
  /** Whether the data holds new ciphertext, which never equals that of the row. */
  readonly sealed?: boolean;
}

/**
 * One behaviour: what it adds to an entity and to a write. Pure; the planner merges all of them in
 * a fixed order, so the order in which decorators are written cannot matter.
 */
export interface Behaviour {
  readonly name: BehaviourName;
  /** Added to the entity's definition. */
  readonly properties: PropertyMap;
  /** Of those, the ones that are accepted as input and have no column. */
  readonly inputOnly: readonly string[];
  /** Columns that the entity does not show. */
  readonly internal: PropertyMap;
  /** Of the properties, the ones that a replace leaves as they are. */
  readonly kept: readonly string[];
  insert?(input: Row, context: WriteContext): Assignments;
  change?(request: ChangeRequest): Assignments;
  /** A further condition on the rows that a write may touch. */
  condition?(request: ChangeRequest): Condition | undefined;
  revision?(request: ChangeRequest): RevisionNote;
}

/** A behaviour that adds nothing, to start from. */
export function behaviourDefaults(name: BehaviourName): Behaviour {
  return {name, properties: {}, inputOnly: [], internal: {}, kept: []};
}
