import {execFile, spawn, type ChildProcess} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {createServer, type AddressInfo} from 'node:net';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {StartupError} from '../settings';
import {accountFor, canReach, type Account} from './account';
import {copyBinaries, findBinaries, type Binaries} from './binaries';

/** Everything that is needed to make and start the cluster. */
export interface ClusterPlan {
  readonly clusterDir: string;
  readonly logFile: string;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  /** Why the data is not where it was asked for. */
  readonly movedBecause?: string;
}

const MAJOR = '18';

/**
 * Decides where the cluster lives. PostgreSQL does not run as root, and the account that it runs
 * as instead may not be let into the folder of this example (root's home, a private temporary
 * folder): then programs and data live under `/var/lib`.
 */
export function planCluster(dataDir: string): ClusterPlan {
  const clusterDir = clusterDirOf(dataDir);
  const home = dirname(clusterDir);
  const account = accountFor(clusterDir);
  const logFile = join(dataDir, 'postgres.log');
  const binaries = findBinaries();
  if (!account || (home === dataDir && canReach(binaries.postgres, account))) {
    return {clusterDir, logFile, binaries, account};
  }
  const outside = homeOutside(dataDir);
  mkdirSync(outside, {recursive: true, mode: 0o755});
  return {
    clusterDir,
    logFile,
    binaries: copyBinaries(binaries, join(outside, 'programs')),
    account,
    movedBecause:
      home === dataDir
        ? undefined
        : `PostgreSQL does not run as root, and no other account may enter ${dataDir}`,
  };
}

/** The folder of the cluster that belongs to `dataDir`. */
export function clusterDirOf(dataDir: string): string {
  const inside = join(dataDir, 'postgres');
  const account = accountFor(inside);
  return !account || canReach(inside, account) ? inside : join(homeOutside(dataDir), 'postgres');
}

/** Where data goes that cannot be in `dataDir`; the same folder for the same `dataDir`. */
export function homeOutside(dataDir: string): string {
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  return join('/var/lib/loopback4-live-entities', name);
}

/** Makes the cluster unless it is there. It appears whole: an interrupted start leaves none. */
export async function initCluster(
  plan: ClusterPlan,
  user: string,
  password: string,
): Promise<boolean> {
  const versionFile = join(plan.clusterDir, 'PG_VERSION');
  if (existsSync(versionFile)) {
    const major = readFileSync(versionFile, 'utf8').trim();
    if (major === MAJOR) return false;
    throw new StartupError(
      `The data in ${plan.clusterDir} is of PostgreSQL ${major}, this one is ${MAJOR}. ` +
        "Start afresh with 'npm run reset'.",
    );
  }
  const half = `${plan.clusterDir}.new`;
  const passwordFile = `${plan.clusterDir}.password`;
  rmSync(half, {recursive: true, force: true});
  mkdirSync(half, {recursive: true, mode: 0o700});
  writeFileSync(passwordFile, `${password}\n`, {mode: 0o600});
  if (plan.account) {
    chownSync(half, plan.account.uid, plan.account.gid);
    chownSync(passwordFile, plan.account.uid, plan.account.gid);
  }
  try {
    await runInitdb(plan, half, user, passwordFile);
  } finally {
    rmSync(passwordFile, {force: true});
  }
  renameSync(half, plan.clusterDir);
  return true;
}

async function runInitdb(
  plan: ClusterPlan,
  dir: string,
  user: string,
  passwordFile: string,
): Promise<void> {
  const flags = [
    `--pgdata=${dir}`,
    `--username=${user}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    // Text in code point order: what the server sorts, Node can sort the same way.
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ];
  try {
    await promisify(execFile)(plan.binaries.initdb, flags, {...plan.account, cwd: dirname(dir)});
  } catch (error) {
    const {stderr, message} = error as Error & {stderr?: string};
    throw new StartupError(`The database could not be made: ${stderr?.trim() || message}`);
  }
}

/**
 * Starts PostgreSQL in a process group of its own, so that Ctrl-C in the terminal does not reach
 * it: it has to outlive the server that still writes to it.
 */
export function spawnPostgres(plan: ClusterPlan, port: number): ChildProcess {
  const log = openSync(plan.logFile, 'w', 0o600);
  const child = spawn(
    plan.binaries.postgres,
    [
      ...['-D', plan.clusterDir, '-p', String(port)],
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      ...['-c', 'wal_level=logical', '-c', 'max_wal_senders=10'],
      ...['-c', 'max_replication_slots=10', '-c', 'lc_messages=C'],
    ],
    {
      ...plan.account,
      cwd: plan.clusterDir,
      detached: process.platform !== 'win32',
      stdio: ['ignore', log, log],
    },
  );
  closeSync(log);
  child.unref();
  return child;
}

/** A port of the loopback address that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const {port} = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
