import type {ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {Client} from 'pg';
import {
  clusterDirOf,
  freePort,
  initCluster,
  planCluster,
  spawnPostgres,
  type ClusterPlan,
} from './database/cluster';
import {endPostmaster, guard, isAlive, runningPostmaster} from './database/postmaster';
import {readSecrets} from './secrets';
import {StartupError, type Settings} from './settings';

/** A database that answers. */
export interface Database {
  readonly url: string;
  /** In words, for the person who started the server. */
  readonly description: readonly string[];
  readonly embedded: boolean;
  /** Ends what `openDatabase` started; a database of the person's own is left alone. */
  close(): Promise<void>;
}

const USER = 'postgres';
const DATABASE = 'inventory';
/** Held by the server that uses the embedded database, as long as its connection lives. */
const SERVER_LOCK = 7_230_118;

/** Opens the database of the settings: the person's own, or the embedded one. */
export async function openDatabase(settings: Settings): Promise<Database> {
  if (settings.databaseUrl) return openOwn(settings.databaseUrl);
  mkdirSync(settings.dataDir, {recursive: true});
  const plan = planCluster(settings.dataDir);
  const {databasePassword} = readSecrets(settings.dataDir);
  await initCluster(plan, USER, databasePassword);
  for (;;) {
    const cluster = await startCluster(plan, databasePassword);
    try {
      const lock = await takeLock(cluster.url('postgres'), settings.dataDir);
      if (cluster.fresh || (await survives(lock))) return await finish(plan, cluster, lock);
    } catch (error) {
      if (!cluster.fresh && isGoingDown(error)) continue;
      if (!(error instanceof InUseError)) await cluster.end();
      throw error;
    }
  }
}

/** The address of the embedded database while a server runs on it; for other processes. */
export function runningDatabaseUrl(settings: Settings): string | undefined {
  if (settings.databaseUrl) return settings.databaseUrl;
  const running = runningPostmaster(clusterDirOf(settings.dataDir));
  if (!running) return undefined;
  return urlOf(running.port, readSecrets(settings.dataDir).databasePassword, DATABASE);
}

class InUseError extends StartupError {}

interface Cluster {
  readonly pid: number;
  /** Started by this process, not found running. */
  readonly fresh: boolean;
  url(database: string): string;
  end(): Promise<void>;
}

async function openOwn(url: string): Promise<Database> {
  const client = new Client({connectionString: url, connectionTimeoutMillis: 5000});
  try {
    await client.connect();
    const {rows} = await client.query<{server_version: string}>('SHOW server_version');
    await mustLogLogically(client);
    const {host, pathname} = new URL(url);
    return {
      url,
      embedded: false,
      description: [`PostgreSQL ${rows[0].server_version} of your own: ${host}${pathname}`],
      close: async () => undefined,
    };
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const why = error instanceof Error ? error.message || String(error) : String(error);
    throw new StartupError(`The database of DATABASE_URL does not answer: ${why}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function mustLogLogically(client: Client): Promise<void> {
  const {rows} = await client.query<{wal_level: string}>('SHOW wal_level');
  if (rows[0].wal_level === 'logical') return;
  throw new StartupError(
    `The database of DATABASE_URL runs with wal_level=${rows[0].wal_level}; live views need ` +
      'wal_level=logical: ALTER SYSTEM SET wal_level = logical; then restart PostgreSQL.',
  );
}

async function startCluster(plan: ClusterPlan, password: string): Promise<Cluster> {
  const running = await settle(plan, password);
  if (running) return clusterOf(running.pid, running.port, password, false);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const child = spawnPostgres(plan, port);
    const problem = await untilReady(child, urlOf(port, password, 'postgres'));
    if (!problem && child.pid) return clusterOf(child.pid, port, password, true);
    const log = readFileSync(plan.logFile, 'utf8').trim();
    // Between finding the port and taking it, another program may have taken it.
    if (attempt < 3 && /could not bind/i.test(log)) continue;
    throw new StartupError(
      `The embedded database did not start: ${problem}\n${log.split('\n').slice(-8).join('\n')}`,
    );
  }
}

/**
 * A server that was killed leaves its database running for a moment, or for good. One that is on
 * its way down is waited for; one that answers is taken over.
 */
async function settle(plan: ClusterPlan, password: string) {
  const end = Date.now() + 20_000;
  for (let running; (running = runningPostmaster(plan.clusterDir)); await sleep(50)) {
    if (!(await connectError(urlOf(running.port, password, 'postgres')))) return running;
    if (Date.now() > end) await endPostmaster(running.pid);
  }
  return undefined;
}

async function untilReady(child: ChildProcess, url: string): Promise<string | undefined> {
  let ended: string | undefined;
  child.once('error', error => (ended = error.message));
  child.once('exit', (code, signal) => (ended = `it ended with ${signal ?? `code ${code}`}`));
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(25)) {
    if (ended) return ended;
    if (!(await connectError(url))) return undefined;
  }
  return 'it did not answer within a minute';
}

async function connectError(url: string): Promise<unknown> {
  const client = new Client({connectionString: url, connectionTimeoutMillis: 2000});
  client.on('error', () => undefined);
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    return error ?? new Error('no answer');
  } finally {
    await client.end().catch(() => undefined);
  }
}

function clusterOf(pid: number, port: number, password: string, fresh: boolean): Cluster {
  return {
    pid,
    fresh,
    url: database => urlOf(port, password, database),
    end: async () => {
      if (isAlive(pid)) await endPostmaster(pid);
    },
  };
}

/** Two servers on one embedded database would end it under each other. */
async function takeLock(url: string, dataDir: string): Promise<Client> {
  const client = new Client({connectionString: url, application_name: 'inventory lock'});
  client.on('error', () => undefined);
  await client.connect();
  // The connection of a server that was killed a moment ago may not have been noticed yet.
  for (const end = Date.now() + 2000; ; await sleep(100)) {
    const {rows} = await client.query('SELECT pg_try_advisory_lock($1) AS taken', [SERVER_LOCK]);
    if (rows[0].taken) return client;
    if (Date.now() > end) break;
  }
  await client.end();
  throw new InUseError(
    `Another inventory server is running on ${dataDir}.\n` +
      'Stop it first (Ctrl-C where it runs), or give this one a folder of its own: ' +
      'INVENTORY_DATA=/some/folder PORT=3001 npm start',
  );
}

/**
 * A server that was killed a moment ago may have a guard that is only now about to end its
 * database: one that was found running is ours when it is still there a second later.
 */
async function survives(lock: Client): Promise<boolean> {
  const ended = once(lock, 'end').then(() => false);
  return Promise.race([ended, sleep(1000, true)]);
}

/** The database has been told to end (57P01, 57P03), or has gone in the middle of a question. */
function isGoingDown(error: unknown): boolean {
  const {code, message} = error as {code?: unknown; message?: unknown};
  return /^57P0|^ECONN/.test(String(code)) || /connection terminated/i.test(String(message));
}

async function finish(plan: ClusterPlan, cluster: Cluster, lock: Client): Promise<Database> {
  const known = await lock.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
  if (known.rowCount === 0) await lock.query(`CREATE DATABASE ${DATABASE}`);
  const {rows} = await lock.query<{server_version: string}>('SHOW server_version');
  // Only now: a server that was refused must not take the database of the other one down with it.
  const watcher = guard(cluster.pid);
  return {
    url: cluster.url(DATABASE),
    embedded: true,
    description: [
      `PostgreSQL ${rows[0].server_version}, embedded; data in ${plan.clusterDir}`,
      ...(plan.movedBecause ? [`(there because ${plan.movedBecause})`] : []),
    ],
    close: async () => {
      watcher?.kill('SIGKILL');
      await lock.end().catch(() => undefined);
      await cluster.end();
    },
  };
}

function urlOf(port: number, password: string, database: string): string {
  return `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
}

