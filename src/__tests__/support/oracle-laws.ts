import {once} from 'node:events';
import type {Duplex} from 'node:stream';
import {LiveClient, type LiveCollection, type LiveModel} from '../../client';
import type {HubCounters} from '../../core/counters';
import {LiveEntitiesBindings} from '../../index';
import type {TestDatabase} from './databases';
import type {Writer} from './oracle-writers';
import type {Product, ProductRepository, Shop} from './shop';
import {until} from './until';

/** `limits.slowBytes` of the server that is watched. */
export const SLOW_BYTES = 4_000;
/** A delta of the row that is written; so few of them wait, and one that stands for the rest. */
const SECRET = 'x'.repeat(1_000);
const MOST_WAITING = 15;
/** Views that no write concerns, and windows that one commit may touch, visitors' included. */
const QUIET_VIEWS = 80;
const MOST_TOUCHED = 20;
const OWN = 'own';

/**
 * Laws 5 to 9 as they look from outside, beside the oracle of the first four: a row is written that
 * nobody else writes, with a secret that a buyer may see and a clerk may not, before one who does
 * not read.
 */
export class OtherLaws {
  private round = 0;
  private writes = 0;
  private leaks = 0;
  private received = 0;
  private probesBefore = 0;
  private probed = 0;
  private revisionsBefore = 0;

  private constructor(
    private readonly database: TestDatabase,
    private readonly products: ProductRepository,
    private readonly realtime: {readonly counters?: HubCounters},
    private readonly people: {buyer: LiveClient; clerk: LiveClient; stalled: LiveClient},
    /** The server's end of the connection of who does not read. */
    private readonly line: Duplex,
    private readonly shown: {
      buyer: LiveCollection<Product>;
      clerk: LiveCollection<Product>;
      stalled: LiveModel<Product>;
    },
  ) {
    shown.clerk.on('change', rows => {
      this.leaks += rows.filter(row => 'supplierPrice' in row).length;
    });
    shown.stalled.on('change', () => this.received++);
  }

  static async watching(shop: Shop, database: TestDatabase): Promise<OtherLaws> {
    const products = await shop.products();
    await products.create({id: OWN, name: 'Own', qty: 0, category: OWN, supplierPrice: SECRET});
    const signIn = async (username: string) => {
      const live = new LiveClient(shop.url);
      await live.login({username, password: 'secret'});
      return live;
    };
    const buyer = await signIn('buyer');
    const clerk = await signIn('clerk');
    const connecting = once(shop.restServer.httpServer!.server, 'upgrade');
    const stalled = await signIn('buyer');
    const [, line] = await connecting;
    const page = (live: LiveClient, category: string) =>
      live.collection<Product>({type: 'Product', view: 'categoryView', viewParams: {category}});
    const shown = {
      buyer: page(buyer, OWN),
      clerk: page(clerk, OWN),
      stalled: stalled.model<Product>({type: 'Product', id: OWN}),
    };
    const quiet = Array.from({length: QUIET_VIEWS}, (_, i) => page(buyer, `quiet ${i}`));
    await Promise.all([...quiet, ...Object.values(shown)].map(({ready}) => ready));
    const realtime = await shop.get(LiveEntitiesBindings.REALTIME_SERVER);
    const people = {buyer, clerk, stalled};
    return new OtherLaws(database, products, realtime, people, line as Duplex, shown);
  }

  /** A round begins. */
  async begin(): Promise<void> {
    this.probesBefore = this.probes;
    this.revisionsBefore = (await this.versions()).length;
    this.round++;
    this.writes = this.leaks = this.received = 0;
    this.line.cork();
  }

  /** A write of its row, and another one which changes nothing. */
  readonly write: Writer = async random => {
    this.writes++;
    const price = this.writes + random.below(1_000_000) / 1_000_000;
    const supplierPrice = `secret ${this.round} ${SECRET} ${price}`;
    const {_version} = await this.products.findById(OWN);
    await this.products.updateById(OWN, {price, supplierPrice, _version});
    await this.products.updateAll({price}, {id: OWN});
  };

  /** The round is over, and nothing is broken any more. */
  async end(): Promise<void> {
    this.probed = this.probes - this.probesBefore;
    this.line.uncork();
    await this.database.query(`UPDATE product SET qty = ${this.round} WHERE id = '${OWN}'`);
  }

  /** What was wrong in a round with so many commits; undefined where nothing was. */
  async finding(commits: number): Promise<string | undefined> {
    for (const each of Object.values(this.shown)) await until(each, () => this.showsEnd(each));
    const versions = (await this.versions()).slice(this.revisionsBefore);
    const revisions = versions.length;
    const plain = await this.plaintexts();
    if (!this.shown.buyer.value[0].supplierPrice) return 'law 5: the buyer is shown too little';
    if (this.leaks > 0) return `law 5: a clerk was shown ${this.leaks} secrets`;
    if (this.received > MOST_WAITING) return `law 6: ${this.received} messages waited for a reader`;
    if (revisions !== this.writes) return `law 7: ${this.writes} writes, ${revisions} revisions`;
    if (new Set(versions).size < revisions) return 'law 7: two states have the same version';
    if (plain > 0) return `law 8: ${plain} secrets are stored as they are`;
    if (this.probed > commits * MOST_TOUCHED) return `law 9: ${this.probed} windows were asked`;
    return undefined;
  }

  stop(): void {
    for (const each of Object.values(this.people)) each.close();
  }

  private get probes(): number {
    return this.realtime.counters!.probes;
  }

  /** The log has an order: what it says of the round's end comes after everything else. */
  private showsEnd({value}: LiveCollection<Product> | LiveModel<Product>): boolean {
    const [row] = [value].flat();
    return row?.qty === this.round;
  }

  /** Those of its row's past. */
  private async versions(): Promise<unknown[]> {
    const sql = `SELECT _version FROM producthistory WHERE _modelid = '${OWN}' ORDER BY _revision`;
    return (await this.database.query(sql)).map(({_version}) => _version);
  }

  /** This round's secrets, wherever they are stored. */
  private async plaintexts(): Promise<number> {
    const [{found}] = await this.database.query(
      `SELECT count(*)::int AS found FROM (
         SELECT supplierprice FROM product UNION ALL SELECT supplierprice FROM producthistory
       ) stored WHERE supplierprice LIKE '%secret ${this.round} x%'`,
    );
    return Number(found);
  }
}
