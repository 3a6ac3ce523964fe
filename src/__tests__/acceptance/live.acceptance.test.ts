import assert from 'node:assert/strict';
import {LiveClient, type LiveCollection} from '../../client';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {givenShop, type Product, type Shop} from '../support/shop';
import {until} from '../support/until';

describe('a live view', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let shop: Shop;
  let clients: LiveClient[];

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('live');
    shop = await givenShop(database);
  });
  after(async () => {
    await shop?.shutDown();
    await database?.drop();
  });
  beforeEach(() => (clients = []));
  afterEach(async () => {
    for (const client of clients) client.close();
    await database.query('TRUNCATE product');
  });

  it('shows rows in order, and what repositories and plain SQL change', async () => {
    const products = await shop.products();
    await products.createAll([
      {id: 'b', name: 'Bolts', qty: 5, category: 'c1', supplierPrice: '1.20'},
      {id: 'a', name: 'Anvils', qty: 1, category: 'c1'},
      {id: 'x', name: 'Other', qty: 1, category: 'c2'},
    ]);
    const live = await signedIn('buyer');
    const view = await opened(live);
    assert.deepEqual(names(view), ['Anvils', 'Bolts']);
    assert.equal(view.value[1].supplierPrice, '1.20');
    assert.equal(view.meta?.count, 2);

    await database.query(`INSERT INTO product (id, name, qty, category) VALUES ('z', 'Axes', 3, 'c1')`);
    await until(view, () => names(view).join() === 'Anvils,Axes,Bolts');
    assert.equal(view.meta?.count, 3);

    const bolt = await products.findById('b');
    await products.updateById('b', {name: 'A bolt', _version: bolt._version});
    await until(view, () => names(view)[0] === 'A bolt');

    await products.deleteById('b', {version: view.value[0]._version});
    await until(view, () => names(view).join() === 'Anvils,Axes');
    await (products as unknown as {restoreById(id: string): Promise<void>}).restoreById('b');
    await until(view, () => names(view)[0] === 'A bolt');
  });

  it('says nothing of a transaction that rolls back', async () => {
    const products = await shop.products();
    await products.create({id: 'a', name: 'Anvils', qty: 1, category: 'c1'});
    const view = await opened(await signedIn('clerk'));
    const seen: string[] = [];
    view.subscribe(() => seen.push(names(view).join()));

    const transaction = await products.beginTransaction();
    await products.create({id: 'b', name: 'Ghost', qty: 1, category: 'c1'}, {transaction});
    await transaction.rollback();
    await products.create({id: 'c', name: 'Real', qty: 1, category: 'c1'});
    await until(view, () => names(view).includes('Real'));
    assert.ok(seen.every(rows => !rows.includes('Ghost')), seen.join(' | '));
  });

  it('hides a property from those who may not see it, and shows it to those who may', async () => {
    const products = await shop.products();
    await products.create({id: 'a', name: 'Anvils', qty: 1, category: 'c1', supplierPrice: '9'});
    const [buyer, clerk] = [await signedIn('buyer'), await signedIn('clerk')];
    const [seen, hidden] = [await opened(buyer), await opened(clerk)];
    assert.equal(seen.value[0].supplierPrice, '9');
    assert.ok(!('supplierPrice' in hidden.value[0]));

    await products.updateById('a', {supplierPrice: '10'}, {bumpVersion: false});
    await until(seen, () => seen.value[0].supplierPrice === '10');
    assert.ok(!('supplierPrice' in hidden.value[0]));
  });

  it('refuses a stale write and hands over the row as it is now', async () => {
    const products = await shop.products();
    await products.create({id: 'a', name: 'Anvils', qty: 1, category: 'c1'});
    const live = await signedIn('clerk');
    const model = live.model<Product>({type: 'Product', id: 'a'});
    await model.ready;
    const stale = model.value!._version;
    await model.update({qty: 2});
    await assert.rejects(model.update({qty: 3}, {version: stale}), error => {
      const {code, current} = error as {code?: string; current?: Product};
      assert.equal(code, 'VERSION_CONFLICT');
      assert.equal(current?.qty, 2);
      return true;
    });
    assert.equal(model.value!.qty, 2);
  });

  it('takes an update that changes nothing for done, and goes on from its version', async () => {
    const products = await shop.products();
    const {_version} = await products.create({id: 'a', name: 'Anvils', qty: 1, category: 'c1'});
    const live = await signedIn('clerk');
    const model = live.model<Product>({type: 'Product', id: 'a'});
    await model.ready;
    // The window may still be warm, with a row of that id that an earlier test had.
    await until(model, () => model.value?._version === _version);
    await model.update({qty: 1, name: 'Anvils'});
    assert.deepEqual([model.value!.qty, model.value!._version], [1, _version]);
    await database.query(`UPDATE product SET name = 'Renamed', _version = 'v2' WHERE id = 'a'`);
    await until(model, () => model.value!.name === 'Renamed');
    await model.update({qty: 2});
    const row = await products.findById('a');
    assert.deepEqual([row.qty, row._oldVersion], [2, 'v2']);
  });

  it('changes a row that plain SQL has made, and that has no version yet', async () => {
    await database.query(`INSERT INTO product (id, name, qty) VALUES ('raw', 'Raw', 1)`);
    const live = await signedIn('clerk');
    const model = live.model<Product>({type: 'Product', id: 'raw'});
    await model.ready;
    assert.equal(model.value!._version, null);
    await model.update({qty: 2});
    await model.update({qty: 3});
    const row = await (await shop.products()).findById('raw');
    assert.equal(row.qty, 3);
    assert.ok(row._version);
  });

  it('lets nobody in without a login where a filter demands one', async () => {
    const live = new LiveClient(shop.url);
    clients.push(live);
    const view = live.collection<Product>({type: 'Product', view: 'categoryView'});
    await assert.rejects(view.ready, {code: 'NOT_AUTHENTICATED'});
    const wrong = {username: 'buyer', password: 'wrong'};
    await assert.rejects(live.login(wrong), {code: 'LOGIN_FAILED'});
    await live.login({username: 'buyer', password: 'secret'});
    assert.equal(live.user?.id, 'buyer');
  });

  it("shows a writer's own change once, without going back in between", async () => {
    const products = await shop.products();
    await products.createAll([
      {id: 'a', name: 'Anvils', qty: 1, category: 'c1'},
      {id: 'b', name: 'Bolts', qty: 1, category: 'c1'},
    ]);
    const [writer, reader] = [await signedIn('clerk'), await signedIn('clerk')];
    const [own, other] = [await opened(writer), await opened(reader)];
    const shown: string[] = [];
    own.subscribe(rows => {
      const state = rows.map(({id, qty}) => `${id}${qty}`).join(' ');
      if (shown.at(-1) !== state) shown.push(state);
    });
    for (const qty of [2, 3, 4]) await own.update('a', {qty});
    await until(other, () => other.value[0].qty === 4);
    await own.create({id: 'c', name: 'Chains', qty: 1, category: 'c1'});
    await until(other, () => other.value.length === 3);
    await until(own, () => own.value.length === 3);
    await own.delete('b');
    await until(other, () => other.value.length === 2);
    // Whatever was on its way to the writer has come by the time that a later change has.
    await products.create({id: 'z', name: 'Zips', qty: 9, category: 'c1'});
    await until(own, () => own.value.at(-1)?.id === 'z');
    assert.deepEqual(shown, [
      'a1 b1', 'a2 b1', 'a3 b1', 'a4 b1', 'a4 b1 c1', 'a4 c1', 'a4 c1 z9',
    ]);
  });

  it('creates, reads, changes and deletes whole and by property, over the socket', async () => {
    const live = await signedIn('buyer');
    const page = await opened(live);
    const value = {id: 'a', name: 'Anvils', qty: 1, price: 2, category: 'c1'};
    const made = await page.create(value);
    assert.equal(made._createdBy, 'buyer');
    await until(page, () => names(page).join() === 'Anvils');
    const one = live.model<Product>({type: 'Product', id: 'a'});
    await one.ready;
    await one.update('qty', 3);
    await one.update({name: 'An anvil', price: 4});
    const read = await live.read({type: 'Product', id: 'a'});
    assert.ok(read.kind === 'row');
    assert.deepEqual([read.row.name, read.row.qty, read.row.price], ['An anvil', 3, 4]);
    assert.equal(read.row._modifiedBy, 'buyer');
    const field = await live.read({type: 'Product', id: 'a', field: 'qty'});
    assert.deepEqual(field, {kind: 'field', value: 3});
    const viewParams = {category: 'c1'};
    const view = {type: 'Product', view: 'categoryView', viewParams, pageSize: 1};
    const first = await live.read(view);
    assert.ok(first.kind === 'page' && first.rows.length === 1 && first.meta.isLastPage);
    await one.delete('price');
    assert.equal(one.value?.price ?? null, null);
    await assert.rejects(one.delete('name'), {code: 'VALIDATION_FAILED'});
    await assert.rejects(one.update('qty', 'many' as never), {code: 'VALIDATION_FAILED'});
    await one.delete();
    await until(page, () => page.value.length === 0);
    await assert.rejects(live.read({type: 'Product', id: 'a'}), {code: 'ENTITY_NOT_FOUND'});
    // A soft delete, with its history.
    const [row] = await database.query(`SELECT _isdeleted, _deletedby FROM product`);
    assert.deepEqual(row, {_isdeleted: true, _deletedby: 'buyer'});
  });

  it('asks the database where Node cannot decide', async () => {
    const products = await shop.products();
    await products.create({id: 'a', name: 'Anvil', qty: 1});
    const live = await signedIn('clerk');
    const view = live.collection<Product>({
      type: 'Product', view: 'matchingView', viewParams: {name: 'An'},
    });
    await view.ready;
    await database.query(
      `INSERT INTO product (id, name, qty) VALUES ('b', 'Anchor', 7), ('c', 'Cup', 9)`,
    );
    await until(view, () => names(view).join() === 'Anchor,Anvil');
    await database.query(`UPDATE product SET name = 'Ant' WHERE id = 'c'`);
    await until(view, () => names(view).join() === 'Ant,Anchor,Anvil');
  });

  async function signedIn(role: string): Promise<LiveClient> {
    const live = new LiveClient(shop.url);
    clients.push(live);
    await live.login({username: role, password: 'secret'});
    return live;
  }

  async function opened(live: LiveClient): Promise<LiveCollection<Product>> {
    const view = live.collection<Product>({
      type: 'Product', view: 'categoryView', viewParams: {category: 'c1'}, getCount: true,
    });
    await view.ready;
    return view;
  }
});

function names(view: LiveCollection<Product>): string[] {
  return view.value.map(row => row.name);
}
