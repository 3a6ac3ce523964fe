import {isDeepStrictEqual} from 'node:util';
import type {Pool} from 'pg';
import {sqlName, type CatalogTable} from './catalog';

/** What a publication and its tables lack of what the feed needs. */
export interface Gaps {
  readonly publication: 'right' | 'different' | 'absent';
  readonly tablesWithoutOldRows: readonly string[];
}

/** As the database writes it. */
interface Published {
  readonly whole: 'true' | 'false';
  readonly tables: string;
}

export async function findGaps(
  client: Pick<Pool, 'query'>,
  name: string,
  tables: readonly CatalogTable[],
): Promise<Gaps> {
  // A table that was dropped is no error here: it makes the publication different.
  const identities = await client.query<{table: string}>(IDENTITIES, [tables.map(sqlName)]);
  const {rows} = await client.query<Published>(PUBLICATION, [name]);
  const wanted = new Set(tables.map(({schema, name: table}) => [schema, table, true]));
  const isRight = ({whole, tables: found}: Published) =>
    whole === 'true' && isDeepStrictEqual(new Set(JSON.parse(found) as unknown[]), wanted);
  return {
    tablesWithoutOldRows: identities.rows.map(({table}) => table),
    publication: rows.length === 0 ? 'absent' : isRight(rows[0]) ? 'right' : 'different',
  };
}

/** The tables, and the partitions of partitioned ones, whose changes would lack the old row. */
const IDENTITIES = `
  WITH wanted AS (SELECT to_regclass(name) AS id FROM unnest($1::text[]) AS name)
  SELECT oid::regclass::text AS table FROM pg_class
  WHERE relreplident <> 'f' AND relkind IN ('r', 'p')
    AND oid IN (SELECT id FROM wanted
                UNION SELECT relid FROM wanted, pg_partition_tree(wanted.id))
  ORDER BY oid`;

/**
 * Its tables, each with whether all of its rows and columns are published. What not every version
 * of the server has is asked for through JSON.
 */
const PUBLICATION = `
  SELECT (p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AND p.pubviaroot
           AND coalesce(to_jsonb(p) ->> 'pubgencols', 's') = 's')::text AS whole,
         coalesce(json_agg(json_build_array(n.nspname, c.relname,
           to_jsonb(r) ->> 'prqual' IS NULL AND to_jsonb(r) ->> 'prattrs' IS NULL))
           FILTER (WHERE c.oid IS NOT NULL), '[]')::text AS tables
  FROM pg_publication p
  LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid
  LEFT JOIN pg_class c ON c.oid = r.prrelid
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE p.pubname = $1
  GROUP BY p.oid`;
