/**
 * The peer Zero: its zero-cache as a process, with the default settings but for telemetry and logs,
 * beside the application's server, which writes to PostgreSQL and says what a named query is. The
 * query has no limit: the rows that a burst brings at once would push each other out of a page,
 * and Zero would rightly not show them. It needs Node.js 22.
 */
import {fork} from 'node:child_process';
import {createServer} from 'node:http';
import {createRequire} from 'node:module';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import pg from 'pg';
import {freePort} from '../harness/ports.mjs';
import {cpuOfDescendantsSince} from '../harness/processes.mjs';
import {CONNECTIONS, serveLive, TABLE} from '../subjects/live-server.mjs';

const require = createRequire(new URL('zero/package.json', import.meta.url));
const {createBuilder, createSchema, number, string, table} =
  await import(require.resolve('@rocicorp/zero'));
const {handleQueryRequest} = await import(require.resolve('@rocicorp/zero/server'));

const product = table('product')
  .columns({id: string(), name: string(), category: string(), qty: number(), price: number()})
  .primaryKey('id');
const schema = createSchema({tables: [product]});
const zql = createBuilder(schema);
const SECONDS_TO_START = 60;

serveLive(async connectionString => {
  const pool = new pg.Pool({connectionString, max: CONNECTIONS});
  await pool.query(TABLE);
  const port = await startZeroCache(connectionString, await startQueries());
  return {
    address: `http://127.0.0.1:${port}`,
    async create({id, name, category, qty, price}) {
      await pool.query({
        name: 'insert',
        text: 'INSERT INTO product VALUES ($1, $2, $3, $4, $5)',
        values: [id, name, category, qty, price],
      });
    },
  };
}, {cpuMs: cpuSinceLastCall()});

/** The application's endpoint: zero-cache asks it once for each query that clients name. */
async function startQueries() {
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const answer = await handleQueryRequest({
      handler: (name, {category}) => zql.product.where('category', category),
      schema,
      body: JSON.parse(Buffer.concat(chunks).toString()),
      logLevel: 'error',
    });
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}/query`;
}

async function startZeroCache(connectionString, queryUrl) {
  const port = await freePort();
  const settings = {
    ZERO_UPSTREAM_DB: connectionString,
    ZERO_QUERY_URL: queryUrl,
    ZERO_PORT: String(port),
    ZERO_CHANGE_STREAMER_PORT: String(await freePort()),
    ZERO_ADMIN_PASSWORD: 'bench',
    ZERO_ENABLE_TELEMETRY: 'false',
    ZERO_LOG_LEVEL: 'error',
  };
  const cli = new URL('zero/node_modules/@rocicorp/zero/out/zero/src/cli.js', import.meta.url);
  const preload = new URL('zero/preload.mjs', import.meta.url);
  const cache = fork(fileURLToPath(cli), [], {
    execArgv: ['--import', preload.href],
    env: {...process.env, ...settings},
  });
  let failed;
  cache.once('exit', (code, signal) => (failed = `zero-cache has ended (${signal ?? code})`));
  await isUp(`http://127.0.0.1:${port}/`, () => failed);
  return port;
}

async function isUp(address, failure) {
  const patience = AbortSignal.timeout(SECONDS_TO_START * 1000);
  for (;;) {
    const failed = failure() ?? (patience.aborted && 'zero-cache does not come up');
    if (failed) throw new Error(failed);
    const answer = await fetch(address).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(50);
  }
}

/** As every subject's, and of zero-cache's processes. */
function cpuSinceLastCall() {
  let own = process.cpuUsage();
  const ofOthers = cpuOfDescendantsSince();
  return () => {
    const {user, system} = process.cpuUsage(own);
    own = process.cpuUsage();
    return (user + system) / 1000 + ofOthers();
  };
}
