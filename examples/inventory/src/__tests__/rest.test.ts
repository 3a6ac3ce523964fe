import {strict as assert} from 'node:assert';
import {Client} from 'pg';
import {deliver} from '../supplier';
import {givenInventory, type Call} from './support/application';

const BOOKCASE = 'FUR-BO-10001798';

describe('the inventory over REST', function () {
  this.timeout(30_000);
  const inventory = givenInventory();
  const call = (method: string, path: string, options?: Call) =>
    inventory.call(method, path, options);

  describe('signing in', () => {
    it('answers a token, and who it is', async () => {
      const body = {username: 'ada', password: 'ada-manager'};
      const answer = await call('POST', '/login', {body});
      assert.equal(answer.status, 200);
      assert.equal(answer.body.token.split('.').length, 3);
      assert.deepEqual(answer.body.user, {
        id: 'ada',
        username: 'ada',
        name: 'Ada Lind',
        role: 'manager',
      });
    });

    for (const [who, body] of Object.entries({
      'a wrong password': {username: 'ada', password: 'ben-buyer'},
      'an unknown name': {username: 'zoe', password: 'ada-manager'},
    })) {
      it(`refuses ${who}, and does not say which of the two was wrong`, async () => {
        const answer = await call('POST', '/login', {body});
        assert.equal(answer.status, 401);
        assert.equal(answer.body.error.message, 'The name or the password is wrong.');
      });
    }

    it('takes text only', async () => {
      const body = {username: {neq: null}, password: 'ada-manager'};
      assert.equal((await call('POST', '/login', {body})).status, 422);
    });

    it('keeps passwords as bcrypt hashes, and shows them to nobody', async () => {
      const rows = await sql('SELECT password FROM users');
      assert.equal(rows.length, 3);
      for (const {password} of rows) assert.match(String(password), /^\$2[aby]\$10\$.{53}$/);
      const answer = await call('GET', '/users', {as: 'ada'});
      assert.equal(answer.body.length, 3);
      assert.doesNotMatch(JSON.stringify(answer.body), /password|\$2/);
    });

    it('lets a manager add somebody, who can sign in, also after a change of name', async () => {
      const dora = {id: 'dora', name: 'Dora', role: 'clerk', password: 'dora-secret'};
      const made = await call('POST', '/users', {as: 'ada', body: dora});
      assert.equal(made.status, 200);
      const body = {name: 'Dora Diaz', _version: made.body._version};
      assert.equal((await call('PATCH', '/users/dora', {as: 'ada', body})).status, 204);
      const {id: username, password} = dora;
      const answer = await call('POST', '/login', {body: {username, password}});
      assert.equal(answer.body.user.name, 'Dora Diaz');
    });
  });

  describe('access', () => {
    it('asks for a login', async () => {
      for (const path of ['/products', `/products/${BOOKCASE}`, '/categories', '/supplier']) {
        assert.equal((await call('GET', path)).status, 401, path);
      }
    });

    it('refuses a token that somebody else has signed', async () => {
      const [header, claims] = (await inventory.token('ben')).split('.');
      const headers = {authorization: `Bearer ${header}.${claims}.forged`};
      assert.equal((await call('GET', '/products', {headers})).status, 401);
    });

    it('shows supplier prices to buyers and managers only, wherever they appear', async () => {
      const path = `/products/${BOOKCASE}`;
      const before = await call('GET', path, {as: 'ben'});
      assert.equal(before.body.supplierPrice, 110.02);
      const body = {supplierPrice: 99.5, _version: before.body._version};
      assert.equal((await call('PATCH', path, {as: 'ben', body})).status, 204);
      const asOf = `${path}?asOf=${new Date().toISOString()}`;
      const diff = `${path}/diff?from=1&to=current`;
      const list = `/products?filter[where][id]=${BOOKCASE}`;
      const paths = [path, list, `${path}/history`, '/products/history', asOf, diff];
      for (const each of paths) {
        const ben = await call('GET', each, {as: 'ben'});
        const cleo = await call('GET', each, {as: 'cleo'});
        assert.equal(cleo.status, 200, each);
        assert.match(JSON.stringify(ben.body), /supplierPrice/, each);
        assert.doesNotMatch(JSON.stringify(cleo.body), /supplierPrice|110\.02|99\.5/, each);
      }
    });

    it('refuses a clerk what is for buyers, and everybody but managers the users', async () => {
      const {body: product} = await call('GET', `/products/${BOOKCASE}`, {as: 'cleo'});
      const price = {supplierPrice: 1, _version: product._version};
      const pen = {name: 'Pen', qty: 1, price: 2, category: 'art'};
      for (const [method, path, body] of [
        ['PATCH', `/products/${BOOKCASE}`, price],
        ['POST', '/products', pen],
        ['DELETE', `/products/${BOOKCASE}/${product._version}`],
        ['POST', `/products/${BOOKCASE}/restore`],
        ['POST', `/products/${BOOKCASE}/revert/1`],
        ['POST', '/categories', {name: 'Pens'}],
        ['GET', '/users'],
      ] as const) {
        const answer = await call(method, path, {as: 'cleo', body});
        assert.equal(answer.status, 403, `${method} ${path}`);
      }
    });

    it('stores supplier prices as ciphertext, also in the history', async () => {
      const rows = [
        ...(await sql('SELECT row_to_json(p)::text AS row FROM product p')),
        ...(await sql('SELECT row_to_json(h)::text AS row FROM producthistory h')),
      ];
      assert.ok(rows.length > 1862);
      assert.doesNotMatch(String(rows.map(row => row.row)), /supplierprice":"?\d+(\.\d+)?"?[,}]/);
    });
  });

  describe('a product', () => {
    it('goes through change, conflict, deletion and restoration', async () => {
      const body = {name: 'Pencil', qty: 3, price: 1.5, category: 'art', supplierPrice: 0.4};
      const made = await call('POST', '/products', {as: 'ben', body});
      assert.equal(made.status, 200);
      const path = `/products/${made.body.id}`;
      assert.equal(made.etag, `"${made.body._version}"`);
      assert.equal(made.body._createdBy, 'ben');

      const missing = await call('PATCH', path, {as: 'cleo', body: {qty: 4}});
      assert.equal(missing.status, 428);
      const first = {qty: 4, _version: made.body._version};
      assert.equal((await call('PATCH', path, {as: 'cleo', body: first})).status, 204);
      const late = await call('PATCH', path, {as: 'ada', body: {qty: 5, _version: first._version}});
      assert.equal(late.status, 409);
      assert.equal(late.body.error.code, 'VERSION_CONFLICT');
      const headers = {'if-match': `"${first._version}"`};
      const stale = await call('PATCH', path, {as: 'ada', body: {qty: 5}, headers});
      assert.equal(stale.status, 412);

      const now = await call('GET', path, {as: 'ada'});
      assert.equal(now.body.qty, 4);
      assert.equal(now.body._modifiedBy, 'cleo');
      const gone = await call('DELETE', `${path}/${now.body._version}`, {as: 'ben'});
      assert.deepEqual(gone.body, {count: 1});
      assert.equal((await call('GET', path, {as: 'ben'})).status, 404);
      const back = await call('POST', `${path}/restore`, {as: 'ben'});
      assert.equal(back.status, 200);
      assert.equal((await call('GET', path, {as: 'cleo'})).body.qty, 4);

      const history = await call('GET', `${path}/history`, {as: 'ben'});
      const entries = history.body as {_operation: string; _by: string}[];
      assert.deepEqual(
        entries.map(entry => `${entry._operation} by ${entry._by}`).sort(),
        ['delete by ben', 'restore by ben', 'update by cleo'],
      );
    });

    for (const [what, body] of Object.entries({
      'a quantity that is no number': {qty: 'many'},
      'half a piece': {qty: 1.5},
      'less than nothing': {qty: -1},
      'an unknown property': {colour: 'red'},
      'no name': {name: ''},
    })) {
      it(`refuses ${what}`, async () => {
        const answer = await call('PATCH', `/products/${BOOKCASE}`, {as: 'ada', body});
        assert.equal(answer.status, 422);
      });
    }

    it('has a price that is a number', async () => {
      const answer = await call('GET', `/products/${BOOKCASE}`, {as: 'cleo'});
      assert.equal(answer.body.price, 130.98);
    });
  });

  describe('around it', () => {
    it('tells its health, the feed of changes included', async () => {
      const {status, body} = await call('GET', '/health');
      assert.equal(status, 200);
      assert.equal(body.status, 'UP');
      assert.equal(body.database.status, 'UP');
      assert.equal(body.live.feeds[0].state, 'live');
    });

    it('describes every route in its OpenAPI document', async () => {
      const {body} = await call('GET', '/openapi.json');
      for (const path of [
        '/categories/{id}/history',
        '/products/{id}/{version}',
        '/products/{id}/restore',
        '/users/{id}',
        '/login',
        '/supplier/start',
        '/health',
      ]) {
        assert.ok(body.paths[path], path);
      }
    });

    it('tells the sign-in page who there is', async () => {
      const {body} = await call('GET', '/demo-people');
      assert.deepEqual(
        (body as {username: string}[]).map(person => person.username),
        ['ada', 'ben', 'cleo'],
      );
    });

    it('is not found where there is nothing', async () => {
      assert.equal((await call('GET', '/no-such-thing')).status, 404);
    });
  });

  describe('the supplier', () => {
    it('is switched on and off, and changes stock while it is on', async () => {
      const sum = () => sql('SELECT sum(hashtext(id) * qty::bigint) AS it FROM product');
      const before = await sum();
      assert.deepEqual((await call('POST', '/supplier/start', {as: 'cleo'})).body, {running: true});
      assert.deepEqual((await call('GET', '/supplier', {as: 'ada'})).body, {running: true});
      while (JSON.stringify(await sum()) === JSON.stringify(before)) {
        // It runs until it has delivered.
      }
      assert.deepEqual((await call('POST', '/supplier/stop', {as: 'ada'})).body, {running: false});
      const after = await sum();
      assert.deepEqual(await sum(), after);
    });

    it('delivers, takes back, and rolls back, and leaves versions alone', async () => {
      const client = new Client({connectionString: inventory.database.url});
      await client.connect();
      const stock = async () => {
        const counts = 'sum(qty)::int AS n, count(DISTINCT _version)::int AS v';
        return (await sql(`SELECT ${counts} FROM product`))[0];
      };
      const before = await stock();
      const chances = (...values: number[]) => () => values.shift() ?? 0;
      assert.match(await deliver(client, chances(0.1, 0.5, 0.5)), /^\+7 .* in stock$/);
      assert.deepEqual(await stock(), {n: Number(before.n) + 7, v: before.v});
      assert.match(await deliver(client, chances(0.1, 0.5, 0.05)), /^rolled back: \+7 /);
      assert.deepEqual(await stock(), {n: Number(before.n) + 7, v: before.v});
      await client.end();
    });
  });

  async function sql(statement: string): Promise<Record<string, unknown>[]> {
    const client = new Client({connectionString: inventory.database.url});
    await client.connect();
    try {
      return (await client.query(statement)).rows;
    } finally {
      await client.end();
    }
  }
});
