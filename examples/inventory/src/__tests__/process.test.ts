import {strict as assert} from 'node:assert';
import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {createServer, type AddressInfo} from 'node:net';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {Client} from 'pg';
import {runningDatabaseUrl} from '../database';
import {clusterDirOf} from '../database/cluster';
import {runningPostmaster} from '../database/postmaster';
import {ServerProcess, givenDataDir} from './support/server';

describe('the inventory as a process', function () {
  this.timeout(90_000);

  describe('on a folder of its own', () => {
    const dataDir = givenDataDir().path;
    const start = (env: NodeJS.ProcessEnv = {}) =>
      new ServerProcess({INVENTORY_DATA: dataDir, ...env});

    it('fills the database at the first start, and says what runs and what to try', async () => {
      const server = start();
      const url = await server.url();
      assert.match(server.output, /1862 of 1862 products/);
      assert.match(server.output, /ada +ada-manager/);
      assert.match(server.output, new RegExp(`${url}/explorer`));
      assert.match(server.output, /embedded; data in /);
      assert.equal((await fetch(`${url}/explorer/`)).status, 200);
      assert.equal(await statusOf(url), 'UP');
      await assertStopsWell(server);
    });

    it('stops at one Ctrl-C although the terminal and npm both pass it on', async () => {
      const server = start();
      await server.url();
      server.signal('SIGINT');
      server.signal('SIGINT');
      await assertStopsWell(server);
    });

    it('stops with the supplier running, and leaves nothing behind', async () => {
      const server = start();
      const url = await server.url();
      const headers = {authorization: `Bearer ${await tokenOf(url)}`};
      const answer = await fetch(`${url}/supplier/start`, {method: 'POST', headers});
      assert.deepEqual(await answer.json(), {running: true});
      await assertStopsWell(server);
    });

    it('stops while it is still starting', async () => {
      const server = start();
      await server.says(/Opening the database/);
      server.signal('SIGTERM');
      const end = await server.ended;
      assert.equal(end.code, 0, end.errors);
      assert.doesNotMatch(end.output, /is running/);
      assert.equal(runningPostmaster(clusterDirOf(dataDir)), undefined);
    });

    it('finds the data again at the next start', async () => {
      const first = start();
      await first.url();
      await sql(dataDir, `UPDATE product SET qty = 4711 WHERE id = 'FUR-BO-10001798'`);
      await first.stop();
      const second = start();
      await second.url();
      assert.doesNotMatch(second.output, /Filling/);
      assert.deepEqual(await sql(dataDir, 'SELECT id FROM product WHERE qty = 4711'), [
        {id: 'FUR-BO-10001798'},
      ]);
      await assertStopsWell(second);
    });

    it('starts again after it was killed, with what was committed', async () => {
      const killed = start();
      await killed.url();
      await sql(dataDir, `UPDATE product SET qty = 4712 WHERE id = 'FUR-BO-10001798'`);
      killed.signal('SIGKILL');
      await killed.ended;
      const again = start();
      await again.url();
      assert.deepEqual(await sql(dataDir, 'SELECT id FROM product WHERE qty = 4712'), [
        {id: 'FUR-BO-10001798'},
      ]);
      await assertStopsWell(again);
    });

    it('refuses a second server on the same data, and a reset, while it runs', async () => {
      const server = start();
      await server.url();
      const second = await start().ended;
      assert.equal(second.code, 1);
      assert.match(second.errors, /Another inventory server is running/);
      await assert.rejects(reset(dataDir), /The inventory is running: stop it first/);
      assert.equal(await statusOf(await server.url()), 'UP');
      await assertStopsWell(server);
    });

    it('says which port is taken, and how to choose another', async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const {port} = taken.address() as AddressInfo;
      const end = await start({PORT: String(port)}).ended;
      taken.close();
      assert.equal(end.code, 1);
      assert.match(end.errors, new RegExp(`Port ${port} is taken.*PORT=${port + 1} npm start`));
      assert.doesNotMatch(end.errors, /at .*\.js:/);
      assert.equal(runningPostmaster(clusterDirOf(dataDir)), undefined);
    });

    it('runs on a database of the person when DATABASE_URL names one', async () => {
      const keeper = start();
      await keeper.url();
      const own = new URL(runningDatabaseUrl(settings(dataDir)) ?? '');
      await sql(dataDir, 'CREATE DATABASE own');
      own.pathname = '/own';
      const elsewhere = givenDataDir().path;
      const server = new ServerProcess({INVENTORY_DATA: elsewhere, DATABASE_URL: own.href});
      const url = await server.url();
      assert.match(server.output, /of your own/);
      assert.equal(await statusOf(url), 'UP');
      // A database of one's own may hold other people: the page is not told of the example's.
      assert.equal((await fetch(`${url}/demo-people`)).status, 404);
      await assertStopsWell(server);
      await keeper.stop();
    });

    it('forgets everything after a reset', async () => {
      const {stdout} = await reset(dataDir);
      assert.match(stdout, /Deleted/);
      assert.equal(existsSync(clusterDirOf(dataDir)), false);
    });
  });

  for (const [name, value] of [
    ['PORT', '70000'],
    ['PORT', 'http'],
    ['DATABASE_URL', 'localhost'],
    ['HOST', '192.0.2.1'],
  ]) {
    it(`says what is wrong with ${name}=${value}`, async () => {
      const end = await new ServerProcess({[name]: value}).ended;
      assert.equal(end.code, 1);
      assert.match(end.errors, new RegExp(name));
      assert.doesNotMatch(end.errors, /at .*\.js:/);
    });
  }

  it('gives up at the second Ctrl-C when something does not close', async () => {
    const lifecycle = join(__dirname, '../lifecycle.js');
    const child = spawn(process.execPath, [
      '-e',
      `const {Lifecycle} = require(${JSON.stringify(lifecycle)});
       const lifecycle = new Lifecycle(console.log);
       lifecycle.open('door', Promise.resolve(), () => new Promise(() => undefined));
       setInterval(() => undefined, 1000);
       console.log('open');`,
    ]);
    const exit = once(child, 'exit');
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    await once(child.stdout, 'data');
    // One press can arrive twice: a second one counts when it comes a moment later.
    const again = setInterval(() => child.kill('SIGINT'), 300);
    const [code] = await exit;
    clearInterval(again);
    assert.equal(code, 130);
  });
});

/** Ends it with Ctrl-C, and finds nothing wrong with how it ended. */
async function assertStopsWell(server: ServerProcess): Promise<void> {
  const started = Date.now();
  const end = await server.stop();
  assert.equal(end.errors, '');
  assert.equal(end.code, 0);
  assert.match(end.output, /Stopped\.\n$/);
  assert.ok(Date.now() - started < 6000, 'it took more than six seconds');
}

async function tokenOf(url: string): Promise<string> {
  const answer = await fetch(`${url}/login`, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({username: 'ben', password: 'ben-buyer'}),
  });
  return ((await answer.json()) as {token: string}).token;
}

async function statusOf(url: string): Promise<string> {
  const answer = await fetch(`${url}/health`);
  return ((await answer.json()) as {status: string}).status;
}

function settings(dataDir: string) {
  return {host: '127.0.0.1', port: 0, dataDir};
}

async function sql(dataDir: string, statement: string): Promise<unknown[]> {
  const client = new Client({connectionString: runningDatabaseUrl(settings(dataDir))});
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

function reset(dataDir: string) {
  return promisify(execFile)(process.execPath, [join(__dirname, '../reset.js')], {
    env: {...process.env, INVENTORY_DATA: dataDir, DATABASE_URL: ''},
  });
}
