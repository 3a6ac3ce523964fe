import type {Options} from '@loopback/repository';
import {sealedKeyId} from '../crypto/envelope';
import type {PostgresExecutor} from '../executors/postgres';
import {param, sql, type Fragment} from '../executors/sql';
import type {JugglerModelClass} from '../juggler';
import type {Row} from '../plan';
import type {CiphertextColumns, StoredRow, StoredRows, Swap} from './stored-rows';

/**
 * A table of PostgreSQL, a batch in one statement.
 *
 * A row is set if its values are as they were read. Those that are no ciphertext yet are not sent
 * to be compared, since statements are logged: for them, the row must be as it was read altogether,
 * which `xmin` tells, the transaction that wrote it.
 */
export class PostgresRows implements StoredRows {
  private readonly table: string;
  private readonly key: string;
  private readonly names: readonly string[];

  constructor(
    private readonly postgres: PostgresExecutor,
    private readonly model: JugglerModelClass,
    private readonly columns: CiphertextColumns,
    private readonly options: Options,
  ) {
    this.table = postgres.shapeOf(model).table;
    this.key = this.column(columns.keyName);
    this.names = [...columns.encrypted, ...columns.indexes];
  }

  async count(after: unknown): Promise<number> {
    const from = sql`SELECT count(*) FROM ${this.table} ${this.following(after)}`;
    return Number((await this.postgres.query(from, this.options)).rows[0][0]);
  }

  batch(after: unknown, size: number): Promise<StoredRow[]> {
    const page = sql`ORDER BY ${this.key} LIMIT ${param(size, '::int')}`;
    return this.read(sql`${this.following(after)} ${page}`);
  }

  again(keys: readonly unknown[]): Promise<StoredRow[]> {
    return this.read(sql`WHERE ${this.key} IN (SELECT ${this.key} FROM ${this.records(
      keys.map(key => ({[this.columns.keyName]: key})),
    )})`);
  }

  async swap(swaps: readonly Swap[], patience: 'wait' | 'skip'): Promise<unknown[]> {
    if (swaps.length === 0) return [];
    const {key, table} = this;
    const {keyName} = this.columns;
    const columns = this.names.map(name => this.column(name));
    const old = swaps.map(({row}) => ({...this.concealed(row), [keyName]: row.key}));
    const fresh = swaps.map(({row, values}) => ({...row.values, ...values, [keyName]: row.key}));
    const same = columns.map(c => `(t.${c} IS NOT DISTINCT FROM b.${c} OR b.${c} = ${MARK})`);
    // Rows that others have locked are left alone, so that this can never be part of a deadlock.
    const lock = `FOR NO KEY UPDATE OF t${patience === 'skip' ? ' SKIP LOCKED' : ''}`;
    const held = sql`SELECT t.${key} FROM ${table} AS t JOIN ${this.records(old)} AS b
      ON t.${key} = b.${key} WHERE ${same.join(' AND ')} ${lock}`;
    const set = columns.map(c => `${c} = n.${c}`).join(', ');
    const result = await this.postgres.query(
      sql`WITH o AS (${held}) UPDATE ${table} AS t SET ${set} FROM ${this.records(fresh)} AS n, o
        WHERE t.${key} = o.${key} AND n.${key} = o.${key} RETURNING t.${key}`,
      this.options,
    );
    return result.rows.map(([written]) => written);
  }

  private async read(rest: Fragment): Promise<StoredRow[]> {
    const {keyName, idName} = this.columns;
    const {names} = this;
    const shown = [keyName, idName, ...names].map(name => this.column(name)).join(', ');
    const statement = sql`SELECT ${shown}, xmin::text FROM ${this.table} ${rest}`;
    const {rows} = await this.postgres.query(statement, this.options);
    return rows.map(([key, id, ...cells]) => ({
      key,
      id,
      values: Object.fromEntries(names.map((name, i) => [name, cells[i]])),
      mark: `xmin ${String(cells[names.length])}`,
    }));
  }

  /** The values to compare with: the row's mark in place of those that may be no ciphertext. */
  private concealed({values, mark}: StoredRow): Row {
    const entries = this.columns.encrypted.map(name => {
      const value = values[name];
      const isSealed = value === null || sealedKeyId(String(value)) !== undefined;
      return [name, isSealed ? value : mark];
    });
    return {...values, ...Object.fromEntries(entries)};
  }

  /** Rows that are typed as the table's own, whatever those types are. */
  private records(rows: readonly Row[]): Fragment {
    const named = rows.map(row =>
      Object.fromEntries(Object.entries(row).map(([name, v]) => [this.plainColumn(name), v])),
    );
    const json = param(JSON.stringify(named), '::json');
    return sql`json_populate_recordset(NULL::${this.table}, ${json})`;
  }

  private following(after: unknown): Fragment {
    return after === undefined ? sql`` : sql`WHERE ${this.key} > ${param(after)}`;
  }

  private column(name: string): string {
    const {properties, columns} = this.postgres.shapeOf(this.model);
    return columns[properties.indexOf(name)];
  }

  /** Its name as JSON has it, without quotes. */
  private plainColumn(name: string): string {
    return this.column(name).slice(1, -1).replaceAll('""', '"');
  }
}

const MARK = `'xmin ' || t.xmin::text`;
