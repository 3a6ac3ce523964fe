/** A row of a table with ciphertext, as it is stored. */
export interface StoredRow {
  /** The table's primary key: batches follow it. */
  readonly key: unknown;
  /** The id that ciphertext is bound to. */
  readonly id: unknown;
  /** The encrypted properties and their indexes. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What tells that somebody has written the row, where the database can say so. */
  readonly mark?: string;
}

/** New values for a row, if it still has the old ones. */
export interface Swap {
  readonly row: StoredRow;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A table that holds ciphertext: that of an entity, or of its history. */
export interface StoredRows {
  /** How many rows follow a key; all of them without one. */
  count(after: unknown): Promise<number>;
  /** The next rows, in the order of their keys. */
  batch(after: unknown, size: number): Promise<StoredRow[]>;
  /** Rows by their keys, those that are still there. */
  again(keys: readonly unknown[]): Promise<StoredRow[]>;
  /**
   * Compares and sets; everything but encrypted properties and indexes stays as it is.
   *
   * @param patience - Whether to wait for rows that others are writing, or to leave them alone
   * @returns The keys of the rows that were set
   */
  swap(swaps: readonly Swap[], patience: 'wait' | 'skip'): Promise<unknown[]>;
}

/** Which columns of a table are concerned. */
export interface CiphertextColumns {
  readonly keyName: string;
  /** Property with the id that ciphertext is bound to. */
  readonly idName: string;
  readonly encrypted: readonly string[];
  /** Properties that hold blind indexes. */
  readonly indexes: readonly string[];
}
