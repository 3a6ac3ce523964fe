import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {juggler, type Options} from '@loopback/repository';
import type {DatabaseConfig} from './databases';
import {leftOut} from './left-out';

/** A database of one's own on MariaDB. */
export interface MariaDatabase {
  readonly config: DatabaseConfig;
  query(sql: string): Promise<Record<string, unknown>[]>;
  drop(): Promise<void>;
}

const DEFAULT_URL = 'mysql://root@127.0.0.1:3306';
let reachable: Promise<boolean> | undefined;

/**
 * An empty database on the MariaDB of `TEST_MARIADB_URL`, else on the machine's own. Undefined
 * where there is none; the end of the run then says what was left out.
 */
export async function givenMariaDatabase(name: string): Promise<MariaDatabase | undefined> {
  reachable ??= isReachable();
  if (!(await reachable)) return undefined;
  const database = `${name}_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  await run(serverConfig(), `CREATE DATABASE \`${database}\``);
  const config = {...serverConfig(), database};
  return {
    config,
    query: sql => run(config, sql),
    drop: async () => void (await run(serverConfig(), `DROP DATABASE \`${database}\``)),
  };
}

export function givenMariaSource({config}: MariaDatabase, settings: Options = {}) {
  return new juggler.DataSource({
    name: 'maria',
    connector: 'mysql',
    collation: 'utf8mb4_general_ci',
    ...config,
    ...settings,
  });
}

/**
 * A source whose first connection stands. Before that `disconnect()` leaves connections open: that
 * one, and what a transaction has opened meanwhile.
 */
export async function givenConnectedMariaSource(database: MariaDatabase) {
  const source = givenMariaSource(database);
  if (!source.connected) await once(source, 'connected');
  return source;
}

async function isReachable(): Promise<boolean> {
  try {
    const [{version}] = await run(serverConfig(), 'SELECT version() AS version');
    if (/mariadb/i.test(String(version))) return true;
    leftOut('MariaDB', `what was found is ${version}; set TEST_MARIADB_URL`);
  } catch (error) {
    if (process.env.TEST_MARIADB_URL !== undefined) throw error;
    leftOut('MariaDB', 'there is none on 127.0.0.1:3306 for root; set TEST_MARIADB_URL');
  }
  return false;
}

/** Runs one statement on a connection of its own. */
async function run(config: DatabaseConfig, sql: string): Promise<Record<string, unknown>[]> {
  const source = givenMariaSource({config} as MariaDatabase, {connectionLimit: 1});
  try {
    await source.connect();
    return (await source.execute(sql)) as Record<string, unknown>[];
  } finally {
    await source.disconnect();
  }
}

function serverConfig(): DatabaseConfig {
  const {hostname, port, username, password} = new URL(
    process.env.TEST_MARIADB_URL ?? DEFAULT_URL,
  );
  return {
    host: hostname,
    port: Number(port || 3306),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: '',
  };
}
