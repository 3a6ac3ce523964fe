import {strict as assert} from 'node:assert';
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {Client} from 'pg';
import {openDatabase} from '../database';
import {canReach} from '../database/account';
import {copyBinaries} from '../database/binaries';
import {clusterDirOf} from '../database/cluster';
import {runningPostmaster} from '../database/postmaster';
import {givenDataDir} from './support/server';

describe('the embedded database', function () {
  this.timeout(60_000);

  describe('opened in an empty folder', () => {
    const dataDir = givenDataDir().path;

    it('is a PostgreSQL 18 with a logical log, in code point order, for this machine', async () => {
      const database = await openDatabase(givenSettings(dataDir));
      try {
        assert.match(database.description[0], /^PostgreSQL 18\.\d+, embedded; data in /);
        const answer = await ask(
          database.url,
          `SELECT current_setting('wal_level') AS wal,
                  current_setting('listen_addresses') AS listens,
                  current_setting('server_encoding') AS encoding,
                  (SELECT string_agg(x, '' ORDER BY x)
                     FROM unnest(ARRAY['b','A','a','é','Z','😀','＄']) x) AS sorted`,
        );
        assert.deepEqual(answer, {
          wal: 'logical',
          listens: '127.0.0.1',
          encoding: 'UTF8',
          sorted: 'AZabé＄😀',
        });
      } finally {
        await database.close();
      }
      assert.equal(runningPostmaster(clusterDirOf(dataDir)), undefined);
    });

    it('is not opened by two at a time, and the one that has it keeps it', async () => {
      const first = await openDatabase(givenSettings(dataDir));
      try {
        await assert.rejects(openDatabase(givenSettings(dataDir)), /Another inventory server/);
        assert.deepEqual(await ask(first.url, 'SELECT 1 AS one'), {one: 1});
      } finally {
        await first.close();
      }
    });

    it('is not lost to the guard of a server that was killed a moment ago', async function () {
      if (process.platform === 'win32') this.skip();
      const killed = await givenServerWithGuard(dataDir);
      killed.guard('SIGSTOP');
      await killed.kill();
      const opening = openDatabase(givenSettings(dataDir));
      await untilLockedBy(killed.url);
      killed.guard('SIGCONT');
      const database = await opening;
      try {
        assert.notEqual(database.url, killed.url);
        assert.deepEqual(await ask(database.url, 'SELECT 1 AS one'), {one: 1});
      } finally {
        await database.close();
      }
    });

    it('starts although a file says that it runs, when something else does', async () => {
      const file = join(clusterDirOf(dataDir), 'postmaster.pid');
      writeFileSync(file, `${process.pid}\n${clusterDirOf(dataDir)}\n1\n5432\n`);
      const database = await openDatabase(givenSettings(dataDir));
      await database.close();
    });
  });

  it('says which database of the person does not answer', async () => {
    const databaseUrl = 'postgres://nobody@127.0.0.1:9/nothing';
    await assert.rejects(
      openDatabase({...givenSettings('/nowhere'), databaseUrl}),
      /The database of DATABASE_URL does not answer: .*ECONNREFUSED/,
    );
  });
});

describe('the programs of the embedded database', () => {
  it('are completed by the links that a package cannot carry', () => {
    const from = givenFolder();
    for (const folder of ['bin', 'lib']) mkdirSync(join(from, folder));
    for (const file of ['bin/postgres', 'bin/initdb', 'lib/libz.so.1.2']) {
      writeFileSync(join(from, file), '', {mode: 0o644});
    }
    const links = [{source: 'native/lib/libz.so.1.2', target: 'native/lib/libz.so.1'}];
    writeFileSync(join(from, 'pg-symlinks.json'), JSON.stringify(links));
    const root = {root: from, postgres: '', initdb: ''};

    const made = copyBinaries(root, join(givenFolder(), 'programs'));

    assert.equal(readlinkSync(join(made.root, 'lib/libz.so.1')), 'libz.so.1.2');
    assert.equal(statSync(made.postgres).mode & 0o555, 0o555);
  });

  it('can be reached by an account that every folder above lets through', function () {
    if (process.platform === 'win32') this.skip();
    const folder = givenFolder();
    const file = join(folder, 'postgres');
    const stranger = {uid: 54_321, gid: 54_321};
    chmodSync(folder, 0o700);
    assert.equal(canReach(file, stranger), false);
    chmodSync(folder, 0o711);
    assert.equal(canReach(file, stranger), true);
  });
});

function givenSettings(dataDir: string) {
  return {host: '127.0.0.1', port: 0, dataDir};
}

/** A process that has opened the database, as `npm start` has. */
async function givenServerWithGuard(dataDir: string) {
  const child = spawn(process.execPath, [
    '-e',
    `require(${JSON.stringify(join(__dirname, '../database.js'))})
       .openDatabase(${JSON.stringify(givenSettings(dataDir))})
       .then(({url}) => console.log(url));
     setInterval(() => undefined, 1000);`,
  ], {stdio: ['ignore', 'pipe', 'inherit']});
  const [url] = await once(child.stdout.setEncoding('utf8'), 'data');
  const children = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], {encoding: 'utf8'});
  const guard = children.split('\n').map(line => line.trim().split(/\s+/))
    .find(([, parent, name]) => Number(parent) === child.pid && /sh$/.test(name));
  assert.ok(guard, children);
  return {
    url: String(url).trim(),
    guard: (signal: NodeJS.Signals) => process.kill(Number(guard[0]), signal),
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Until somebody new holds the lock that the killed one held. */
async function untilLockedBy(url: string): Promise<void> {
  const locks = `SELECT count(*)::int AS held FROM pg_stat_activity a JOIN pg_locks l USING (pid)
    WHERE a.application_name = 'inventory lock' AND l.locktype = 'advisory'`;
  while (((await ask(url, locks)) as {held: number}).held === 0) await nextTurn();
}

function givenFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'inventory-'));
  folders.push(path);
  return path;
}

const folders: string[] = [];
after(() => folders.forEach(path => rmSync(path, {recursive: true, force: true})));

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({connectionString: url});
  await client.connect();
  try {
    return (await client.query(sql)).rows[0];
  } finally {
    await client.end();
  }
}
