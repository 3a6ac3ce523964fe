import {LiveClient} from '../../client';
import {givenMixed, type Mixed} from '../support/oracle-mix';
import {startPostgres18, type Postgres18, type TestDatabase} from '../support/databases';
import {Network} from '../support/network';
import {Oracle} from '../support/oracle';
import {VIEWS, Watched} from '../support/oracle-views';
import {pseudoRandom, type Random} from '../support/random';
import {ShopProcess} from '../support/shop-process';
import {until} from '../support/until';

/*
 * The same oracle while everything breaks: the server is killed with SIGKILL, PostgreSQL is stopped
 * and started, connections are cut, clients stop reading; writers of every kind go on.
 *
 * ORACLE_FAULT_CHANGES=100000 is the long form.
 */

const CHANGES = Number(process.env.ORACLE_FAULT_CHANGES ?? 800);
const SEED = Number(process.env.ORACLE_SEED ?? 20261122);
/** What is checked at a time; all is at rest then. */
const ROUND = 1200;
/** Pages that visitors have open at a time. */
const VISITORS = 15;

describe(`live views while everything breaks (seed ${SEED})`, function () {
  this.timeout(120_000 + CHANGES * 100);
  let server: Postgres18;
  let database: TestDatabase;
  let shop: ShopProcess;
  let network: Network;
  let clients: LiveClient[] = [];
  let mixed: Mixed;
  const counts = {kills: 0, restarts: 0, cuts: 0, stalls: 0, resets: 0, visits: 0};

  before(async () => {
    server = await startPostgres18();
    database = await server.createDatabase('faulty');
    shop = new ShopProcess(database, {
      limits: {opsPerSecond: 10_000, bufferedBytes: 200_000},
      cacheDuration: 20,
      logger: undefined,
    });
    await shop.start();
    network = await Network.before(() => shop.address);
    const roles = ['buyer', 'clerk', 'clerk', 'manager'];
    clients = await Promise.all(roles.map(role => signedIn(role, network.url)));
    // Not through the bad network: a writer that stands still would hold up the round.
    mixed = await givenMixed(database, shop, await signedIn('clerk', shop.url));
  });
  after(async () => {
    for (const client of clients) client.close();
    await mixed?.end();
    await network?.close();
    await shop?.kill();
    await database?.drop();
    await server?.remove();
  });

  it(`are right after every message while ${CHANGES} changes pass`, async () => {
    const random = pseudoRandom(SEED);
    await mixed.stock();
    const oracle = await Oracle.watching(database, 'product');
    const watched = clients.flatMap(client => VIEWS.map(view => new Watched(client, view)));
    for (const {collection} of watched) {
      collection.on('status', (_, {reset}) => (counts.resets += Number(reset)));
    }
    await Promise.all(watched.map(({collection}) => collection.ready));
    let [commits, messages] = [0, 0];
    for (let done = 0; done < CHANGES; done += ROUND) {
      const writing = mixed.write(random.fork(), Math.min(ROUND, CHANGES - done));
      const [visitors] = await Promise.all([
        visit(random.fork(), writing),
        breakThings(random.fork(), writing, Math.min(ROUND, CHANGES - done)),
      ]);
      const states = await oracle.states();
      const last = states[states.length - 1];
      for (const each of watched) await until(each.collection, () => each.shows(last));
      for (const each of [...watched, ...visitors]) messages += each.check(states);
      for (const {collection} of visitors) collection.close();
      commits += states.length - 1;
      if (CHANGES > ROUND) console.log(`      ${commits} commits, ${messages} messages so far`);
    }
    console.log(`      ${commits} commits, ${messages} messages, all right; ${summary()}`);
    await oracle.stop();
  });

  async function signedIn(role: string, url: string): Promise<LiveClient> {
    const live = new LiveClient(url, {reconnectionDelay: 20, reconnectionDelayMax: 200});
    await live.login({username: role, password: 'secret'});
    return live;
  }

  /** Until the writers are done, visitors open pages that nobody else has. */
  async function visit(random: Random, writing: Writing): Promise<Watched[]> {
    const visits: Watched[] = [];
    while (!writing.isDone) {
      const view = VIEWS[random.below(VIEWS.length)];
      const page = {pageOffset: random.below(30), pageSize: 1 + random.below(4)};
      const visitor = new Watched(clients[random.below(clients.length)], {...view, ...page});
      visits.push(visitor);
      counts.visits++;
      await visitor.collection.ready.catch(() => undefined);
      if (visits.length > VISITORS) visits[visits.length - VISITORS].collection.close();
    }
    await writing.done;
    return visits;
  }

  async function breakThings(random: Random, writing: Writing, changes: number): Promise<void> {
    const at = (part: number) => writing.reached(Math.floor(changes * part));
    for (let step = 1; step < 10; step++) {
      await at(step / 10);
      if (step === 3) await restartDatabase();
      else if (step === 6) await killServer();
      else if (step % 2 === 0) cut(random);
      else await stall(random, at((step + 1) / 10));
    }
    await writing.done;
  }

  async function killServer(): Promise<void> {
    counts.kills++;
    await mixed.during(async () => {
      await shop.kill();
      await shop.start();
    });
  }

  async function restartDatabase(): Promise<void> {
    counts.restarts++;
    await mixed.during(async () => {
      await server.stop();
      await server.start();
    });
  }

  function cut(random: Random): void {
    counts.cuts++;
    network.cut(count => random.below(count));
  }

  async function stall(random: Random, enough: Promise<void>): Promise<void> {
    counts.stalls++;
    const goOn = network.stall(count => random.below(count));
    await enough;
    goOn();
  }

  function summary(): string {
    return Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(', ');
  }
});

type Writing = ReturnType<Mixed['write']>;
