/**
 * A page of a live view, and the operations that turn one state of it into the next.
 *
 * Rows are plain JSON objects, always with their id properties. A row's key is a string made from
 * its id (see {@link keyOf}); a page holds each key once.
 */

/** A row as it travels: plain JSON values by property name. */
export type Row = Readonly<Record<string, unknown>>;

/** A row's identity within its entity, made by {@link keyOf}. */
export type RowKey = string;

/** Where a page stands in its view. `count` is there only when it was asked for. */
export interface PageMeta {
  readonly pageOffset: number;
  readonly pageSize: number;
  readonly isLastPage: boolean;
  readonly count?: number;
}

/** The whole state of a page: `rows[i]` has the key `keys[i]`. */
export interface PageState {
  readonly keys: readonly RowKey[];
  readonly rows: readonly Row[];
  readonly meta: PageMeta;
}

/**
 * One step from a page to its successor. Steps apply in order, each to the result of the one
 * before. `at` is the row's place after the step.
 */
export type PageOp =
  | {readonly op: 'remove'; readonly key: RowKey}
  | {readonly op: 'insert'; readonly key: RowKey; readonly at: number; readonly row: Row}
  | {readonly op: 'move'; readonly key: RowKey; readonly at: number}
  | {readonly op: 'patch'; readonly key: RowKey; readonly set: Row; readonly unset?: string[]};

/**
 * Makes a row's key from the values of its id properties: the value itself as a string for a
 * single id, a JSON array for a composite one.
 *
 * @example
 * ```ts
 * keyOf({id: 7}, ['id']); // '7'
 * keyOf({order: 1, line: 2}, ['order', 'line']); // '[1,2]'
 * ```
 */
export function keyOf(row: Row, ids: readonly string[]): RowKey {
  return ids.length === 1 ? String(row[ids[0]]) : JSON.stringify(ids.map(id => row[id]));
}
