/** Plain JSON of a LoopBack where clause, normalised: one operator per property and object. */
export type Condition =
  | {readonly kind: 'and' | 'or'; readonly parts: readonly Condition[]}
  | {
      readonly kind: 'compare';
      readonly property: string;
      readonly operator: Operator;
      readonly value: unknown;
    };

/** The operators of LoopBack's where clause that views understand. */
export type Operator =
  | 'eq'
  | 'neq'
  | 'gt'
  | 'gte'
  | 'lt'
  | 'lte'
  | 'between'
  | 'inq'
  | 'nin'
  | 'like'
  | 'nlike'
  | 'ilike'
  | 'nilike'
  | 'regexp'
  | 'exists';

export interface SortKey {
  readonly property: string;
  readonly descending: boolean;
}

/**
 * A view with its parameters filled in, cut to the rows that a window keeps. The order always ends
 * with the id properties, so it is total. Soft-deleted rows are not part of it unless the view
 * asks for them.
 */
export interface ViewQuery {
  readonly entity: string;
  readonly condition: Condition;
  readonly order: readonly SortKey[];
  /** Related rows that come with each row. */
  readonly includes?: readonly Include[];
}

/** Related rows: those whose property `to` equals the row's own property `from`. */
export interface Include {
  readonly relation: string;
  readonly kind: 'many' | 'one';
  readonly from: string;
  readonly to: string;
  /** Which of them, in which order, and what is included in them in turn. */
  readonly query: ViewQuery;
  /** Properties of them to send; undefined for all. */
  readonly fields: readonly string[] | undefined;
}

/** Nothing to check: every row matches. */
export const EVERYTHING: Condition = {kind: 'and', parts: []};
