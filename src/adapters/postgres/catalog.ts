import {escapeIdentifier, type Pool} from 'pg';

/** What the database's catalog says of a column. */
export interface CatalogColumn {
  readonly name: string;
  /** The column's own type, which can be a domain. */
  readonly typeOid: number;
  /** The type under all domains. */
  readonly baseOid: number;
  /** How SQL spells the base type, without modifier: `text`, `numeric`, `"app"."mood"`. */
  readonly baseType: string;
  /** `e` for enums, `b` for most others. */
  readonly baseKind: string;
  readonly collation?: CatalogCollation;
  /** Computed by the database: `s` stored, `v` virtual. */
  readonly generated: '' | 's' | 'v';
}

export interface CatalogCollation {
  /** Quoted with its schema; absent for the database's default. */
  readonly name?: string;
  readonly deterministic: boolean;
  /** `c` libc, `i` ICU, `b` PostgreSQL's own (17 and later). */
  readonly provider: string;
  readonly locale: string;
}

export interface CatalogTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly CatalogColumn[];
}

/** A table named by the application. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** A table's name for statements. */
export function sqlName({schema, name}: TableName): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
}

/** Reads a table's columns, types and collations; undefined where there is no such table. */
export async function readTable(pool: Pool, table: TableName): Promise<CatalogTable | undefined> {
  const {rows: found} = await pool.query<{oid: string}>(
    `SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')`,
    [table.schema, table.name],
  );
  if (found.length === 0) return undefined;
  const {rows} = await pool.query<Record<string, string | null>>(COLUMNS, [found[0].oid]);
  return {...table, oid: Number(found[0].oid), columns: rows.map(columnOf)};
}

/** What a relation is that is no table; undefined for a table, and where there is nothing. */
export async function readKind(pool: Pool, {schema, name}: TableName): Promise<string | undefined> {
  const {rows} = await pool.query<{kind: string | null}>(
    `SELECT CASE c.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'
                           WHEN 'f' THEN 'a foreign table' END AS kind
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, name],
  );
  return rows[0]?.kind ?? undefined;
}

const COLUMNS = `
  WITH RECURSIVE bases(column_number, type) AS (
    SELECT attnum, atttypid FROM pg_attribute
    WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT column_number, typbasetype FROM bases JOIN pg_type ON pg_type.oid = type
    WHERE typtype = 'd'
  )
  SELECT a.attname AS name, a.atttypid AS type, t.oid AS base, t.typtype AS kind,
         format_type(t.oid, NULL) AS base_type, a.attgenerated AS generated,
         CASE WHEN a.attcollation <> 0 THEN to_jsonb(l) END AS collation,
         quote_ident(n.nspname) || '.' || quote_ident(l.collname) AS collation_name,
         to_jsonb(d) AS database
  FROM pg_attribute a
  JOIN bases ON bases.column_number = a.attnum
  JOIN pg_type t ON t.oid = bases.type AND t.typtype <> 'd'
  JOIN pg_database d ON d.datname = current_database()
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
  LEFT JOIN pg_namespace n ON n.oid = l.collnamespace
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum`;

function columnOf(row: Record<string, string | null>): CatalogColumn {
  return {
    name: row.name!,
    typeOid: Number(row.type),
    baseOid: Number(row.base),
    baseType: row.base_type!,
    baseKind: row.kind!,
    generated: (row.generated ?? '') as CatalogColumn['generated'],
    ...(row.collation !== null && {collation: collationOf(row)}),
  };
}

/** Names of these catalog columns differ between versions 15, 16 and 17, hence JSON. */
function collationOf(row: Record<string, string | null>): CatalogCollation {
  const own = JSON.parse(row.collation!) as Record<string, string | boolean | null>;
  if (own.collprovider !== 'd') {
    return {
      name: row.collation_name!,
      deterministic: own.collisdeterministic !== false,
      provider: String(own.collprovider),
      locale: String(own.colllocale ?? own.colliculocale ?? own.collcollate),
    };
  }
  const database = JSON.parse(row.database!) as Record<string, string | null>;
  const provider = database.datlocprovider ?? 'c';
  const locale = database.datlocale ?? database.daticulocale;
  return {
    deterministic: true,
    provider,
    locale: String(provider === 'c' ? database.datcollate : locale),
  };
}

/** Whether a collation orders by code point, which Node can do too. */
export function ordersByCodePoint({provider, locale}: CatalogCollation): boolean {
  // PostgreSQL's own provider never orders otherwise; libc does so for certain under these names.
  return provider === 'b' || (provider === 'c' && (locale === 'C' || locale === 'POSIX'));
}
