import type {Row, RowKey} from '../protocol/page';

/**
 * One row as the database holds it. `values` are by property name and ready for JSON (dates as
 * ISO strings with milliseconds, encrypted properties as their ciphertext). `raw` is the source's
 * own text of each property, kept for what JSON cannot tell apart (microseconds, long decimals).
 */
export interface RowImage {
  readonly key: RowKey;
  readonly values: Row;
  readonly raw: Readonly<Record<string, string | null>>;
  /** By relation the rows that a view includes; not part of the row itself. */
  readonly related?: Readonly<Record<string, readonly RowImage[]>>;
}

/** What happened to one row, or to a whole table, in a committed transaction. */
export type Change =
  | {readonly kind: 'insert'; readonly entity: string; readonly after: RowImage}
  | {
      readonly kind: 'update';
      readonly entity: string;
      readonly before: RowImage;
      readonly after: RowImage;
    }
  | {readonly kind: 'delete'; readonly entity: string; readonly before: RowImage}
  | {readonly kind: 'truncate'; readonly entity: string};

/**
 * A committed transaction, whole, in commit order.
 *
 * `id` names it to {@link SnapshotRows.sees}. `marks` are tokens that a snapshot reader left in the
 * feed: when one arrives, everything that its snapshot sees has been delivered.
 */
export interface CommittedTransaction {
  readonly id: number;
  readonly changes: readonly Change[];
  readonly marks: readonly string[];
}

/** The image of a row before and after a change, either of which can be absent. */
export function imagesOf(change: Exclude<Change, {kind: 'truncate'}>): {
  before?: RowImage;
  after?: RowImage;
} {
  switch (change.kind) {
    case 'insert':
      return {after: change.after};
    case 'update':
      return {before: change.before, after: change.after};
    case 'delete':
      return {before: change.before};
  }
}
