import {createHash} from 'node:crypto';
import {isDeepStrictEqual} from 'node:util';
import {escapeIdentifier, type Pool} from 'pg';
import type {CatalogTable} from './catalog';
import type {EntityTable} from './describe';
import {PostgresLiveError, WAL_LEVEL_ADVICE} from './errors';

/** From here on messages are decoded, which carry the readers' marks. */
const OLDEST_VERSION = 140000;
/** From here on stored generated columns can be published. */
const PUBLISHES_GENERATED = 180000;
/** Altering a table waits for its users, and whoever comes later waits behind it: not for long. */
const LOCK_TIMEOUT = '5s';

/**
 * The publication's name: the application's, and a hash of the tables, so that two versions of an
 * application, or two applications, on one database leave each other alone.
 */
export function publicationName(application: string, tables: readonly CatalogTable[]): string {
  const names = [...new Set(tables.map(sqlName))].sort();
  const hash = createHash('sha256').update(names.join()).digest('hex').slice(0, 8);
  return `${prefixOf(application)}_${hash}`;
}

function prefixOf(application: string): string {
  return application.toLowerCase().replace(/\W+/g, '_').slice(0, 50);
}

/**
 * Drops the publications of this application that the role owns and that no stream uses, as those
 * of an earlier version with other entities. A feed that is only away makes its own again when it
 * comes back.
 *
 * @returns The names; none where the server does not let us
 */
export async function dropLeftovers(pool: Pool, application: string): Promise<string[]> {
  const pattern = `^${prefixOf(application)}_[0-9a-f]{8}$`;
  try {
    const {rows} = await pool.query<{name: string}>(LEFTOVERS, [pattern]);
    for (const {name} of rows) {
      await pool.query(`DROP PUBLICATION IF EXISTS ${escapeIdentifier(name)}`);
    }
    return rows.map(({name}) => name);
  } catch {
    // They do no harm; only a table cannot be written to that lacks the replica identity for one.
    return [];
  }
}

const LEFTOVERS = `
  SELECT pubname AS name FROM pg_publication
  WHERE pubname ~ $1 AND pg_has_role(pubowner, 'USAGE')
    AND pubname NOT IN (SELECT application_name FROM pg_stat_activity
                        WHERE datname = current_database() AND application_name IS NOT NULL)
  ORDER BY pubname`;

/**
 * Sees to it that the server logs what the feed needs: a publication of exactly these tables, and
 * whole old rows in their updates and deletes. Changes nothing that is right already.
 *
 * @throws PostgresLiveError saying what the server or the role lacks, and the SQL to run
 */
export async function preparePublication(
  pool: Pool,
  name: string,
  entities: readonly EntityTable[],
): Promise<void> {
  const client = await pool.connect();
  try {
    const version = await checkServer(client);
    checkColumns(entities, version);
    await client.query('BEGIN');
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    // Several processes may start at once.
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
    const tables = tablesOf(entities);
    for (const sql of repairs(name, tables, await findGaps(client, name, tables), version)) {
      await run(client, sql);
    }
    await client.query('COMMIT');
    client.release();
  } catch (error) {
    // A connection in doubt is not used again; closing it rolls the transaction back.
    client.release(true);
    throw error;
  }
}

/** Whether the publication and the tables are still as {@link preparePublication} left them. */
export async function isPublicationCurrent(
  pool: Pool,
  name: string,
  entities: readonly EntityTable[],
): Promise<boolean> {
  const {publication, tablesWithoutOldRows} = await findGaps(pool, name, tablesOf(entities));
  return publication === 'right' && tablesWithoutOldRows.length === 0;
}

/**
 * The server's version.
 *
 * @throws PostgresLiveError `SERVER_TOO_OLD`, `WAL_LEVEL_NOT_LOGICAL`
 */
export async function checkServer(client: Pick<Pool, 'query'>): Promise<number> {
  const {rows} = await client.query<{version: string; wal_level: string}>(
    `SELECT current_setting('server_version_num') AS version,
            current_setting('wal_level') AS wal_level`,
  );
  const version = Number(rows[0].version);
  if (version < OLDEST_VERSION) {
    throw new PostgresLiveError(
      'SERVER_TOO_OLD',
      `the feed needs PostgreSQL 14 or later, this is ${Math.floor(version / 10000)}`,
    );
  }
  if (rows[0].wal_level !== 'logical') {
    throw new PostgresLiveError('WAL_LEVEL_NOT_LOGICAL', WAL_LEVEL_ADVICE);
  }
  return version;
}

/** A column that the log does not carry would be missing in live rows, and there only. */
function checkColumns(entities: readonly EntityTable[], version: number): void {
  for (const {shape, columns} of entities) {
    for (const [property, {generated}] of Object.entries(columns)) {
      if (generated === '' || (generated === 's' && version >= PUBLISHES_GENERATED)) continue;
      throw new PostgresLiveError(
        'COLUMN_NOT_REPLICATED',
        `${shape.name}.${property}: the database computes this column and does not publish it ` +
          '(stored ones from PostgreSQL 18 on); leave it out of the model, or keep it by a trigger',
      );
    }
  }
}

interface Gaps {
  readonly publication: 'right' | 'different' | 'absent';
  readonly tablesWithoutOldRows: readonly string[];
}

async function findGaps(
  client: Pick<Pool, 'query'>,
  name: string,
  tables: readonly CatalogTable[],
): Promise<Gaps> {
  // A table that was dropped is no error here: it makes the publication different.
  const identities = await client.query<{table: string}>(IDENTITIES, [tables.map(sqlName)]);
  const publications = await client.query<{tables: string}>(PUBLICATION, [name]);
  const found = publications.rows.map(row => JSON.parse(row.tables) as [string, string][]);
  const wanted = new Set(tables.map(({schema, name: table}) => [schema, table]));
  return {
    tablesWithoutOldRows: identities.rows.map(({table}) => table),
    publication:
      found.length === 0
        ? 'absent'
        : isDeepStrictEqual(new Set(found[0]), wanted) ? 'right' : 'different',
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

const PUBLICATION = `
  SELECT coalesce(json_agg(json_build_array(n.nspname, c.relname))
                  FILTER (WHERE c.oid IS NOT NULL), '[]') AS tables
  FROM pg_publication p
  LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid
  LEFT JOIN pg_class c ON c.oid = r.prrelid
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE p.pubname = $1
  GROUP BY p.oid`;

function repairs(
  name: string,
  tables: readonly CatalogTable[],
  {publication, tablesWithoutOldRows}: Gaps,
  version: number,
): string[] {
  const identities = tablesWithoutOldRows.map(table => `ALTER TABLE ${table} REPLICA IDENTITY FULL`);
  const list = tables.map(sqlName).join(', ');
  switch (publication) {
    case 'right':
      return identities;
    case 'different':
      return [...identities, `ALTER PUBLICATION ${escapeIdentifier(name)} SET TABLE ${list}`];
    case 'absent': {
      const options = ['publish_via_partition_root = true'];
      if (version >= PUBLISHES_GENERATED) options.push('publish_generated_columns = stored');
      const create = `CREATE PUBLICATION ${escapeIdentifier(name)} FOR TABLE ${list}`;
      return [...identities, `${create} WITH (${options.join(', ')})`];
    }
  }
}

async function run(client: Pick<Pool, 'query'>, sql: string): Promise<void> {
  try {
    await client.query(sql);
  } catch (error) {
    const {code, message} = error as {code?: string; message?: string};
    if (code === '55P03') {
      throw new PostgresLiveError(
        'TABLE_BUSY',
        `a transaction that is open kept this from being done within ${LOCK_TIMEOUT}: ${sql}`,
        {cause: error},
      );
    }
    if (code !== '42501') throw error;
    throw new PostgresLiveError(
      'ROLE_LACKS_PRIVILEGE',
      `${message}; as the tables' owner, who may create in the database, run: ${sql}`,
      {cause: error},
    );
  }
}

/** The tables of all entities, each once: two models can share one. */
function tablesOf(entities: readonly EntityTable[]): CatalogTable[] {
  return [...new Map(entities.map(({table}) => [sqlName(table), table])).values()];
}

function sqlName({schema, name}: CatalogTable): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
}
