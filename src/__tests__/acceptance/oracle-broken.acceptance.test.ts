import assert from 'node:assert/strict';
import {LiveClient} from '../../client';
import {BREAKS, NOTHING, type Break} from '../support/breaks';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {Oracle, type TableState} from '../support/oracle';
import {VIEWS, Watched} from '../support/oracle-views';
import {
  repositoryWriter, sqlWriter, stock, transactionWriter, type Writer,
} from '../support/oracle-writers';
import {pseudoRandom, type Random} from '../support/random';
import {givenShop, type Product, type Shop} from '../support/shop';
import {until} from '../support/until';

/*
 * Who guards the guard: each law is broken on purpose, and the oracle has to find it. One round is
 * not always enough, because some mistakes show only when a read and a write meet.
 */

const CHANGES = 120;
const ROUNDS = 10;

describe('the oracle', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let shop: Shop;
  let live: LiveClient;
  let oracle: Oracle;
  let plainSql: Awaited<ReturnType<typeof sqlWriter>>;
  let writers: Writer[];
  const random = pseudoRandom(20261122);

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('broken');
    shop = await givenShop(database, {limits: {opsPerSecond: 10_000}, cacheDisabled: true});
    live = new LiveClient(shop.url);
    await live.login({username: 'buyer', password: 'secret'});
    await stock(sql => database.query(sql));
    oracle = await Oracle.watching(database, 'product');
    plainSql = await sqlWriter(database.url);
    const products = await shop.products();
    writers = [repositoryWriter(products), transactionWriter(products), plainSql.write];
  });
  after(async () => {
    live?.close();
    await plainSql?.end();
    await oracle?.stop();
    await shop?.shutDown();
    await database?.drop();
  });

  it('finds nothing where nothing is broken', async () => {
    for (let round = 0; round < 3; round++) assert.equal(await finding(NOTHING), undefined);
  });

  for (const broken of BREAKS) {
    it(`finds it when law ${broken.law}`, async () => {
      for (let round = 0; round < ROUNDS; round++) if (await finding(broken)) return;
      assert.fail(`not found in ${ROUNDS} rounds`);
    });
  }

  /** What the oracle finds in one round of writing. */
  async function finding(broken: Break): Promise<string | undefined> {
    const sentinel = live.collection<Product>({
      type: 'Product', view: 'categoryView', viewParams: {category: 'sentinels'}, pageSize: 1000,
    });
    await sentinel.ready;
    const watched = VIEWS.map(view => new Watched(live, view));
    await Promise.all(watched.map(({collection}) => collection.ready));
    const mend = broken.begin();
    const visitors = await writeAndVisit().finally(mend);
    // The log has an order: what comes after everything else says that everything else has come.
    const id = `sentinel ${Date.now()} ${random.below(1e9)}`;
    await database.query(
      `INSERT INTO product (id, name, qty, category) VALUES ($1, 'Sentinel', 0, 'sentinels')`,
      [id],
    );
    await until(sentinel, () => sentinel.value.some(row => row.id === id));
    const states = await oracle.states();
    const found = complaint([...watched, ...visitors], watched, states);
    for (const {collection} of [...watched, ...visitors]) collection.close();
    sentinel.close();
    return found;
  }

  async function writeAndVisit(): Promise<Watched[]> {
    let isWriting = true;
    const writing = Promise.all(writers.map(write => repeat(write, random.fork())));
    writing.catch(() => undefined).finally(() => (isWriting = false));
    const visits: Watched[] = [];
    while (isWriting) {
      const view = VIEWS[random.below(VIEWS.length)];
      const page = {pageOffset: random.below(30), pageSize: 1 + random.below(4)};
      const visitor = new Watched(live, {...view, ...page});
      visits.push(visitor);
      await visitor.collection.ready;
      if (visits.length > 10) visits[visits.length - 11].collection.close();
    }
    await writing;
    return visits;
  }
});

function complaint(
  all: readonly Watched[],
  open: readonly Watched[],
  states: readonly TableState[],
): string | undefined {
  try {
    for (const each of all) each.check(states);
  } catch (error) {
    assert.ok(error instanceof assert.AssertionError);
    return error.message;
  }
  const last = states[states.length - 1];
  return open.every(each => each.shows(last)) ? undefined : 'another state than the last';
}

async function repeat(write: Writer, random: Random): Promise<void> {
  for (let i = 0; i < CHANGES / 3; i++) await write(random);
}
