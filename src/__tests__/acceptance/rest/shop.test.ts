import assert from 'node:assert/strict';
import {createClientForHandler, type Client} from '@loopback/testlab';
import {securityId} from '@loopback/security';
import {LiveEntitiesBindings} from '../../../keys';
import {givenPostgres18, type TestDatabase} from '../../support/databases';
import {givenShop, type Product, type Shop} from '../../support/shop';

describe('the shop over REST', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let shop: Shop;
  let client: Client;
  const tokens: Record<string, string> = {};

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('shop_rest');
    shop = await givenShop(database);
    client = createClientForHandler(shop.requestHandler);
    const service = await shop.get(LiveEntitiesBindings.TOKEN_SERVICE);
    for (const role of ['clerk', 'buyer']) {
      tokens[role] = await service.generateToken({[securityId]: role, role});
    }
  });
  after(async () => {
    await shop?.shutDown();
    await database?.drop();
  });

  it('keeps the supplier price when a clerk, who is not shown it, sends the row back', async () => {
    const products = await shop.products();
    const anvil = {id: 'a', name: 'Anvils', qty: 1, category: 'c1', supplierPrice: '9.50'};
    await products.create(anvil);
    const read = await as('clerk', client.get('/products/a')).expect(200);
    assert.ok(!('supplierPrice' in read.body));
    const {category, ...rest} = read.body as Product;
    await as('clerk', client.put('/products/a')).send({...rest, qty: 2}).expect(204);
    const after = await products.findById('a');
    assert.equal(category, 'c1');
    assert.deepEqual(
      [after.qty, after.category ?? null, after.supplierPrice],
      [2, null, '9.50'],
    );
    const {body: seen} = await as('buyer', client.get('/products/a')).expect(200);
    const {supplierPrice, ...without} = seen as Product;
    assert.equal(supplierPrice, '9.50');
    await as('buyer', client.put('/products/a')).send(without).expect(204);
    assert.equal((await products.findById('a')).supplierPrice ?? null, null);
  });

  function as(who: string, call: ReturnType<Client['get']>): ReturnType<Client['get']> {
    return call.set('Authorization', `Bearer ${tokens[who]}`);
  }
});
