import assert from 'node:assert/strict';
import {LiveClient} from '../../client';
import {OldCluster} from '../support/old-cluster';
import type {StoredRow, TableState} from '../support/oracle';
import {VIEWS, Watched} from '../support/oracle-views';
import {repositoryWriter, sqlWriter, stock, transactionWriter} from '../support/oracle-writers';
import {pseudoRandom} from '../support/random';
import {givenShop, type Shop} from '../support/shop';
import {until} from '../support/until';

/** A transaction's id has 32 bits in the log, and 64 in a snapshot. */
const WRAP = 2n ** 32n;
const MARGIN = 200n;

describe('live views while the ids of transactions wrap around', function () {
  this.timeout(120_000);
  let cluster: OldCluster | undefined;
  let shop: Shop;
  let live: LiveClient;

  before(async function () {
    cluster = await OldCluster.started(WRAP - MARGIN);
    if (!cluster) return this.skip();
    shop = await givenShop(cluster, {feed: 'postgres', limits: {opsPerSecond: 10_000}});
    live = new LiveClient(shop.url);
    await live.login({username: 'buyer', password: 'secret'});
  });
  after(async () => {
    live?.close();
    await shop?.shutDown();
    await cluster?.drop();
  });

  it('stay right, those that are opened on the way as well', async () => {
    const {url, query} = cluster!;
    await stock(query);
    assert.ok((await nextId()) < WRAP, 'the ids have wrapped around already');
    const products = await shop.products();
    const plainSql = await sqlWriter(url);
    const writers = [repositoryWriter(products), transactionWriter(products), plainSql.write];
    const random = pseudoRandom(20261127);
    const pages = VIEWS.map(view => new Watched(live, view));
    while ((await nextId()) < WRAP + MARGIN) {
      const pageSize = 1 + random.below(30);
      const visitor = new Watched(live, {...VIEWS[random.below(VIEWS.length)], pageSize});
      pages.push(visitor);
      await Promise.all([visitor.collection.ready, ...writers.map(write => write(random))]);
      if (pages.length > 60) pages.splice(20, 1)[0].collection.close();
    }
    await plainSql.end();
    const last = await state();
    for (const page of pages) await until(page.collection, () => page.shows(last));
  });

  async function nextId(): Promise<bigint> {
    const sql = 'SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS id';
    return BigInt((await cluster!.query(sql))[0].id as string);
  }

  async function state(): Promise<TableState> {
    const rows = await cluster!.query('SELECT id, to_jsonb(p) AS row FROM product p');
    return new Map(rows.map(({id, row}) => [id as string, row as StoredRow]));
  }
});
