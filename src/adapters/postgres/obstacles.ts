import type {Pool} from 'pg';
import {sqlName, type CatalogTable} from './catalog';
import {PostgresLiveError} from './errors';

interface Found {
  readonly table: string;
  readonly part: string;
  readonly kind: 'unreadable' | 'unlogged' | 'foreign' | 'inherited' | 'secured';
}

/**
 * The first table of which the log does not tell what its readers see: one that the role may not
 * read; one that is not logged, in a part or as a whole; one with rows that are another table's;
 * one with rows that the role does not see, which the log would show it all the same.
 *
 * @returns undefined where there is none
 */
export async function findObstacle(
  client: Pick<Pool, 'query'>,
  tables: readonly CatalogTable[],
): Promise<PostgresLiveError | undefined> {
  const {rows} = await client.query<Found>(OBSTACLES, [tables.map(sqlName)]);
  return rows.length === 0 ? undefined : obstacleOf(rows[0]);
}

function obstacleOf({table, part, kind}: Found): PostgresLiveError {
  switch (kind) {
    case 'unreadable':
      return new PostgresLiveError(
        'ROLE_LACKS_PRIVILEGE',
        `the role may not read ${table}; as the table's owner, run: GRANT SELECT ON ${table} TO …`,
      );
    case 'unlogged':
      return new PostgresLiveError(
        'TABLE_NOT_LOGGED',
        `changes of the table ${part} are not logged; run: ALTER TABLE ${part} SET LOGGED`,
      );
    case 'foreign':
      return new PostgresLiveError(
        'TABLE_NOT_LOGGED',
        `the partition ${part} of ${table} is a foreign table, of which the log tells no changes; ` +
          'detach it, or set feed: \'repository\'',
      );
    case 'inherited':
      return new PostgresLiveError(
        'TABLE_INHERITED',
        `${table} shows the rows of ${part}, which inherits from it; the log tells of them as ` +
          `another table's; make it a partition, or run: ALTER TABLE ${part} NO INHERIT ${table}`,
      );
    case 'secured':
      return new PostgresLiveError(
        'ROW_SECURITY_ACTIVE',
        `row security hides rows of ${table} from the role, and the log does not: use scope or ` +
          'access filters for what people may see, and as a superuser run ALTER ROLE … BYPASSRLS',
      );
  }
}

const OBSTACLES = `
  WITH RECURSIVE tree (root, part) AS (
    SELECT to_regclass(name)::oid, to_regclass(name)::oid FROM unnest($1::text[]) AS name
    UNION
    SELECT root, inhrelid FROM tree JOIN pg_inherits ON inhparent = part
  ), found AS (
    SELECT t.root, t.part, CASE
      WHEN NOT has_any_column_privilege(t.root, 'SELECT') THEN 'unreadable'
      WHEN p.relkind = 'f' THEN 'foreign'
      WHEN r.relkind = 'r' AND t.part <> t.root THEN 'inherited'
      WHEN p.relpersistence <> 'p' THEN 'unlogged'
      WHEN t.part = t.root AND row_security_active(t.root) THEN 'secured'
    END AS kind
    FROM tree t JOIN pg_class r ON r.oid = t.root JOIN pg_class p ON p.oid = t.part
  )
  SELECT root::regclass::text AS table, part::regclass::text AS part, kind
  FROM found WHERE kind IS NOT NULL ORDER BY root, part`;
