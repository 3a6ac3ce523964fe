import {escapeIdentifier, type Pool} from 'pg';
import type {EntityTable} from './describe';

/** What altering a table changed. */
export interface Alteration {
  readonly entity: string;
  /** Whether the columns are others now, by type, order of values or collation. */
  readonly columns: boolean;
}

interface Definition {
  readonly entity: string;
  /** Which files the rows are in, those of partitions and inheriting tables included. */
  readonly storage: string;
  readonly columns: string;
}

/**
 * Notices what changes a table's rows without a word in the log: `ALTER … TYPE … USING` writes all
 * of them anew, a partition comes, goes or is emptied, the values of an enum get other names.
 * `VACUUM FULL` and `CLUSTER` look the same from here.
 */
export class DefinitionWatch {
  private known = new Map<string, Definition>();

  constructor(
    private readonly pool: Pool,
    private readonly entities: readonly EntityTable[],
  ) {}

  /** What was altered since the last look; the first one finds nothing. */
  async look(): Promise<Alteration[]> {
    const wanted = this.entities.map(({shape, table, columns}) => ({
      entity: shape.name,
      name: `${escapeIdentifier(table.schema)}.${escapeIdentifier(table.name)}`,
      columns: Object.values(columns).map(({name}) => name),
    }));
    const {rows} = await this.pool.query<Definition>(DEFINITIONS, [JSON.stringify(wanted)]);
    const before = this.known;
    this.known = new Map(rows.map(row => [row.entity, row]));
    return rows.flatMap(({entity, storage, columns}) => {
      const old = before.get(entity);
      if (!old || (old.storage === storage && old.columns === columns)) return [];
      return [{entity, columns: old.columns !== columns}];
    });
  }

  /** Has the next look find these altered again. */
  forget(alterations: readonly Alteration[]): void {
    for (const {entity, columns} of alterations) {
      const old = this.known.get(entity);
      if (old) this.known.set(entity, {...old, storage: '', ...(columns && {columns: ''})});
    }
  }
}

/**
 * Takes no locks, unlike `pg_partition_tree`: it must not wait for the alterations that it is to
 * find. Only the entity's own columns count; others may come and go.
 */
const DEFINITIONS = `
  WITH RECURSIVE wanted AS (
    SELECT entity, to_regclass(name)::oid AS root, columns
    FROM jsonb_to_recordset($1::jsonb) AS wanted (entity text, name text, columns text[])
  ), tree (root, part) AS (
    SELECT root, root FROM wanted
    UNION
    SELECT root, inhrelid FROM tree
    JOIN pg_inherits ON inhparent = part AND NOT inhdetachpending
  )
  SELECT entity, coalesce((
    SELECT hashtextextended(string_agg(concat_ws(' ', c.oid, c.relfilenode), ',' ORDER BY c.oid), 0)
    FROM tree JOIN pg_class c ON c.oid = part WHERE tree.root = wanted.root
  )::text, '') AS storage, coalesce((
    SELECT hashtextextended(string_agg(concat_ws(' ', attnum, attname, atttypid, attcollation, (
      SELECT string_agg(quote_literal(enumlabel), ' ' ORDER BY enumsortorder)
      FROM pg_enum WHERE enumtypid = atttypid
    )), ',' ORDER BY attnum), 0)
    FROM pg_attribute
    WHERE attrelid = root AND attnum > 0 AND NOT attisdropped AND attname = ANY (columns)
  )::text, '') AS columns
  FROM wanted`;
