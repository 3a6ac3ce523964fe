import assert from 'node:assert/strict';
import type {Duplex} from 'node:stream';
import {LiveClient} from '../../client';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {Oracle} from '../support/oracle';
import {VIEWS, Watched} from '../support/oracle-views';
import {
  bulkWriter, repositoryWriter, restWriter, sqlWriter, stock, transactionWriter, type Writer,
} from '../support/oracle-writers';
import {pseudoRandom, type Random} from '../support/random';
import {givenShop, type Shop} from '../support/shop';
import {until} from '../support/until';

/*
 * Laws 1 to 4: whoever writes, whatever rolls back, each client's rows, order and count equal the
 * view's query at some commit after every message, and that commit never goes backwards.
 */

const CHANGES = Number(process.env.ORACLE_CHANGES ?? 600);
const SEED = Number(process.env.ORACLE_SEED ?? 20261122);
/** Pages that visitors have open at a time. */
const VISITORS = 15;

for (const feed of ['postgres', 'repository'] as const) {
  itIsRight(feed, feed === 'postgres');
}

/** @param seesSql - whether the feed sees what plain SQL writes past the application */
function itIsRight(feed: 'postgres' | 'repository', seesSql: boolean): void {
  const title = `live views of the feed '${feed}' against the database's own history (seed ${SEED})`;
  describe(title, function () {
    this.timeout(240_000);
    let database: TestDatabase;
    let shop: Shop;
    let clients: LiveClient[];
    const sockets: Duplex[] = [];

    before(async () => {
      database = await (await givenPostgres18()).createDatabase('oracle');
      shop = await givenShop(database, {
        feed, limits: {opsPerSecond: 10_000}, cacheDuration: 20,
      });
      shop.restServer.httpServer!.server.on('upgrade', (_, socket: Duplex) => sockets.push(socket));
      clients = await Promise.all(['buyer', 'clerk', 'clerk', 'manager'].map(signedIn));
    });
    after(async () => {
      for (const client of clients ?? []) client.close();
      await shop?.shutDown();
      await database?.drop();
    });

    it(`are right after every message while ${CHANGES} changes pass`, async () => {
      const random = pseudoRandom(SEED);
      await stock(sql => database.query(sql));
      const oracle = await Oracle.watching(database, 'product');
      const watched = clients.flatMap(client => VIEWS.map(view => new Watched(client, view)));
      await Promise.all(watched.map(({collection}) => collection.ready));

      const products = await shop.products();
      const plainSql = await sqlWriter(database.url);
      const writers = Promise.all([
        repeat(repositoryWriter(products), random.fork(), CHANGES / 4),
        repeat(restWriter(() => shop.url, () => clients[0].token), random.fork(), CHANGES / 4),
        repeat(seesSql ? plainSql.write : bulkWriter(products), random.fork(), CHANGES / 4),
        repeat(transactionWriter(products), random.fork(), CHANGES / 8),
      ]);
      const visitors = await comeAndGo(random.fork(), writers);
      await plainSql.end();
      const states = await oracle.states();
      const last = states[states.length - 1];
      for (const each of watched) await until(each.collection, () => each.shows(last));
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
     * Until the writers are done, visitors open pages that nobody else has, so that reads and
     * refills happen in the middle of the writing; and connections are cut, as by a bad network.
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
  });
}

async function repeat(write: Writer, random: Random, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await write(random);
}
