import assert from 'node:assert/strict';
import type {juggler} from '@loopback/repository';
import {LiveClient} from '../../client';
import {CryptoNotConfiguredError, JwtTokenService, LiveEntitiesBindings} from '../../index';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {givenShop, Shop, type Product} from '../support/shop';
import {until} from '../support/until';

describe('who is signed in on a connection', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let shop: Shop;
  let live: LiveClient;

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('session');
    shop = await givenShop(database);
    const products = await shop.products();
    await products.create({
      id: 'a', name: 'Anvil', qty: 1, category: 'c1', supplierPrice: '9.50',
    });
  });
  after(async () => {
    await shop?.shutDown();
    await database?.drop();
  });
  beforeEach(() => (live = new LiveClient(shop.url)));
  afterEach(() => live.close());

  it('decides what is seen: another person means another page', async () => {
    await live.login({username: 'clerk', password: 'secret'});
    const view = live.collection<Product>({
      type: 'Product', view: 'categoryView', viewParams: {category: 'c1'},
    });
    await view.ready;
    assert.ok(!('supplierPrice' in view.value[0]));
    await live.login({username: 'buyer', password: 'secret'});
    await until(view, () => view.value[0]?.supplierPrice === '9.50');
    await live.login({username: 'clerk', password: 'secret'});
    await until(view, () => view.value.length === 1 && !('supplierPrice' in view.value[0]));
  });

  it('ends what is watched when the session expires, and asks for a login', async () => {
    const tokens = new JwtTokenService('a secret that is long enough for tests', 1);
    const user = {[Symbol.for('securityId')]: 'clerk', id: 'clerk', role: 'clerk'};
    await live.authenticate(await tokens.generateToken(user as never));
    const view = live.collection<Product>({
      type: 'Product', view: 'categoryView', viewParams: {category: 'c1'},
    });
    await view.ready;
    const loggedOut = new Promise<{code: string}>(resolve => live.on('logout', resolve));
    assert.equal((await loggedOut).code, 'NOT_AUTHENTICATED');
    await until(statusOf(view), () => view.status === 'ended');
    assert.deepEqual(view.value, []);
  });

  it('is forgotten at logout', async () => {
    await live.login({username: 'buyer', password: 'secret'});
    await live.read({type: 'Product', id: 'a'});
    await live.logout();
    await assert.rejects(live.read({type: 'Product', id: 'a'}), {code: 'NOT_AUTHENTICATED'});
  });

  it('can be renewed, and lasts longer then', async () => {
    const {expiresAt} = await live.login({username: 'buyer', password: 'secret'});
    assert.ok(expiresAt! > Date.now());
    const renewed = await live.renew();
    assert.ok(renewed.expiresAt! >= expiresAt!);
  });

  it('is who the audit fields name', async () => {
    await live.login({username: 'clerk', password: 'secret'});
    await live.collection<Product>({type: 'Product', view: 'categoryView'}).ready;
    const model = live.model<Product>({type: 'Product', id: 'a'});
    await model.ready;
    await model.update('qty', 2);
    const row = await (await shop.products()).findById('a');
    assert.equal(row._modifiedBy, 'clerk');
    assert.equal(row._createdBy, 'system');
  });
});

describe('an application without a key', () => {
  it('refuses to start when an entity is to be encrypted', async () => {
    const server = await givenPostgres18();
    const database = await server.createDatabase('nokey');
    const shop = new Shop(database);
    shop.unbind(`${LiveEntitiesBindings.CRYPTO}:$config`);
    await assert.rejects(shop.start(), CryptoNotConfiguredError);
    // An application that failed to start cannot be stopped; its connections can.
    const dataSource = await shop.get<juggler.DataSource>('datasources.db');
    await dataSource.ping();
    await dataSource.disconnect();
    await database.drop();
  });
});

function statusOf(view: {on(event: 'status', listener: () => void): () => void}) {
  return {subscribe: (listener: () => void) => view.on('status', listener)};
}
