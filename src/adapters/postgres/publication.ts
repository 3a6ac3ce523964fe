import {createHash} from 'node:crypto';
import {isDeepStrictEqual} from 'node:util';
import {escapeIdentifier, type Pool, type PoolClient} from 'pg';
import type {CatalogTable} from './catalog';
import type {EntityTable} from './describe';
import {PostgresLiveError, WAL_LEVEL_ADVICE} from './errors';

/**
 * The publication's name: the application's, and a hash of the tables, so that two versions of an
 * application, or two applications, on one database leave each other alone.
 */
export function publicationName(application: string, tables: readonly CatalogTable[]): string {
  const names = [...new Set(tables.map(sqlName))].sort();
  const hash = createHash('sha256').update(names.join()).digest('hex').slice(0, 8);
  return `${application.toLowerCase().replace(/\W+/g, '_').slice(0, 50)}_${hash}`;
}

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
    await checkServer(client);
    await client.query('BEGIN');
    // Several processes may start at once.
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
    for (const sql of await missingSteps(client, name, tablesOf(entities))) await runStep(client, sql);
    await client.query('COMMIT');
    await checkGenerated(client, entities);
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
  return (await missingSteps(pool, name, tablesOf(entities))).length === 0;
}

async function checkServer(client: PoolClient): Promise<void> {
  const {rows} = await client.query<{version: string; wal_level: string}>(
    `SELECT current_setting('server_version_num') AS version,
            current_setting('wal_level') AS wal_level`,
  );
  const [{version, wal_level: level}] = rows;
  if (Number(version) < 140000) {
    throw new PostgresLiveError(
      'SERVER_TOO_OLD',
      `the feed needs PostgreSQL 14 or later, this is ${version}`,
    );
  }
  if (level !== 'logical') throw new PostgresLiveError('WAL_LEVEL_NOT_LOGICAL', WAL_LEVEL_ADVICE);
}

async function missingSteps(
  client: Pick<Pool, 'query'>,
  name: string,
  tables: readonly CatalogTable[],
): Promise<string[]> {
  const names = tables.map(sqlName);
  const {rows: identities} = await client.query<{table: string}>(IDENTITIES, [names]);
  const steps = identities.map(({table}) => `ALTER TABLE ${table} REPLICA IDENTITY FULL`);
  const {rows: [found]} = await client.query<{tables: string}>(PUBLICATION, [name]);
  const list = names.join(', ');
  if (found === undefined) {
    const generated = (await publishesGenerated(client)) ? ', publish_generated_columns = stored' : '';
    steps.push(
      `CREATE PUBLICATION ${escapeIdentifier(name)} FOR TABLE ${list} ` +
        `WITH (publish_via_partition_root = true${generated})`,
    );
  } else if (!isDeepStrictEqual(new Set(JSON.parse(found.tables)), new Set(tables.map(pairOf)))) {
    steps.push(`ALTER PUBLICATION ${escapeIdentifier(name)} SET TABLE ${list}`);
  }
  return steps;
}

/** The tables, and the partitions of partitioned ones, whose changes would lack the old row. */
const IDENTITIES = `
  WITH wanted AS (SELECT name::regclass AS id FROM unnest($1::text[]) AS name)
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

async function runStep(client: PoolClient, sql: string): Promise<void> {
  try {
    await client.query(sql);
  } catch (error) {
    const {code, message} = error as {code?: string; message?: string};
    if (code !== '42501') throw error;
    throw new PostgresLiveError(
      'ROLE_LACKS_PRIVILEGE',
      `${message}; as the tables' owner run: ${sql}`,
      {cause: error},
    );
  }
}

async function publishesGenerated(client: Pick<Pool, 'query'>): Promise<boolean> {
  const {rows} = await client.query<{version: string}>(
    `SELECT current_setting('server_version_num') AS version`,
  );
  return Number(rows[0].version) >= 180000;
}

/** A column that the log does not carry would be missing in live rows, and there only. */
async function checkGenerated(
  client: PoolClient,
  entities: readonly EntityTable[],
): Promise<void> {
  const stored = await publishesGenerated(client);
  for (const {shape, columns} of entities) {
    for (const [property, {generated}] of Object.entries(columns)) {
      if (generated === '' || (generated === 's' && stored)) continue;
      throw new PostgresLiveError(
        'COLUMN_NOT_REPLICATED',
        `${shape.name}.${property}: the database computes this column and cannot publish it ` +
          '(stored ones from PostgreSQL 18 on); leave it out of the model, or keep it by a trigger',
      );
    }
  }
}

/** The tables of all entities, each once: two models can share one. */
function tablesOf(entities: readonly EntityTable[]): CatalogTable[] {
  return [...new Map(entities.map(({table}) => [sqlName(table), table])).values()];
}

function sqlName({schema, name}: CatalogTable): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
}

function pairOf({schema, name}: CatalogTable): [string, string] {
  return [schema, name];
}
