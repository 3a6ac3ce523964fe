import {strict as assert} from 'node:assert';
import type {Browser} from 'playwright-core';
import {securityId} from '@loopback/security';
import {JwtTokenService} from 'loopback4-live-entities';
import {Client} from 'pg';
import {runningDatabaseUrl} from '../database';
import {readSecrets} from '../secrets';
import {chromiumPath, launchChromium} from './support/chromium';
import {leftOut} from './support/left-out';
import {assertDark, assertFits, DARK_PHONE} from './support/phone';
import {ServerProcess, givenDataDir} from './support/server';
import {Visitor} from './support/visitor';
import {Wire} from './support/wire';

/** One category, small enough to be seen whole on one page. */
const CATEGORY = 'copiers';
const PLACE = `/categories/${CATEGORY}?size=25`;

describe('the inventory in a browser', function () {
  this.timeout(60_000);
  let server: ServerProcess | undefined;
  let url: string;
  let wire: Wire;
  let database: Client;
  let browser: Browser;
  /** A manager. */
  let ada: Visitor;
  /** A clerk, on a wire that can be cut. */
  let cleo: Visitor;

  const chromium = chromiumPath();
  if (!chromium) leftOut('the inventory in a browser', 'no Chromium here; CHROMIUM_PATH names one');

  before(async function () {
    if (!chromium) return this.skip();
    server = new ServerProcess({INVENTORY_DATA: dataDir});
    url = await server.url();
    assert.match(server.output, /Page +http/, 'the page is not built');
    const connectionString = runningDatabaseUrl({host: '127.0.0.1', port: 0, dataDir});
    database = new Client({connectionString});
    await database.connect();
    wire = new Wire(url);
    browser = await launchChromium(chromium);
    ada = await Visitor.arrive(browser, url);
    cleo = await Visitor.arrive(browser, await wire.open());
    await ada.signIn('ada');
    await cleo.signIn('cleo');
    // Lost when a page is loaded anew.
    for (const {page} of [ada, cleo]) await page.evaluate('window.loadedOnce = true');
  });

  after(async () => {
    await browser?.close();
    await wire?.close();
    await database?.end();
    await server?.stop();
  });

  // Its own clean-up comes after the server has stopped.
  const dataDir = givenDataDir().path;

  beforeEach(async () => {
    for (const visitor of [ada, cleo]) await visitor.go(PLACE);
    await bothShowTheStock();
  });

  afterEach(async function () {
    wire?.mend();
    if (this.currentTest?.state !== 'failed') return;
    for (const visitor of [ada, cleo].filter(Boolean)) {
      const text = await visitor.page.locator('body').innerText();
      console.log(visitor.page.url(), visitor.complaints, text.slice(0, 1500));
    }
  });

  it('moves a row to its new place in the other window when its name is changed', async () => {
    const [first, , , fourth] = await products();
    await ada.row(first.id).getByRole('link').click();
    await ada.edit('name', `${fourth.name} II`);
    const now = await products();
    assert.equal(now[3].id, first.id, 'the name was to bring it to the fourth place');
    await cleo.shows(now.map(line));
    await ada.page.goBack();
    await bothShowTheStock();
  });

  it('shows in both windows what another program writes with plain SQL', async () => {
    const [first, second] = await products();
    await sql('UPDATE product SET qty = 7777, price = 1234.5 WHERE id = $1', first.id);
    await sql(`UPDATE product SET name = 'Zoom copier' WHERE id = $1`, second.id);
    const now = await products();
    assert.equal(now[0].qty, 7777);
    assert.equal(now[now.length - 1].id, second.id);
    await bothShowTheStock();
    assert.match(await cleo.row(first.id).innerText(), /7,777\s+\$1,234\.50/);
  });

  it('lets people change and delete what another program has made', async () => {
    await insert('A Copier');
    const [{id}] = await products();
    await bothShowTheStock();
    for (const visitor of [ada, cleo]) await visitor.row(id).getByRole('link').click();
    await ada.edit('qty', '6');
    await cleo.reads('edit-qty', '6');
    await cleo.edit('qty', '7');
    await ada.reads('edit-qty', '7');
    await ada.see('delete').click();
    await ada.see('delete-confirm').click();
    await ada.see('deleted').waitFor();
    await cleo.see('deleted').waitFor();
  });

  it('never shows what was rolled back', async () => {
    const [{id}] = await products();
    for (const visitor of [ada, cleo]) await visitor.record();
    await sql('BEGIN');
    await sql('UPDATE product SET qty = 666013 WHERE category = $1', CATEGORY);
    await insert('Rolled-back copier');
    await sql('DELETE FROM product WHERE id = $1', id);
    await sql('ROLLBACK');
    await sql('UPDATE product SET qty = 314159 WHERE id = $1', id);
    await bothShowTheStock();
    for (const visitor of [ada, cleo]) {
      const shown = await visitor.recorded();
      assert.notDeepEqual(allOf(/314,159/g, shown), []);
      assert.deepEqual(allOf(/666,013|Rolled-back/g, shown), []);
      assert.deepEqual(allOf(/666013|Rolled-back/g, await visitor.received()), []);
    }
  });

  it('takes a deleted product out of both windows, and a restored one back into them', async () => {
    const [, {id, name}] = await products();
    const {length: count} = await products();
    await cleo.reads('count', `${count} products`);
    await ada.row(id).getByRole('link').click();
    await ada.see('delete').click();
    await ada.see('delete-confirm').click();
    await ada.see('deleted').getByText('Ada Lind deleted this product').waitFor();
    await cleo.row(id).waitFor({state: 'detached'});
    await cleo.reads('count', `${count - 1} products`);
    await ada.page.goBack();
    await bothShowTheStock();
    await ada.see('deleted-products').locator('summary').click();
    const deleted = ada.page.locator(`[data-testid=deleted-product][data-id="${id}"]`);
    await deleted.getByText(name).waitFor();
    await deleted.getByTestId('restore').click();
    await cleo.row(id).waitFor();
    await cleo.reads('count', `${count} products`);
    assert.equal((await products())[1].id, id);
    await bothShowTheStock();
    await deleted.waitFor({state: 'detached'});
  });

  it('refuses a stale edit, and shows both values and who was faster', async () => {
    const {id} = await givenConflict({theirs: '51', mine: '62'});
    assert.deepEqual(allOf(/VERSION_CONFLICT/g, await ada.received()), ['VERSION_CONFLICT']);
    assert.equal((await product(id)).qty, 51);
    await ada.page.getByRole('dialog', {name: 'Cleo Marsh was faster'}).waitFor();
    await ada.reads('conflict-mine', '62');
    await ada.reads('conflict-theirs', '51');
    await ada.page.keyboard.press('Escape');
    await ada.see('conflict').waitFor({state: 'detached'});
    assert.equal((await product(id)).qty, 51);
  });

  it('saves the later value when the person keeps it', async () => {
    const {id} = await givenConflict({theirs: '52', mine: '63'});
    await ada.see('keep-mine').click();
    await cleo.reads('edit-qty', '63');
    await ada.reads('edit-qty', '63');
    await ada.see('conflict').waitFor({state: 'detached'});
    assert.equal((await product(id)).qty, 63);
  });

  it('leaves the earlier value when the person takes it', async () => {
    const {id, _version} = await givenConflict({theirs: '53', mine: '64'});
    await ada.see('take-theirs').click();
    await ada.see('conflict').waitFor({state: 'detached'});
    await ada.reads('edit-qty', '53');
    const {qty, _version: now} = await product(id);
    assert.deepEqual([qty, now], [53, _version]);
  });

  it('saves two edits of different fields, although both began with the same version', async () => {
    const [, , , {id}] = await products();
    for (const visitor of [ada, cleo]) await visitor.row(id).getByRole('link').click();
    await ada.see('edit-name').click();
    await cleo.edit('price', '99.5');
    await ada.type('name', 'Copier of both');
    await cleo.reads('edit-name', 'Copier of both');
    await ada.reads('edit-price', '$99.50');
  });

  it('tells when the connection is cut, and misses nothing once it is back', async () => {
    const [first, second, third, fourth] = await products();
    await cleo.reads('connection', 'Live');
    wire.cut();
    await cleo.page.locator('[data-testid=connection][data-state=reconnecting]').waitFor();
    await cleo.see('connection-banner').getByText('The connection was lost').waitFor();
    for (let qty = 1; qty <= 20; qty++) {
      await sql('UPDATE product SET qty = $2 WHERE id = $1', first.id, qty);
    }
    await sql(`UPDATE product SET name = 'Zulu copier' WHERE id = $1`, second.id);
    await insert('Aardvark copier');
    await ada.row(third.id).getByRole('link').click();
    await ada.see('delete').click();
    await ada.see('delete-confirm').click();
    await ada.see('deleted').waitFor();
    await ada.page.goBack();
    await ada.row(fourth.id).getByRole('link').click();
    await ada.edit('price', '4321');
    await ada.page.goBack();
    const now = await products();
    assert.deepEqual([now[0].name, now[now.length - 1].id], ['Aardvark copier', second.id]);
    assert.ok(now.every(({id}) => id !== third.id));
    await ada.shows(now.map(line));
    await ada.reads('connection', 'Live');
    wire.mend();
    await cleo.page.locator('[data-testid=connection][data-state=resynchronised]').waitFor();
    await cleo.see('connection-banner').waitFor({state: 'detached'});
    await bothShowTheStock();
    await cleo.reads('count', `${now.length} products`);
    // And goes on from there, both ways.
    await sql('UPDATE product SET qty = 2718 WHERE id = $1', first.id);
    await bothShowTheStock();
    await cleo.row(fourth.id).getByRole('link').click();
    await cleo.edit('price', '1234');
    await ada.shows((await products()).map(line));
  });

  it('saves an edit that was made without a connection, once there is one', async () => {
    const [{id}] = await products();
    await cleo.row(id).getByRole('link').click();
    await cleo.see('edit-qty').click();
    wire.cut();
    await cleo.see('connection-banner').waitFor();
    await cleo.type('qty', '4004');
    await cleo.see('field-qty').getByText('Saving…').waitFor();
    wire.mend();
    await cleo.reads('edit-qty', '4,004');
    await ada.shows((await products()).map(line));
    assert.equal((await product(id)).qty, 4004);
  });

  it('sends supplier prices to those who may see them, and to nobody else', async () => {
    const [, {id}] = await products();
    for (const visitor of [ada, cleo]) await visitor.row(id).getByRole('link').click();
    await ada.edit('supplierPrice', '73219.37');
    const {_version} = await product(id);
    for (const {page} of [ada, cleo]) await page.locator(`[data-version="${_version}"]`).waitFor();
    await cleo.see('history-entry').getByText('Ada Lind').first().waitFor();
    await ada.see('history-change').getByText('$73,219.37').waitFor();
    for (const visitor of [ada, cleo]) await visitor.record();
    for (const visitor of [ada, cleo]) await visitor.page.goBack();
    await bothShowTheStock();
    const [onThePage, onTheWire] = [/Supplier price|\$73,219/gi, /"supplierPrice":73219\.37/g];
    assert.notDeepEqual(allOf(onThePage, await ada.recorded()), []);
    assert.notDeepEqual(allOf(onTheWire, await ada.received()), []);
    assert.deepEqual(allOf(onThePage, await cleo.recorded()), []);
    assert.deepEqual(allOf(/supplierPrice|73219/gi, await cleo.received()), []);
    // The database has it as ciphertext only.
    assert.deepEqual(allOf(/73219/g, JSON.stringify(await product(id))), []);
  });

  it('hides a column at once from one whose role has changed, and shows it again', async () => {
    const [{id}] = await products();
    await ada.row(id).getByRole('link').click();
    await ada.edit('supplierPrice', '51627.38');
    const ben = await Visitor.arrive(browser, url);
    await ben.signIn('ben');
    await ben.go(PLACE);
    const column = ben.page.getByRole('columnheader', {name: 'Supplier price'});
    await column.waitFor();
    await ben.row(id).getByText('$51,627.38').waitFor();

    await giveRole('ben', 'clerk');
    await column.waitFor({state: 'detached'});
    const before = (await ben.received()).length;
    await ben.record();
    await ada.edit('supplierPrice', '62738.49');
    await sql('UPDATE product SET qty = 1618 WHERE id = $1', id);
    await ben.shows((await products()).map(line));
    assert.deepEqual(allOf(/supplierPrice|62738/g, (await ben.received()).slice(before)), []);
    assert.deepEqual(allOf(/Supplier price|62,738/g, await ben.recorded()), []);

    await giveRole('ben', 'buyer');
    await ben.row(id).getByText('$62,738.49').waitFor();
    await ben.page.context().close();
  });

  it('ends two pages with their session, and goes on after the next sign-in', async () => {
    const {tokenSecret} = readSecrets(dataDir);
    const user = {[securityId]: 'ben', id: 'ben', name: 'Ben Okoro', role: 'buyer'};
    const token = await new JwtTokenService(tokenSecret, 15).generateToken(user);
    const pages = [await Visitor.arrive(browser, url), await Visitor.arrive(browser, url)];
    for (const ben of pages) {
      await ben.comeBack({token, user});
      await ben.go(PLACE);
      await ben.shows((await products()).map(line));
    }
    const [{id}] = await products();
    for (const ben of pages) {
      await ben.page.getByText('The session has ended. Please sign in again.').waitFor();
      assert.equal(await ben.see('product-row').count(), 0);
    }
    await sql('UPDATE product SET qty = 86753 WHERE id = $1', id);
    await bothShowTheStock();
    for (const ben of pages) {
      assert.deepEqual(allOf(/86753/g, await ben.received()), []);
      await ben.see('sign-in-as-ben').click();
      await ben.shows((await products()).map(line));
      await ben.page.context().close();
    }
  });

  it('lets the supplier of the switch change rows, and stops it', async () => {
    // All that the supplier finds is in sight.
    await sql('UPDATE product SET _isdeleted = true WHERE category <> $1', CATEGORY);
    const before = (await products()).map(line);
    // What the tests before have lit up must not pass for the supplier's.
    for (const {page} of [ada, cleo]) {
      await page.locator('.flash-row').first().waitFor({state: 'detached'});
    }
    await ada.see('supplier').click();
    await ada.page.locator('[data-testid=supplier][aria-checked=true]').waitFor();
    for (const {page} of [ada, cleo]) await page.locator('.flash-row').first().waitFor();
    await ada.see('supplier').click();
    await ada.page.locator('[data-testid=supplier][aria-checked=false]').waitFor();
    assert.deepEqual(
      await sql(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'inventory supplier'`),
      [],
    );
    assert.notDeepEqual((await products()).map(line), before);
    await bothShowTheStock();
    await sql('UPDATE product SET _isdeleted = false WHERE category <> $1', CATEGORY);
  });

  it('fits a phone, and is dark where the phone is', async () => {
    const phone = await Visitor.arrive(browser, url, DARK_PHONE);
    await phone.see('sign-in-as-ada').waitFor();
    await assertFits(phone, 'sign-in-as-ada', 'username', 'password', 'sign-in', 'theme');
    await assertDark(phone);
    await phone.signIn('ada');
    const everywhere = ['nav-categories', 'nav-low-stock', 'account', 'supplier', 'connection'];
    await phone.see('low-count').first().waitFor();
    await assertFits(phone, 'category', ...everywhere);
    await assertDark(phone);

    const [{id}] = await products();
    await sql(`UPDATE product SET name = $2, qty = 0 WHERE id = $1`, id, 'Unbroken'.repeat(25));
    await phone.go(`/low-stock?category=${CATEGORY}&qty=100`);
    await phone.row(id).waitFor();
    await assertFits(phone, 'low-stock-category', 'threshold', 'add-one', ...everywhere);

    await phone.go(`/categories/${CATEGORY}`);
    await phone.see('product-row').nth(9).waitFor();
    await assertFits(phone, 'add-product', 'page-size', 'page-next', ...everywhere);
    await phone.see('add-product').click();
    await assertFits(phone, 'new-name', 'new-price', 'new-qty', 'new-desc', 'new-save');
    await phone.page.keyboard.press('Escape');

    for (const visitor of [phone, cleo]) await visitor.go(`/products/${id}`);
    await phone.see('history-entry').first().waitFor();
    const fields = ['name', 'price', 'qty', 'supplierPrice', 'desc', 'category'];
    await assertFits(phone, ...fields.map(field => `edit-${field}`), 'delete', ...everywhere);
    await phone.see('edit-desc').click();
    await assertFits(phone, 'input-desc');
    await cleo.edit('desc', 'Faster'.repeat(40));
    await phone.type('desc', 'Slower'.repeat(40));
    await phone.see('conflict').waitFor();
    await assertFits(phone, 'keep-mine', 'take-theirs');
    await phone.see('take-theirs').click();
    await phone.see('delete').click();
    await assertFits(phone, 'delete-confirm', ...everywhere);
    await phone.see('delete-confirm').click();
    await phone.see('history-entry').getByText('deleted it').waitFor();
    await assertFits(phone, 'restore', ...everywhere);
    await phone.go('/nowhere');
    await phone.page.getByText('There is nothing here').waitFor();
    await assertFits(phone, ...everywhere);
    assert.deepEqual(phone.complaints, []);
  });

  it('was never loaded anew, and nothing was wrong but the wire', async () => {
    for (const {page} of [ada, cleo]) assert.equal(await page.evaluate('window.loadedOnce'), true);
    const ofTheCut = /^WebSocket connection to '.*' failed|net::ERR_/;
    assert.deepEqual(ada.complaints, []);
    assert.deepEqual(cleo.complaints.filter(text => !ofTheCut.test(text)), []);
    assert.equal(server?.errors, '');
  });

  it('says that it stands still while the server has lost the database, and goes on', async () => {
    const address = new URL(runningDatabaseUrl({host: '127.0.0.1', port: 0, dataDir})!);
    address.pathname = '/postgres';
    const elsewhere = new Client({connectionString: address.href});
    await elsewhere.connect();
    await ada.reads('connection', 'Live');
    await elsewhere.query('ALTER DATABASE inventory ALLOW_CONNECTIONS false');
    try {
      await elsewhere.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = 'inventory' AND backend_type = 'walsender'`);
      await ada.reads('connection', 'Paused');
      await ada.see('connection-banner').getByText('has lost its database').waitFor();
      await ada.go('/');
      await ada.page.getByText('The categories cannot be shown').waitFor();
      await ada.reads('connection', 'Paused');
    } finally {
      await elsewhere.query('ALTER DATABASE inventory ALLOW_CONNECTIONS true');
      await elsewhere.end();
    }
    await ada.see('category').first().waitFor();
    await ada.reads('connection', 'Live');
    await ada.go(PLACE);
    const [{id}] = await products();
    await sql('UPDATE product SET qty = 3141 WHERE id = $1', id);
    await bothShowTheStock();
  });

  /** Both edit the stock of one product from the same version on; the clerk is faster. */
  async function givenConflict({theirs, mine}: {theirs: string; mine: string}) {
    const [, , {id}] = await products();
    for (const visitor of [ada, cleo]) await visitor.row(id).getByRole('link').click();
    await ada.see('edit-qty').click();
    await cleo.edit('qty', theirs);
    await ada.see('field-qty').getByText(`Meanwhile somebody set it to “${theirs}”`).waitFor();
    await ada.type('qty', mine);
    await ada.see('conflict').waitFor();
    return product(id);
  }

  /** As a manager does with any REST client. */
  async function giveRole(username: string, role: string): Promise<void> {
    const session = await rest('POST', '/login', {username: 'ada', password: 'ada-manager'});
    const {token} = (await session.json()) as {token: string};
    const user = (await (await rest('GET', `/users/${username}`, undefined, token)).json()) as {
      _version: string;
    };
    const change = {role, _version: user._version};
    assert.equal((await rest('PATCH', `/users/${username}`, change, token)).status, 204);
  }

  function rest(method: string, path: string, body?: object, token?: string): Promise<Response> {
    return fetch(url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token && {authorization: `Bearer ${token}`}),
      },
      body: body && JSON.stringify(body),
    });
  }

  async function bothShowTheStock(): Promise<void> {
    const now = (await products()).map(line);
    for (const visitor of [ada, cleo]) await visitor.shows(now);
  }

  /** What the category's page should show, first row first. */
  async function products(): Promise<ProductRow[]> {
    const rows = await sql(
      `SELECT id, name, qty, price FROM product
        WHERE category = $1 AND _isdeleted IS NOT TRUE ORDER BY name, id LIMIT 25`,
      CATEGORY,
    );
    return rows as ProductRow[];
  }

  async function product(id: string): Promise<ProductRow> {
    const [row] = await sql('SELECT * FROM product WHERE id = $1', id);
    return row as ProductRow;
  }

  /** As a program does that knows nothing of versions. */
  async function insert(name: string): Promise<void> {
    const columns = 'INSERT INTO product (id, name, qty, price, category)';
    await sql(`${columns} VALUES (gen_random_uuid(), $1, 5, 10, $2)`, name, CATEGORY);
  }

  async function sql(statement: string, ...values: unknown[]): Promise<unknown[]> {
    return (await database.query(statement, values)).rows;
  }
});

interface ProductRow {
  readonly id: string;
  readonly name: string;
  readonly qty: number;
  readonly price: number;
  readonly _version: string;
}

/** What of a long text matches; it is too long to be shown when it should not. */
function allOf(pattern: RegExp, text: string): string[] {
  return text.match(pattern) ?? [];
}

/** A product as a row of the page reads. */
function line({name, qty, price}: ProductRow): string {
  const pieces = new Intl.NumberFormat('en-US').format(qty);
  const money = new Intl.NumberFormat('en-US', {style: 'currency', currency: 'USD'}).format(price);
  return [name, pieces, money].join(' | ');
}
