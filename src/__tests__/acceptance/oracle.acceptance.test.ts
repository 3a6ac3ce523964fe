import assert from 'node:assert/strict';
import type {Duplex} from 'node:stream';
import {Client} from 'pg';
import {LiveClient, type LiveCollection} from '../../client';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {Oracle, type StoredRow, type TableState} from '../support/oracle';
import {pseudoRandom, type Random} from '../support/random';
import {givenShop, type Product, type ProductRepository, type Shop} from '../support/shop';
import {until} from '../support/until';

/*
 * Laws 1 to 4: whoever writes, whatever rolls back, each client's rows, order and count equal the
 * view's query at some commit after every message, and that commit never goes backwards.
 */

const CHANGES = Number(process.env.ORACLE_CHANGES ?? 1000);
const SEED = Number(process.env.ORACLE_SEED ?? 20261122);
const CATEGORIES = ['c1', 'c2', 'c3'];
const IDS = 200;
/** Pages that visitors have open at a time. */
const VISITORS = 15;

describe(`live views against the database's own history (seed ${SEED})`, function () {
  this.timeout(240_000);
  let database: TestDatabase;
  let shop: Shop;
  let clients: LiveClient[];
  let token: string;
  const sockets: Duplex[] = [];

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('oracle');
    shop = await givenShop(database, {limits: {opsPerSecond: 10_000}, cacheDuration: 20});
    shop.restServer.httpServer!.server.on('upgrade', (_, socket: Duplex) => sockets.push(socket));
    clients = await Promise.all(['buyer', 'clerk', 'clerk', 'manager'].map(signedIn));
    token = clients[0].token!;
  });
  after(async () => {
    for (const client of clients ?? []) client.close();
    await shop?.shutDown();
    await database?.drop();
  });

  it(`are right after every message while ${CHANGES} changes pass`, async () => {
    const random = pseudoRandom(SEED);
    await database.query(
      `INSERT INTO product (id, name, qty, category, _version)
       SELECT 'p' || n, 'Product ' || n, n % 20, 'c' || (n % 3 + 1), gen_random_uuid()::text
       FROM generate_series(1, ${IDS - 40}) n`,
    );
    const oracle = await Oracle.watching(database, 'product');
    const watched = clients.flatMap(client => VIEWS.map(view => new Watched(client, view)));
    await Promise.all(watched.map(({collection}) => collection.ready));

    const writers = Promise.all([
      writeThroughRepository(await shop.products(), random.fork(), CHANGES / 4),
      writeThroughRest(random.fork(), CHANGES / 4),
      writeInSql(random.fork(), CHANGES / 4),
      writeInTransactions(await shop.products(), random.fork(), CHANGES / 4),
    ]);
    const visitors = await comeAndGo(random.fork(), writers);
    const states = await oracle.states();
    const last = states[states.length - 1];
    for (const {collection, expected} of watched) {
      await until(collection, () => sameAs(collection, expected(last)));
    }
    assert.ok(states.length > CHANGES / 2, `${states.length} commits`);
    let messages = 0;
    for (const each of [...watched, ...visitors]) messages += each.check(states);
    console.log(
      `      ${states.length} commits, ${watched.length} views, ${visitors.length} visits, ` +
        `${messages} messages, all right`,
    );
    await oracle.stop();
  });

  async function signedIn(role: string): Promise<LiveClient> {
    const live = new LiveClient(shop.url, {reconnectionDelay: 20, reconnectionDelayMax: 100});
    await live.login({username: role, password: 'secret'});
    return live;
  }

  /**
   * Until the writers are done, visitors open pages that nobody else has, so that reads and refills
   * happen in the middle of the writing; and connections are cut, as by a bad network.
   */
  async function comeAndGo(random: Random, writers: Promise<unknown>): Promise<Watched[]> {
    let isWriting = true;
    writers.catch(() => undefined).finally(() => (isWriting = false));
    const visits: Watched[] = [];
    while (isWriting) {
      const view = VIEWS[random.below(VIEWS.length)];
      const page = {pageOffset: random.below(30), pageSize: 1 + random.below(4)};
      const visitor = new Watched(clients[random.below(clients.length)], {...view, ...page});
      visits.push(visitor);
      await visitor.collection.ready;
      if (visits.length > VISITORS) visits[visits.length - VISITORS].collection.close();
      if (random.chance(0.05)) await cutOneConnection(random);
    }
    await writers;
    return visits;
  }

  function cutOneConnection(random: Random): Promise<void> {
    const alive = sockets.filter(socket => !socket.destroyed);
    return new Promise(resolve => {
      const listeners = clients.map(client =>
        client.on('status', status => {
          if (status !== 'connected') return;
          for (const stopListening of listeners) stopListening();
          resolve();
        }),
      );
      alive[random.below(alive.length)].destroy();
    });
  }

  async function writeThroughRest(random: Random, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const id = someId(random);
      const headers = {authorization: `Bearer ${token}`, 'content-type': 'application/json'};
      const found = await fetch(`${shop.url}/products/${id}`, {headers});
      const row = (await found.json()) as Product;
      const body = found.ok ? {...somePatch(random), _version: row._version} : someRow(random, id);
      const [method, path] = found.ok ? ['PATCH', `/products/${id}`] : ['POST', '/products'];
      const reply = await fetch(shop.url + path, {method, headers, body: JSON.stringify(body)});
      const {status} = reply;
      assert.ok(status < 300 || [404, 409, 412].includes(status), `${status} ${await reply.text()}`);
    }
  }

  async function writeInSql(random: Random, count: number): Promise<void> {
    const client = new Client({connectionString: database.url});
    await client.connect();
    for (let i = 0; i < count; i++) {
      const {name, qty, category} = somePatch(random);
      const ids = [someId(random), someId(random), someId(random)].sort();
      await client.query('BEGIN');
      await client.query(
        `UPDATE product SET name = coalesce($1, name), qty = coalesce($2, qty),
           category = coalesce($3, category) WHERE id = $4`,
        [name, qty, category, ids[0]],
      );
      await client.query('SAVEPOINT s');
      await client.query('UPDATE product SET qty = qty + 1 WHERE id = $1', [ids[1]]);
      if (random.chance(0.3)) await client.query('ROLLBACK TO s');
      if (random.chance(0.3)) await client.query('DELETE FROM product WHERE id = $1', [ids[2]]);
      await client.query(random.chance(0.25) ? 'ROLLBACK' : 'COMMIT');
    }
    await client.end();
  }
});

interface View {
  readonly view: string;
  readonly viewParams: Readonly<Record<string, unknown>>;
  readonly pageOffset: number;
  readonly pageSize: number;
  matches(row: StoredRow): boolean;
  compare(a: StoredRow, b: StoredRow): number;
}

const byName = (a: StoredRow, b: StoredRow) => order(a.name, b.name) || order(a.id, b.id);
const byQty = (a: StoredRow, b: StoredRow) => order(a.qty, b.qty) || order(a.id, b.id);

const VIEWS: readonly View[] = [
  ...CATEGORIES.map(category => ({
    view: 'categoryView',
    viewParams: {category},
    pageOffset: 0,
    pageSize: 8,
    matches: (row: StoredRow) => row.category === category,
    compare: byName,
  })),
  {
    view: 'categoryView',
    viewParams: {category: 'c1'},
    pageOffset: 10,
    pageSize: 5,
    matches: row => row.category === 'c1',
    compare: byName,
  },
  {
    view: 'lowStockView',
    viewParams: {category: 'c2', qty: 9},
    pageOffset: 0,
    pageSize: 100,
    matches: row => row.category === 'c2' && Number(row.qty) <= 9,
    compare: byQty,
  },
  {
    view: 'matchingView',
    viewParams: {name: 'Product 1'},
    pageOffset: 0,
    pageSize: 6,
    matches: row => String(row.name).startsWith('Product 1'),
    compare: (a, b) => order(b.qty, a.qty) || order(a.id, b.id),
  },
];

interface Shown {
  readonly rows: readonly object[];
  readonly count: number;
  readonly isLastPage: boolean;
}

/** A collection, and all that it has shown. */
class Watched {
  readonly collection: LiveCollection<Product, 'id' | 'name' | 'qty' | 'category'>;
  private readonly shown: Shown[] = [];

  constructor(client: LiveClient, private readonly definition: View) {
    const {view, viewParams, pageOffset, pageSize} = definition;
    this.collection = client.collection<Product, 'id' | 'name' | 'qty' | 'category'>({
      type: 'Product',
      view,
      viewParams,
      pageOffset,
      pageSize,
      fields: ['id', 'name', 'qty', 'category'],
      getCount: true,
    });
    this.collection.on('change', () => this.shown.push(shownBy(this.collection)));
  }

  readonly expected = (state: TableState): Shown => {
    const {pageOffset, pageSize} = this.definition;
    const rows = allRows(this.definition, state);
    const end = pageOffset + pageSize;
    return {rows: rows.slice(pageOffset, end), count: rows.length, isLastPage: rows.length <= end};
  };

  /** Each state shown is one of the database's, and never an older one than before. */
  check(states: readonly TableState[]): number {
    let at = 0;
    this.shown.forEach((shown, message) => {
      const text = JSON.stringify(shown);
      const isShown = (state: TableState) => JSON.stringify(this.expected(state)) === text;
      const found = states.findIndex((state, i) => i >= at && isShown(state));
      const {view, viewParams} = this.definition;
      assert.ok(
        found >= 0,
        `${view} ${JSON.stringify(viewParams)}, message ${message} of ${this.shown.length}: ` +
          `what it shows was never the database's state after commit ${at}:\n${text}`,
      );
      at = found;
    });
    return this.shown.length;
  }
}

const known = new WeakMap<TableState, Map<View['matches'], object[]>>();

/** The whole view at one state. Kept, because many pages ask for the same. */
function allRows(view: View, state: TableState): object[] {
  let views = known.get(state);
  if (!views) known.set(state, (views = new Map()));
  let rows = views.get(view.matches);
  if (!rows) {
    rows = [...state.values()]
      .filter(row => row._isdeleted !== true && view.matches(row))
      .sort((a, b) => view.compare(a, b))
      .map(({id, name, qty, category, _version}) => ({id, name, qty, category, _version}));
    views.set(view.matches, rows);
  }
  return rows;
}

function shownBy(collection: Watched['collection']): Shown {
  const {count, isLastPage} = collection.meta!;
  const rows = collection.value.map(({id, name, qty, category, _version}) => ({
    id, name, qty, category, _version: _version ?? null,
  }));
  return {rows, count: count!, isLastPage};
}

function sameAs(collection: Watched['collection'], expected: Shown): boolean {
  return JSON.stringify(shownBy(collection)) === JSON.stringify(expected);
}

async function writeThroughRepository(
  products: ProductRepository,
  random: Random,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const id = someId(random);
    const row = await products.findOne({where: {id}});
    const write = !row
      ? products.create(someRow(random, id))
      : random.chance(0.15)
        ? products.deleteById(id, {version: row._version})
        : products.updateById(id, {...somePatch(random), _version: row._version});
    await write.catch(lostRace);
  }
}

async function writeInTransactions(
  products: ProductRepository,
  random: Random,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i += 2) {
    const transaction = await products.beginTransaction();
    const ids = [someId(random), someId(random)].sort();
    try {
      for (const id of ids) {
        await products.updateAll(somePatch(random), {id}, {transaction});
      }
      await (random.chance(0.3) ? transaction.rollback() : transaction.commit());
    } catch (error) {
      await transaction.rollback();
      lostRace(error as Error);
    }
  }
}

/** Somebody else was faster: a conflict, a row that has gone, or one that is there already. */
function lostRace(error: Error & {code?: string}): void {
  const expected = ['VERSION_CONFLICT', 'ENTITY_NOT_FOUND', '23505', '40P01'];
  if (!expected.includes(String(error.code))) throw error;
}

function someId(random: Random): string {
  return `p${1 + random.below(IDS)}`;
}

function someRow(random: Random, id: string) {
  return {id, name: `Product ${random.below(200)}`, qty: random.below(20), category: someCategory(random)};
}

function somePatch(random: Random): {name?: string; qty?: number; category?: string} {
  const which = random.below(4);
  if (which === 0) return {name: `Product ${random.below(200)}`};
  if (which === 1) return {category: someCategory(random)};
  return {qty: random.below(20)};
}

function someCategory(random: Random): string {
  return CATEGORIES[random.below(CATEGORIES.length)];
}

function order(a: unknown, b: unknown): number {
  return (a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0;
}
