import {resolve} from 'node:path';

/** What a person can set from outside, and what holds when nothing is set. */
export interface Settings {
  /** Address to listen on. `HOST`, default `127.0.0.1`: this machine only. */
  readonly host: string;
  /** Port to listen on, 0 for any free one. `PORT`, default 3000. */
  readonly port: number;
  /** A PostgreSQL of your own, with `wal_level=logical`. `DATABASE_URL`; embedded when unset. */
  readonly databaseUrl?: string;
  /** Where the embedded database and the generated secrets are kept. `INVENTORY_DATA`. */
  readonly dataDir: string;
}

/** The start cannot go on, for a reason that the person can do something about. */
export class StartupError extends Error {
  readonly code = 'STARTUP_FAILED';
}

export const EXAMPLE_ROOT = resolve(__dirname, '..');

/** Reads the settings from environment variables. */
export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  return {
    host: env.HOST?.trim() || '127.0.0.1',
    port: readPort(env.PORT),
    databaseUrl: readDatabaseUrl(env.DATABASE_URL),
    dataDir: resolve(env.INVENTORY_DATA?.trim() || resolve(EXAMPLE_ROOT, '.data')),
  };
}

function readPort(text: string | undefined): number {
  const value = text?.trim();
  if (!value) return 3000;
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw new StartupError(`PORT is '${value}', which is no port: give a number from 0 to 65535.`);
}

function readDatabaseUrl(text: string | undefined): string | undefined {
  const value = text?.trim();
  if (!value) return undefined;
  if (/^postgres(ql)?:\/\//.test(value) && URL.canParse(value)) return value;
  throw new StartupError(
    'DATABASE_URL is not the address of a PostgreSQL database. ' +
      'It looks like postgres://user:password@host:5432/database.',
  );
}
