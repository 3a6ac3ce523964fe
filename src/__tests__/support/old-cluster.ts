import assert from 'node:assert/strict';
import {execFileSync, spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {chown, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {freePort, run, type TestDatabase} from './databases';
import {leftOut} from './left-out';

/**
 * A PostgreSQL of one's own with a transaction id of one's choice, as a cluster has it that has
 * been in use for years. It takes the machine's programs: the embedded ones cannot set an id.
 */
export class OldCluster implements TestDatabase {
  readonly config: TestDatabase['config'];
  readonly url: string;

  private constructor(
    private readonly server: ChildProcess,
    private readonly folder: string,
    port: number,
  ) {
    const user = 'postgres';
    this.config = {host: '127.0.0.1', port, user, password: 'none', database: 'postgres'};
    this.url = `postgres://${user}:none@127.0.0.1:${port}/postgres`;
  }

  /** Undefined where the machine has no `pg_resetwal`; the end of the run then says so. */
  static async started(nextId: bigint): Promise<OldCluster | undefined> {
    const programs = await programsOfPostgres();
    if (!programs) {
      leftOut('transaction ids that wrap around', 'there is no /usr/lib/postgresql/*/bin');
      return undefined;
    }
    const folder = await mkdtemp(join(tmpdir(), 'live-entities-old-'));
    const owner = ownerOfServers();
    const give = async (path: string) =>
      owner.uid === undefined ? undefined : chown(path, owner.uid, owner.gid!);
    await give(folder);
    const data = join(folder, 'data');
    const call = (input: string, program: string, ...args: string[]) =>
      execFileSync(join(programs, program), args, {...owner, input, stdio: 'pipe', cwd: folder});
    call('', 'initdb', '-D', data, '-U', 'postgres', '--auth=trust', '--locale=C', '--no-sync');
    // What was written by the first transactions would now be written by future ones.
    for (const database of ['template1', 'postgres']) {
      call('VACUUM FREEZE', 'postgres', '--single', '-D', data, database);
    }
    call('', 'pg_resetwal', '-D', data, '-x', String(nextId));
    // Where the server looks up what has become of a transaction, 2^20 of them in a file.
    const statuses = (nextId >> 20n).toString(16).toUpperCase().padStart(4, '0');
    const path = join(data, 'pg_xact', statuses);
    await writeFile(path, Buffer.alloc(2 ** 18));
    await give(path);
    const port = await freePort();
    const settings = {
      port, listen_addresses: '127.0.0.1', unix_socket_directories: '', wal_level: 'logical',
      fsync: 'off',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(join(programs, 'postgres'), ['-D', data, ...flags], {
      ...owner, stdio: ['ignore', 'ignore', 'pipe'], cwd: folder,
    });
    await isReady(server);
    return new OldCluster(server, folder, port);
  }

  readonly query: TestDatabase['query'] = (sql, parameters) => run(this.url, sql, parameters);

  async drop(): Promise<void> {
    const gone = once(this.server, 'exit');
    this.server.kill('SIGINT');
    await gone;
    await rm(this.folder, {recursive: true, force: true});
  }
}

async function programsOfPostgres(): Promise<string | undefined> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => []);
  return versions
    .filter(version => Number(version) >= 14)
    .map(version => `/usr/lib/postgresql/${version}/bin`)
    .find(folder => existsSync(join(folder, 'pg_resetwal')));
}

/** PostgreSQL refuses to run as root. */
function ownerOfServers(): {uid?: number; gid?: number} {
  if (process.getuid?.() !== 0) return {};
  const id = (of: string) => Number(execFileSync('id', [of, 'postgres'], {encoding: 'utf8'}));
  return {uid: id('-u'), gid: id('-g')};
}

/** Its log goes on being read, so that it does not wait for us. */
async function isReady(server: ChildProcess): Promise<void> {
  let log = '';
  await new Promise<void>(resolve => {
    server.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      log = (log + chunk).slice(-10_000);
      if (log.includes('ready to accept connections')) resolve();
    });
    server.once('exit', () => resolve());
  });
  assert.match(log, /ready to accept connections/, log);
}
