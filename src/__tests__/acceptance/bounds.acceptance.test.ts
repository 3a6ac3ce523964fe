import assert from 'node:assert/strict';
import {LiveEntitiesBindings, LiveEntityError, type LoginService} from '../../index';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {RawClient} from '../support/raw-client';
import {Shop} from '../support/shop';

const PAGE = {type: 'Category', view: 'alphabeticalView'};
const ROW = {type: 'Category', id: 'c1'};

describe('the limits of the live side', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let shop: Shop;
  let open: RawClient[];
  let goOn: () => void;

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('bounds');
    shop = new Shop(database, {
      maxPageSize: 50,
      limits: {
        subscriptionsPerSocket: 3, rowsPerSocket: 130, callsAtOnce: 4, depth: 5, viewParams: 200,
        offset: 100, windows: 4, connectionsPerAddress: 2,
      },
      addressOf: ({headers}) => String(headers['x-real-ip'] ?? 'unknown'),
      cacheDisabled: true,
    });
    const slow: LoginService = {
      login: async () => {
        await new Promise<void>(resolve => (goOn = resolve));
        throw new LiveEntityError('LOGIN_FAILED', 'no', 401);
      },
    };
    shop.bind(LiveEntitiesBindings.LOGIN_SERVICE).to(slow);
    await shop.migrateSchema();
    await shop.start();
    await (await shop.categories()).create({id: 'c1', name: 'Tools'});
  });
  after(async () => {
    await shop?.shutDown();
    await database?.drop();
  });
  beforeEach(() => (open = []));
  afterEach(() => open.forEach(each => each.close()));

  const refused: [limit: string, call: string, request: object, code: string][] = [
    ['maxPageSize', 'read', {...PAGE, pageSize: 51}, 'LIMIT_EXCEEDED'],
    ['limits.offset', 'read', {...PAGE, pageOffset: 101}, 'LIMIT_EXCEEDED'],
    ['limits.viewParams', 'read', {...PAGE, viewParams: {a: 'x'.repeat(200)}}, 'LIMIT_EXCEEDED'],
    ['limits.depth', 'read', {...PAGE, viewParams: {a: [[[[[]]]]]}}, 'LIMIT_EXCEEDED'],
  ];
  for (const [limit, call, request, code] of refused) {
    it(`${limit}: ${code} beyond it`, async () => {
      const {error} = await (await connected()).call(call, request);
      assert.deepEqual([error?.code, error?.statusCode], [code, 400]);
    });
  }

  it('limits.subscriptionsPerSocket: LIMIT_EXCEEDED beyond it, until one is left', async () => {
    const client = await connected();
    const pages = [1, 2, 3, 4].map(pageSize => ({ref: {...PAGE, pageSize}}));
    const channels: unknown[] = [];
    for (const request of pages.slice(0, 3)) {
      const {snapshot} = await client.call('subscribe', request);
      channels.push((snapshot as {channel: string}).channel);
    }
    assert.equal((await client.call('subscribe', pages[3])).error?.code, 'LIMIT_EXCEEDED');
    await client.call('unsubscribe', {channel: channels[0]});
    assert.equal((await client.call('subscribe', pages[3])).ok, true);
  });

  it('limits.rowsPerSocket: LIMIT_EXCEEDED beyond it, for a burst too', async () => {
    const client = await connected();
    const deep = (pageSize: number) => ({ref: {...PAGE, pageOffset: 60, pageSize}});
    const burst = [21, 22].map(size => client.call('subscribe', deep(size)));
    const [first, second] = await Promise.all(burst);
    assert.deepEqual([first.ok, second.error?.code], [true, 'LIMIT_EXCEEDED']);
    assert.equal((await client.call('subscribe', {ref: {...PAGE, pageSize: 49}})).ok, true);
    assert.equal((await client.call('subscribe', {ref: PAGE})).error?.code, 'LIMIT_EXCEEDED');
    const {channel} = first.snapshot as {channel: string};
    await client.call('unsubscribe', {channel});
    assert.equal((await client.call('subscribe', deep(20))).ok, true);
  });

  it('limits.callsAtOnce: RATE_LIMITED beyond it, until one is answered', async () => {
    const client = await connected();
    const waiting = Array.from({length: 4}, (_, i) => client.call('login', {username: `u${i}`}));
    const {error} = await client.call('read', PAGE);
    assert.deepEqual([error?.code, error?.statusCode], ['RATE_LIMITED', 429]);
    goOn();
    await Promise.race(waiting);
    assert.equal((await client.call('read', PAGE)).ok, true);
  });

  it('limits.connectionsPerAddress: TOO_MANY_CONNECTIONS beyond it, by addressOf', async () => {
    const [first] = [await connected('10.0.0.1'), await connected('10.0.0.1')];
    const {code, statusCode} = await RawClient.refused(shop.url, {}, from('10.0.0.1'));
    assert.deepEqual([code, statusCode], ['TOO_MANY_CONNECTIONS', 429]);
    await connected('10.0.0.2');
    const gone = new Promise<void>(resolve => first.socket.once('disconnect', () => resolve()));
    first.close();
    await gone;
    // Another connection is answered after the server has heard of the end of the first.
    await (await connected('10.0.0.3')).call('read', PAGE);
    await connected('10.0.0.1');
  });

  it('limits.connectionsPerAddress: one IPv6 network is one address', async () => {
    for (const host of ['1', '2']) await connected(`2001:db8::${host}`);
    const {code} = await RawClient.refused(shop.url, {}, from('2001:db8::3'));
    assert.equal(code, 'TOO_MANY_CONNECTIONS');
    await connected('2001:db8:0:1::3');
  });

  it('limits.windows: SERVER_BUSY beyond it, until some are left', async () => {
    const [first, second] = [await connected(), await connected('10.0.0.9')];
    for (const pageSize of [1, 2, 3]) await first.call('subscribe', {ref: {...PAGE, pageSize}});
    assert.equal((await second.call('subscribe', {ref: ROW})).ok, true);
    const {error} = await second.call('subscribe', {ref: {...PAGE, pageSize: 40}});
    assert.deepEqual([error?.code, error?.statusCode], ['SERVER_BUSY', 503]);
    first.close();
    let answer = await second.call('subscribe', {ref: {...PAGE, pageSize: 40}});
    while (!answer.ok) answer = await second.call('subscribe', {ref: {...PAGE, pageSize: 40}});
  });

  async function connected(address = `10.1.0.${Math.floor(Math.random() * 1e6)}`) {
    const client = await RawClient.connect(shop.url, {}, from(address));
    open.push(client);
    return client;
  }

  function from(address: string) {
    return {extraHeaders: {'x-real-ip': address}};
  }
});
