import {createHash} from 'node:crypto';
import {escapeIdentifier, type Pool} from 'pg';
import {sqlName, type CatalogTable} from './catalog';
import type {EntityTable} from './describe';
import {PostgresLiveError, WAL_LEVEL_ADVICE} from './errors';
import {findObstacle} from './obstacles';
import {findGaps, type Gaps} from './publication-gaps';

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
    const tables = tablesOf(entities);
    const obstacle = await findObstacle(client, tables);
    if (obstacle) throw obstacle;
    await client.query('BEGIN');
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    // Several processes may start at once.
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
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

/** What makes the log useless to the feed, and what only the feed's beginning anew mends. */
export async function findTrouble(
  pool: Pool,
  name: string,
  entities: readonly EntityTable[],
): Promise<PostgresLiveError | undefined> {
  const tables = tablesOf(entities);
  const obstacle = await findObstacle(pool, tables);
  if (obstacle) return obstacle;
  const {publication, tablesWithoutOldRows} = await findGaps(pool, name, tables);
  if (publication === 'right' && tablesWithoutOldRows.length === 0) return undefined;
  return new PostgresLiveError(
    'PUBLICATION_CHANGED',
    `the publication ${name} or its tables were changed`,
  );
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

function repairs(
  name: string,
  tables: readonly CatalogTable[],
  {publication, tablesWithoutOldRows}: Gaps,
  version: number,
): string[] {
  const identities = tablesWithoutOldRows.map(table => `ALTER TABLE ${table} REPLICA IDENTITY FULL`);
  const publicationName = escapeIdentifier(name);
  const list = tables.map(sqlName).join(', ');
  const options = [`publish = 'insert, update, delete, truncate'`, 'publish_via_partition_root = true'];
  if (version >= PUBLISHES_GENERATED) options.push('publish_generated_columns = stored');
  switch (publication) {
    case 'right':
      return identities;
    case 'different':
      return [
        ...identities,
        `ALTER PUBLICATION ${publicationName} SET TABLE ${list}`,
        `ALTER PUBLICATION ${publicationName} SET (${options.join(', ')})`,
      ];
    case 'absent':
      return [
        ...identities,
        `CREATE PUBLICATION ${publicationName} FOR TABLE ${list} WITH (${options.join(', ')})`,
      ];
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
