import assert from 'node:assert/strict';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import fc from 'fast-check';
import {LiveEntitiesBindings} from '../../index';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {mutated, nasty} from '../support/nasty';
import {RawClient} from '../support/raw-client';
import {givenShop, type Shop} from '../support/shop';

/** How long to try, for each of sockets and REST. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 3);
const SECRET = 'rosebud-4711';
const MEGABYTE = 2 ** 20;

const PAGE = {
  type: 'Product', view: 'categoryView', viewParams: {category: 'c1'}, fields: ['name', 'qty'],
  pageOffset: 0, pageSize: 5, getCount: true,
};
const LOW = {type: 'Product', view: 'lowStockView', viewParams: {category: 'c1', qty: 5}};
const LIKE = {type: 'Product', view: 'matchingView', viewParams: {name: 'A'}};
const VALUE = {id: 'f', name: 'Fuzz', qty: 1, price: 2.5, category: 'c1', supplierPrice: '1'};
const FRAMES: [event: string, request: object][] = [
  ['subscribe', {ref: PAGE}], ['subscribe', {ref: LOW}], ['subscribe', {ref: LIKE}],
  ['subscribe', {ref: {type: 'Product', id: 'a'}, resume: {channel: 'c', epoch: 'e', seq: 1}}],
  ['unsubscribe', {channel: 'c'}],
  ['read', PAGE], ['read', LIKE], ['read', {type: 'Product', id: 'a', field: 'supplierPrice'}],
  ['create', {type: 'Product', value: VALUE}],
  ['create', {type: 'Category', value: {id: 'f', name: 'Fuzz'}}],
  ['update', {type: 'Product', id: 'f', value: {qty: 2}, version: 'v'}],
  ['update', {type: 'Category', id: 'f', field: 'name', value: 'x'}],
  ['delete', {type: 'Category', id: 'f'}], ['delete', {type: 'Product', id: 'f', field: 'price'}],
  ['login', {username: 'nobody', password: 'guess'}],
  ['authenticate', {token: 'x.y.z'}], ['renew', {}],
];

const frame = fc.oneof(
  {weight: 8, arbitrary: fc.constantFrom(...FRAMES).chain(([event, request]) =>
    fc.tuple(fc.constant(event), mutated(request)))},
  {weight: 1, arbitrary: fc.tuple(fc.constantFrom(...FRAMES.map(([event]) => event)), nasty)},
  {weight: 1, arbitrary: fc.tuple(fc.string(), nasty)},
);

/** What no client of ours writes: below the packets, and packets that are none. */
const rawText = fc.oneof(
  fc.string({unit: 'binary', maxLength: 200}),
  fc.tuple(fc.constantFrom('2', '3', '4', '20', '21', '42', '450-', '451-', '40', '41'), nasty)
    .map(([kind, value]) => kind + JSON.stringify(value)),
  fc.constantFrom('40{"protocol":1}', '40/admin,', '41', '2', '6'),
  fc.constantFrom('451-["read",{"_placeholder":true,"num":0}]', '459999999-["read"]'),
);

const ROUTES: [method: string, path: string, body?: object][] = [
  ['POST', '/products', VALUE], ['PUT', '/products/a', VALUE], ['PATCH', '/products/a', {qty: 2}],
  ['POST', '/categories', {id: 'g', name: 'Fuzz'}], ['PATCH', '/categories/g', {name: 'x'}],
  ['GET', '/products'], ['GET', '/products/a'], ['GET', '/products/count'],
  ['GET', '/products/history'], ['GET', '/categories'], ['DELETE', '/categories/g'],
];
const FILTER = {
  where: {and: [{category: 'c1'}, {or: [{qty: {gt: 1}}, {name: {like: 'A%'}}]}]},
  order: ['name ASC'], fields: {name: true}, limit: 5, offset: 0,
};

describe('hostile input', function () {
  this.timeout((SECONDS * 4 + 60) * 1000);
  let database: TestDatabase;
  let shop: Shop;
  const failures: unknown[] = [];

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('fuzz');
    shop = await givenShop(database, {
      cacheDisabled: true,
      limits: {opsPerSecond: 1e9, callsAtOnce: 1e6, loginAttempts: 1e6},
      logger: {warn: () => undefined, error: (_, error) => failures.push(error)},
    });
    shop.bind('rest.sequence.actions.logError').to((error: Error, status: number) => {
      if (status >= 500) failures.push(error);
    });
    const products = await shop.products();
    await products.create({...VALUE, id: 'a', name: 'Anvil', supplierPrice: SECRET});
  });
  after(async () => {
    await shop?.shutDown();
    await database?.drop();
  });
  beforeEach(() => void (failures.length = 0));

  it('over sockets is answered without failure or secret, and leaves nothing behind', async () => {
    const batches = fc.array(frame, {minLength: 1, maxLength: 20});
    await tried(batches, attackSockets, SECONDS / 4);
    await settled();
    const before = heap();
    const tries = await tried(batches, attackSockets);
    await settled();
    const grown = heap() - before;
    if (process.env.FUZZ_SECONDS) report(`${tries} batches of frames, ${mb(grown)} MB more`);
    assert.ok(grown < 20 * MEGABYTE, `${mb(grown)} MB of memory did not come back`);
  });

  it('below the packets of Socket.IO ends that connection at most', async () => {
    const tries = await tried(rawText, async text => {
      const client = await RawClient.connect(shop.url);
      const {engine} = client.socket.io as unknown as {engine: {write(frame: string): void}};
      engine.write(text);
      client.close();
    });
    if (process.env.FUZZ_SECONDS) report(`${tries} raw frames`);
    const witness = await RawClient.connect(shop.url);
    const page = {type: 'Category', view: 'alphabeticalView'};
    assert.equal((await witness.call('read', page)).ok, true);
    witness.close();
    assert.deepEqual(failures, []);
  });

  it('over REST is answered without a failure or a secret', async () => {
    const tokens = await shop.get(LiveEntitiesBindings.TOKEN_SERVICE);
    const clerk = {id: 'clerk', role: 'clerk', [Symbol.for('securityId')]: 'clerk'};
    const authorization = `Bearer ${await tokens.generateToken(clerk as never)}`;
    const request = fc.constantFrom(...ROUTES).chain(([method, path, body]) => fc.record({
      method: fc.constant(method),
      path: fc.constant(path),
      body: body ? fc.oneof(mutated(body), nasty) : fc.constant(undefined),
      filter: fc.oneof(mutated(FILTER), nasty),
    }));
    const tries = await tried(request, async ({method, path, body, filter}) => {
      const name = path.endsWith('count') ? 'where' : 'filter';
      const text = JSON.stringify(filter) ?? '';
      const query = `?${name}=${encodeURIComponent(Buffer.from(text.slice(0, 4000)).toString())}`;
      const response = await fetch(shop.url + path + (method === 'GET' ? query : ''), {
        method,
        headers: {authorization, 'content-type': 'application/json'},
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const answer = await response.text();
      const what = `${method} ${path} ${text} ${JSON.stringify(body)}: ${answer}`.slice(0, 2000);
      assert.ok(response.status < 500, `${what} ${String(failures.at(-1))}`);
      assert.ok(!answer.includes(SECRET), what);
    });
    if (process.env.FUZZ_SECONDS) report(`${tries} requests`);
  });

  /** Some frames on one connection, of nobody or of a clerk. */
  async function attackSockets(frames: readonly [string, unknown][]): Promise<void> {
    const client = await RawClient.connect(shop.url);
    try {
      if (frames.length % 2) await client.call('login', {username: 'clerk', password: 'secret'});
      await Promise.all(frames.map(each => attack(client, each)));
      assert.ok(!client.received.includes(SECRET), client.received.slice(0, 2000));
    } finally {
      client.close();
    }
  }

  async function attack(client: RawClient, [event, request]: [string, unknown]): Promise<void> {
    const reserved = ['connect', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];
    if (reserved.includes(event) || event === 'connect_error') return;
    const answer = await client.call(event, request);
    const what = `${event} ${JSON.stringify(request)}`.slice(0, 2000);
    if (answer.ok === true) return;
    const {code, statusCode, message} = answer.error ?? {};
    assert.ok(typeof code === 'string' && typeof message === 'string', what);
    assert.ok(statusCode! >= 400 && statusCode! < 500, `${what}: ${code} ${failures.at(-1)}`);
  }

  /** Everything that was watched is forgotten, and nobody is connected. */
  async function settled(): Promise<void> {
    const realtime = await shop.get(LiveEntitiesBindings.REALTIME_SERVER);
    for (;;) {
      const {windows, channels, subscribers} = realtime.counters!;
      if (windows + channels + subscribers === 0) break;
      await new Promise(resolve => setImmediate(resolve));
    }
    assert.equal(({} as {polluted?: unknown}).polluted, undefined);
  }
});

/** Tries values until the time is over; answers how many. */
async function tried<T>(
  values: fc.Arbitrary<T>,
  run: (value: T) => Promise<void>,
  seconds = SECONDS,
): Promise<number> {
  let count = 0;
  const property = fc.asyncProperty(values, async value => {
    count++;
    await run(value);
  });
  await fc.assert(property, {
    numRuns: 1e7, interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false,
  });
  return count;
}

function heap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

function mb(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(1);
}

function report(text: string): void {
  console.log(`      ${text}`);
}
