import type {LiveError} from '../protocol/errors';

/**
 * Whether the client has its connection: `connecting` for the first time, `connected`,
 * `reconnecting` after it was lost, `offline` once closed or finally refused by the server.
 */
export type ConnectionStatus = 'connecting' | 'connected' | 'reconnecting' | 'offline';

/**
 * What the rows of a collection or model are worth: `loading` (none yet), `live`, `stale` (shown
 * as they were while the connection comes back, the page is read anew, or the server does not
 * learn of changes), `ended` (by the server; no longer maintained), `closed`.
 */
export type LiveStatus = 'loading' | 'live' | 'stale' | 'ended' | 'closed';

/** Goes with each change of a {@link LiveStatus}. */
export interface StatusDetail {
  /**
   * True when the rows were read anew instead of being continued from where they were: what
   * happened in between is in the rows, but was not seen step by step.
   */
  readonly reset: boolean;
  /** Why, when the status is `ended`. */
  readonly error?: LiveError;
}

/** The names of T's data: everything but methods. */
export type FieldOf<T> = {
  [K in keyof T & string]-?: NonNullable<T[K]> extends (...args: never[]) => unknown ? never : K;
}[keyof T & string];

/**
 * A row as a page shows it: T's data (of the fields F when they are given, and always the `id`),
 * read only, with the version that the next write names.
 */
export type LiveRow<T, F extends FieldOf<T> = FieldOf<T>> = Readonly<
  Pick<T, Extract<F | 'id', keyof T>>
> & {readonly _version?: string | null};

/** What a write may carry: any of T's data. */
export type LivePatch<T> = Partial<Pick<T, FieldOf<T>>>;

/** What a view is asked for. T is what you say a row is; F the fields of it, when not all. */
export interface CollectionOptions<T, F extends FieldOf<T> = FieldOf<T>> {
  /** The entity's name, as on the server. */
  readonly type: string;
  /** The view's name. */
  readonly view: string;
  readonly viewParams?: Readonly<Record<string, unknown>>;
  /** The properties to get; all that you may see when left out. Ids and `_version` always come. */
  readonly fields?: readonly F[];
  /** Rows before the page. Default 0. */
  readonly pageOffset?: number;
  /** Rows on the page. Default: the server's `defaultPageSize`. */
  readonly pageSize?: number;
  /** Whether `meta.count` is wanted. Default false. */
  readonly getCount?: boolean;
}

/** Which row is wanted. */
export interface ModelOptions<T, F extends FieldOf<T> = FieldOf<T>> {
  readonly type: string;
  readonly id: string | number;
  readonly fields?: readonly F[];
}

/** Changes how a write is made. */
export interface WriteOptions {
  /**
   * The version that the write is based on. Default: the one shown, or after an unanswered write
   * of the same row, the one that it leads to. `null` for a row that has none yet.
   */
  readonly version?: string | null;
}

/** The events of a collection or model with the value V. */
export interface LiveEvents<V> {
  change: [value: V];
  status: [status: LiveStatus, detail: StatusDetail];
  error: [error: LiveError];
}
