import assert from 'node:assert/strict';
import {LiveClient} from '../../client';
import {LiveEntitiesBindings} from '../../index';
import {BREAKS, NOTHING, type Break} from '../support/breaks';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {Oracle, type TableState} from '../support/oracle';
import {OtherLaws, SLOW_BYTES} from '../support/oracle-laws';
import {VIEWS, Watched} from '../support/oracle-views';
import {
  repositoryWriter, sqlWriter, stock, transactionWriter, type Writer,
} from '../support/oracle-writers';
import {pseudoRandom, type Random} from '../support/random';
import {type Product, Shop} from '../support/shop';
import {until} from '../support/until';

/*
 * Who guards the guard: each of the nine laws is broken on purpose, and the oracle has to find it.
 * One round is not always enough, because some mistakes show only when a read and a write meet.
 */

const CHANGES = 120;
const ROUNDS = 10;

describe('the oracle', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let shop: Shop;
  let live: LiveClient;
  let oracle: Oracle;
  let others: OtherLaws;
  let plainSql: Awaited<ReturnType<typeof sqlWriter>>;
  let writers: Writer[];
  const random = pseudoRandom(20261122);

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('broken');
    const limits = {opsPerSecond: 10_000, slowBytes: SLOW_BYTES};
    shop = new Shop(database, {limits, cacheDisabled: true});
    // What is stored as it is can be read, so that nobody but the oracle notices.
    const keys = [{id: 'k1', secret: Buffer.alloc(32, 7).toString('base64')}];
    shop.configure(LiveEntitiesBindings.CRYPTO).to({keys, current: 'k1', readPlaintext: true});
    await shop.migrateSchema();
    await shop.start();
    live = new LiveClient(shop.url);
    await live.login({username: 'buyer', password: 'secret'});
    await stock(sql => database.query(sql));
    oracle = await Oracle.watching(database, 'product');
    plainSql = await sqlWriter(database.url);
    const products = await shop.products();
    others = await OtherLaws.watching(shop, database);
    writers = [
      repositoryWriter(products), transactionWriter(products), plainSql.write, others.write,
    ];
  });
  after(async () => {
    live?.close();
    others?.stop();
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
      for (let round = 0; round < ROUNDS; round++) {
        const found = await finding(broken);
        if (found?.split(':')[0].includes(broken.law[0])) return;
        assert.equal(found, undefined, 'it finds something else');
      }
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
    await others.begin();
    const mend = broken.begin();
    const visitors = await writeAndVisit().finally(mend);
    await others.end();
    // The log has an order: what comes after everything else says that everything else has come.
    const id = `sentinel ${Date.now()} ${random.below(1e9)}`;
    await database.query(
      `INSERT INTO product (id, name, qty, category) VALUES ($1, 'Sentinel', 0, 'sentinels')`,
      [id],
    );
    await until(sentinel, () => sentinel.value.some(row => row.id === id));
    const states = await oracle.states();
    const all = [...watched, ...visitors];
    const found = complaint(all, watched, states) ?? (await others.finding(states.length));
    for (const {collection} of all) collection.close();
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
    return `laws 1, 2, 3, 4: ${error.message}`;
  }
  const last = states[states.length - 1];
  if (open.every(each => each.shows(last))) return undefined;
  return 'laws 1, 2, 3, 4: another state than the last';
}

async function repeat(write: Writer, random: Random): Promise<void> {
  for (let i = 0; i < CHANGES / 3; i++) await write(random);
}
