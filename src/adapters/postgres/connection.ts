import {Pool, type ClientConfig, type PoolConfig} from 'pg';

/** The part of a juggler datasource's settings that says how to reach the server. */
export interface ConnectionSettings {
  readonly url?: string;
  readonly connectionString?: string;
  readonly host?: string;
  readonly hostname?: string;
  readonly port?: number | string;
  readonly user?: string;
  readonly username?: string;
  readonly password?: string | (() => string | Promise<string>);
  readonly database?: string;
  readonly ssl?: PoolConfig['ssl'];
  readonly options?: string;
}

/**
 * What the walsender and the reader share, so that one value has one text whoever sends it. The
 * text of dates, floats, intervals and bytes depends on the session.
 */
const SESSION = {
  TimeZone: 'UTC',
  DateStyle: 'ISO',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
};

/** Connection settings for `pg` out of those of the juggler's connector, for our own sessions. */
export function connectionOf(settings: ConnectionSettings, applicationName: string): ClientConfig {
  const url = settings.url ?? settings.connectionString;
  const session = Object.entries(SESSION).map(([name, value]) => `-c ${name}=${value}`);
  return {
    ...(url !== undefined && {connectionString: withoutOptions(url)}),
    host: settings.host ?? settings.hostname ?? 'localhost',
    ...(settings.port !== undefined && {port: Number(settings.port)}),
    user: settings.user ?? settings.username,
    password: settings.password,
    database: settings.database,
    ...(settings.ssl !== undefined && {ssl: settings.ssl}),
    options: [optionsOf(url) ?? settings.options ?? '', ...session].join(' ').trim(),
    application_name: applicationName,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  };
}

/** Values stay the server's own text: the decoder of the row's table reads them. */
const RAW_TEXT = {getTypeParser: () => (value: string) => value};

/** A small pool whose results are the server's own text. */
export function rawPool(config: ClientConfig, max: number): Pool {
  const pool = new Pool({...config, max, idleTimeoutMillis: 30_000, types: RAW_TEXT});
  // A broken idle connection is replaced at the next use; unheard, the event would end the process.
  pool.on('error', () => undefined);
  return pool;
}

/** In `pg`, what the URL says wins over the other settings: its options have to be moved out. */
function withoutOptions(url: string): string {
  if (optionsOf(url) === undefined) return url;
  const parsed = new URL(url);
  parsed.searchParams.delete('options');
  return parsed.toString();
}

function optionsOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  return new URL(url).searchParams.get('options') ?? undefined;
}
