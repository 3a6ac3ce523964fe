import {randomBytes} from 'node:crypto';
import {mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {StartupError} from './settings';

/** What must stay the same from start to start and is nobody else's business. */
export interface Secrets {
  readonly databasePassword: string;
  /** Signs the tokens of those who are signed in. */
  readonly tokenSecret: string;
  /** Encrypts the supplier prices: without it they are lost. */
  readonly encryptionKey: string;
}

const NAMES: readonly (keyof Secrets)[] = ['databasePassword', 'tokenSecret', 'encryptionKey'];

/**
 * The secrets of this installation, made by chance at the first start and kept beside the data.
 * In production they come from a secret store instead.
 */
export function readSecrets(dataDir: string): Secrets {
  const file = join(dataDir, 'secrets.json');
  try {
    return check(JSON.parse(readFileSync(file, 'utf8')), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = Object.fromEntries(NAMES.map(name => [name, randomBytes(32).toString('hex')]));
  mkdirSync(dataDir, {recursive: true});
  // Written aside and renamed: a file that is there is whole.
  writeFileSync(`${file}.new`, `${JSON.stringify(made, undefined, 2)}\n`, {mode: 0o600});
  renameSync(`${file}.new`, file);
  return check(made, file);
}

function check(value: unknown, file: string): Secrets {
  const secrets = value as Partial<Secrets>;
  const missing = NAMES.filter(name => typeof secrets?.[name] !== 'string');
  if (missing.length === 0) return secrets as Secrets;
  throw new StartupError(`${file} lacks ${missing.join(', ')}; it cannot be used.`);
}
