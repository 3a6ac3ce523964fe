/**
 * The peer Directus 12 with its WebSocket subscriptions, on PostgreSQL. Its own settings are the
 * defaults, without what would log, watch for news or limit calls. It needs Node.js 22.
 */
import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {CONNECTIONS, serveLive} from '../subjects/live-server.mjs';

const require = createRequire(new URL('directus/package.json', import.meta.url));
const TOKEN = 'bench-bench-bench';

serveLive(async connectionString => {
  const folder = mkdtempSync(join(tmpdir(), 'live-entities-bench-directus-'));
  process.once('exit', () => rmSync(folder, {recursive: true, force: true}));
  Object.assign(process.env, {
    DB_CLIENT: 'pg',
    DB_CONNECTION_STRING: connectionString,
    DB_POOL__MIN: '1',
    DB_POOL__MAX: String(CONNECTIONS),
    SECRET: 'a secret that is as long as such a secret has to be',
    ADMIN_EMAIL: 'admin@example.com',
    ADMIN_PASSWORD: 'bench-bench-bench',
    ADMIN_TOKEN: TOKEN,
    WEBSOCKETS_ENABLED: 'true',
    WEBSOCKETS_REST_AUTH: 'strict',
    WEBSOCKETS_HEARTBEAT_ENABLED: 'false',
    SERVE_APP: 'false',
    TELEMETRY: 'false',
    LOG_LEVEL: 'silent',
    CONFIG_PATH: join(folder, 'none.env'),
    EXTENSIONS_PATH: folder,
    STORAGE_LOCAL_ROOT: folder,
  });
  const cli = fileURLToPath(new URL('directus/node_modules/directus/cli.js', import.meta.url));
  await promisify(execFile)(process.execPath, [cli, 'bootstrap'], {cwd: folder});
  const {CollectionsService} = await part('services/collections');
  const {ItemsService} = await part('services/items');
  const {getSchema} = await part('utils/get-schema');
  await new CollectionsService({schema: await getSchema()}).createOne({
    collection: 'product',
    schema: {},
    fields: [
      {field: 'id', type: 'string', schema: {is_primary_key: true}},
      {field: 'name', type: 'string', schema: {}},
      {field: 'category', type: 'string', schema: {}},
      {field: 'qty', type: 'integer', schema: {}},
      {field: 'price', type: 'float', schema: {}},
    ],
  });
  const {createServer} = await part('server');
  const httpServer = await createServer();
  await new Promise(resolve => httpServer.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${httpServer.address().port}/websocket?access_token=${TOKEN}`,
    // As each request of Directus does: a service of its own, by the schema as it is.
    create: async product =>
      new ItemsService('product', {schema: await getSchema()}).createOne(product),
  };
});

function part(name) {
  return import(require.resolve(`@directus/api/${name}`));
}
