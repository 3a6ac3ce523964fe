import type {AnyObject} from '@loopback/repository';
import type {JugglerInstance} from './juggler';

/** Property values of one row, by property name. */
export type Row = Record<string, unknown>;

/** A LoopBack `where`; kept untyped because it also names columns that the entity hides. */
export type Condition = AnyObject;

/** What a behaviour puts into a property. Closed: every executor handles every kind. */
export type Assigned =
  | {readonly kind: 'value'; readonly value: unknown}
  /** What another property of the row had before this write. */
  | {readonly kind: 'previous'; readonly property: string}
  /** A new UUID for each row. */
  | {readonly kind: 'uuid'}
  /** The number of a row's first state; goes on counting when the id was in use before. */
  | {readonly kind: 'firstRevision'}
  | {readonly kind: 'nextRevision'}
  /** The moment at which the row's new state begins: later than the previous one began. */
  | {readonly kind: 'stateBegins'};

export type Assignments = Readonly<Record<string, Assigned>>;

/** What ended a state of a row. */
export type RevisionOperation = 'update' | 'delete' | 'restore' | 'revert';

/** The part of a history row that describes the write which ended the state. */
export interface RevisionNote {
  readonly operation: RevisionOperation;
  readonly by: string;
  readonly onBehalfOf?: string;
  readonly reason?: string;
  readonly requestId?: string;
}

/** New rows. */
export interface InsertPlan {
  readonly kind: 'insert';
  /** What only behaviours write: a new row that is assigned nothing there has null. */
  readonly empty: ReadonlySet<string>;
  readonly rows: readonly {readonly data: Row; readonly assign: Assignments}[];
  /** Whether the rows become entities by what they hold, and need not be juggler's instances. */
  readonly plainly?: boolean;
}

/** A row and the version that it must still have. */
export interface CheckedRow {
  readonly id: unknown;
  /** Null for a row from before the entity was versioned. */
  readonly version: string | null;
}

/** A change of every row that meets the condition; soft delete and restore are changes too. */
export interface ChangePlan {
  readonly kind: 'change';
  /** One row by its id, or as many as meet the condition. */
  readonly single: boolean;
  readonly where: Condition;
  /** Only these rows of a write of many, and none of them unless all have the version named. */
  readonly checked?: readonly CheckedRow[];
  readonly data: Row;
  /** True when a row that has the values of the data already is left as it is. */
  readonly unlessSame: boolean;
  /** True when a property that `data` lacks becomes null, except those in `keep`. */
  readonly replace: boolean;
  readonly keep: readonly string[];
  readonly assign: Assignments;
  /** Present when the state that ends is kept. */
  readonly revision?: RevisionNote;
  /** A version that no kept state of the row may have. */
  readonly unused?: string;
}

/** Rows that go for good. */
export interface RemovePlan {
  readonly kind: 'remove';
  readonly single: boolean;
  readonly where: Condition;
  readonly checked?: readonly CheckedRow[];
  readonly revision?: RevisionNote;
}

/** One write, complete: an executor needs nothing else to run it. */
export type WritePlan = InsertPlan | ChangePlan | RemovePlan;

/** A row before and after a write. */
export interface WrittenRow {
  readonly before?: Row;
  readonly after?: Row;
}

/** What a plan did. `rows` is filled only when the caller asked for it. */
export interface WriteResult {
  /**
   * Of a single write, the rows that were written. Of a write of many, the rows that met the
   * condition: those which had the values already and were left alone are counted too.
   */
  readonly count: number;
  readonly rows: readonly WrittenRow[];
  /** New rows as juggler's create would answer them, with what the database has filled in. */
  readonly created?: readonly JugglerInstance[];
}

/** The value in an assignment, if it is known before the write. */
export function knownValue(assigned: Assigned | undefined): unknown {
  return assigned?.kind === 'value' ? assigned.value : undefined;
}

export function value(v: unknown): Assigned {
  return {kind: 'value', value: v};
}
