import {strict as assert} from 'node:assert';
import {LiveClient, type LiveCollection} from 'loopback4-live-entities/client';
import {Client} from 'pg';
import {givenInventory} from './support/application';

interface Product {
  id: string;
  name: string;
  qty: number;
  category: string;
  supplierPrice?: number;
}

describe('the inventory live', function () {
  this.timeout(30_000);
  const inventory = givenInventory();
  const clients: LiveClient[] = [];

  afterEach(() => clients.splice(0).forEach(client => client.close()));

  it('moves a renamed product to its new place for somebody else', async () => {
    const [ada, cleo] = [await givenPage('ada', 'copiers'), await givenPage('cleo', 'copiers')];
    assert.equal(cleo.meta.count, 13);
    const last = ada.value[ada.value.length - 1];
    await ada.update(last.id, {name: '1st of all copiers'});
    await until(cleo, rows => rows[0]?.id === last.id);
    assert.equal(cleo.value[0].name, '1st of all copiers');
  });

  it('sends supplier prices to those who may see them, and to nobody else', async () => {
    const [ben, cleo] = [await givenPage('ben', 'tables'), await givenPage('cleo', 'tables')];
    assert.ok(ben.value.every(row => typeof row.supplierPrice === 'number'));
    const {id} = ben.value[0];
    await ben.update(id, {supplierPrice: 1234.5, name: '!first table'});
    await until(cleo, rows => rows[0]?.name === '!first table');
    assert.ok(cleo.value.every(row => !('supplierPrice' in row)));
    await assert.rejects(cleo.update(id, {supplierPrice: 1}), {code: 'CRUD_BLOCKED'});
  });

  it('shows what plain SQL commits, and nothing of what it rolls back', async () => {
    const page = await givenPage('cleo', 'machines');
    const {id} = page.value[0];
    const seen: (number | undefined)[] = [];
    page.subscribe(() => seen.push(page.value.find(row => row.id === id)?.qty));
    const client = new Client({connectionString: inventory.database.url});
    await client.connect();
    await client.query('BEGIN');
    await client.query('UPDATE product SET qty = 666 WHERE id = $1', [id]);
    await client.query('ROLLBACK');
    await client.query('UPDATE product SET qty = 777 WHERE id = $1', [id]);
    await client.end();
    await until(page, rows => rows.some(row => row.qty === 777));
    assert.ok(!seen.includes(666));
  });

  it('tells a late editor of the conflict, with the product as it is now', async () => {
    const page = await givenPage('ben', 'labels');
    const {id, _version} = page.value[0] as Product & {_version: string};
    const headers = {'if-match': `"${_version}"`};
    const body = {qty: 1};
    const first = await inventory.call('PATCH', `/products/${id}`, {as: 'ada', body, headers});
    assert.equal(first.status, 204);
    await assert.rejects(page.update(id, {qty: 2}, {version: _version}), (error: unknown) => {
      const {code, current} = error as {code: string; current: Product};
      assert.equal(code, 'VERSION_CONFLICT');
      assert.equal(current.qty, 1);
      return true;
    });
  });

  it('serves nobody who has not signed in', async () => {
    const page = givenClient().collection<Product>({
      type: 'Product',
      view: 'categoryView',
      viewParams: {category: 'copiers'},
    });
    await assert.rejects(page.ready, {statusCode: 401});
  });

  function givenClient(token?: string): LiveClient {
    const client = new LiveClient(inventory.app.url, {path: '/realtime', token});
    clients.push(client);
    return client;
  }

  async function givenPage(who: string, category: string) {
    const client = givenClient(await inventory.token(who));
    const page = client.collection<Product>({
      type: 'Product',
      view: 'categoryView',
      viewParams: {category},
      pageSize: 100,
      getCount: true,
    });
    await page.ready;
    return page;
  }

  /** Waits for a change after which the rows are as expected. */
  async function until(
    page: LiveCollection<Product>,
    isReached: (rows: readonly Partial<Product>[]) => boolean,
  ): Promise<void> {
    if (isReached(page.value)) return;
    await new Promise<void>(resolve => {
      const unsubscribe = page.subscribe(() => {
        if (!isReached(page.value)) return;
        unsubscribe();
        resolve();
      });
    });
  }
});
