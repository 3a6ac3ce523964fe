import type {ChangeFeed, FeedSink, FeedStatus} from '../../core/ports';
import type {EntityShape} from '../../core/shape';
import type {AssembledTransaction} from './assembler';
import type {Alteration} from './definitions';
import type {EntityTable} from './describe';
import {PostgresLiveError} from './errors';
import {dropLeftovers, findTrouble, publicationName} from './publication';
import {Session, type SessionOptions} from './session';

export interface PostgresFeedOptions extends SessionOptions {
  /** Part of the publication's name that tells applications on one database apart. */
  readonly name: string;
  /** Bytes of the log that the server may keep for us; past them every window is read anew. */
  readonly maxLagBytes: number;
}

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5_000;
const CHECK_EVERY_MS = 5_000;

/** Delivers committed transactions by logical decoding of the server's log. */
export class PostgresFeed implements ChangeFeed {
  readonly name = 'postgres';
  private state: FeedStatus['state'] = 'stopped';
  private entities: EntityTable[] = [];
  private sink: FeedSink | undefined;
  private session: Session | undefined;
  private publication: string | undefined;
  private delivered = 0;
  private deliveredAt: number | undefined;
  private lagMs: number | undefined;
  private lagBytes: number | undefined;
  private error: Error | undefined;
  private checking: NodeJS.Timeout | undefined;
  private wake: (() => void) | undefined;
  /** Counts starts, so that what belongs to an earlier one ends itself. */
  private run = 0;

  constructor(
    private readonly tables: ReadonlyMap<string, EntityTable>,
    private readonly options: PostgresFeedOptions,
  ) {}

  async start(entities: readonly EntityShape[], sink: FeedSink): Promise<void> {
    if (this.state !== 'stopped') throw new Error('the feed has been started already');
    this.entities = entities.map(({name}) => this.tableOf(name));
    this.publication = publicationName(this.options.name, this.entities.map(({table}) => table));
    this.sink = sink;
    this.state = 'starting';
    const {run} = this;
    try {
      await this.connect();
    } catch (error) {
      if (this.run === run) this.state = 'stopped';
      throw error;
    }
    this.goLive();
    this.checkLater();
    this.lagBytes = await this.session?.lagBytes().catch(() => undefined);
    const {name, pool, logger} = this.options;
    const dropped = await dropLeftovers(pool, name);
    if (dropped.length > 0) logger.info(`dropped publications of before: ${dropped.join(', ')}`);
  }

  async stop(): Promise<void> {
    const {session} = this;
    this.state = 'stopped';
    this.run++;
    this.session = undefined;
    clearTimeout(this.checking);
    this.wake?.();
    await session?.close();
  }

  status(): FeedStatus & {readonly publication?: string} {
    const {state, publication, delivered, deliveredAt, lagBytes, error} = this;
    // A server that is silent may have anything to tell.
    const silentMs = this.session?.unansweredMs ?? 0;
    const lagMs = silentMs > 0 ? Math.max(this.lagMs ?? 0, silentMs) : this.lagMs;
    return {
      state,
      delivered,
      ...(publication !== undefined && {publication}),
      ...(deliveredAt !== undefined && {deliveredAt: new Date(deliveredAt)}),
      ...(lagMs !== undefined && {lagMs}),
      ...(lagBytes !== undefined && {lagBytes}),
      ...(error && {error}),
    };
  }

  private tableOf(entity: string): EntityTable {
    const table = this.tables.get(entity);
    if (table === undefined) throw new TypeError(`the feed knows no table of ${entity}`);
    return table;
  }

  /** Resolves when a new stream carries everything that commits from now on. */
  private async connect(): Promise<void> {
    const publication = this.publication!;
    const session: Session = new Session(this.options, publication, this.entities, {
      deliver: transaction => this.deliver(transaction),
      lost: error => this.lost(session, error),
    });
    this.session = session;
    try {
      await session.open();
    } catch (error) {
      await session.close();
      if (this.session === session) this.session = undefined;
      throw error;
    }
    if (this.session !== session) {
      await session.close();
      throw new PostgresLiveError('CONNECTION_LOST', 'the feed was stopped');
    }
  }

  private goLive(): void {
    this.state = 'live';
    this.error = undefined;
    this.session?.release();
  }

  private deliver(transaction: AssembledTransaction): void {
    this.delivered++;
    this.deliveredAt = Date.now();
    // Our clock counts whole milliseconds, and may be another machine's than the database's.
    this.lagMs = Math.max(0, this.deliveredAt - transaction.committedAt);
    this.sink!.committed(transaction);
  }

  private lost(session: Session, error: Error): void {
    if (this.session !== session || this.state !== 'live') return;
    this.session = undefined;
    void session.close();
    this.error = error;
    this.state = 'interrupted';
    this.options.logger.warn(`live feed interrupted: ${error.message}`);
    this.sink!.interrupted(error);
    void this.reconnect();
  }

  private async reconnect(): Promise<void> {
    const {run} = this;
    let pause = FIRST_RETRY_MS;
    for (;;) {
      // A little chance keeps many processes from coming back at the same moment.
      await this.sleep(pause * (0.5 + Math.random()));
      if (this.run !== run) return;
      try {
        await this.connect();
        break;
      } catch (error) {
        this.error = error as Error;
        this.options.logger.warn(`live feed cannot reconnect yet: ${this.error.message}`);
        pause = Math.min(2 * pause, LAST_RETRY_MS);
      }
    }
    if (this.run !== run) return;
    this.options.logger.info('live feed resumed');
    this.sink!.resumed();
    this.goLive();
  }

  /**
   * Looks for what the log does not tell, every five seconds and whenever it is called, best after
   * a migration:
   *
   * - Rows that were changed by altering their table (`ALTER … TYPE … USING`, a partition attached,
   *   detached or truncated, an enum's value renamed). The entity's views are read anew; so they
   *   are after `VACUUM FULL` and `CLUSTER`, in vain.
   * - A table that has left the publication, because it was dropped and made again, or that was
   *   given another replica identity; a publication that others have changed. The feed repairs
   *   that, as after a lost connection.
   * - A table that cannot be followed any more: not logged, inherited from, under row security. The
   *   feed stands still until that is mended.
   * - More of the log kept for us than may be: the slot is let go, and the feed begins anew.
   */
  async check(): Promise<void> {
    const {session} = this;
    if (this.state !== 'live' || session === undefined) return;
    const finding = await this.examine(session).catch(() => undefined);
    // When the server cannot be asked, the stream will tell; the next check asks again.
    if (finding) this.lost(session, finding);
  }

  /** What makes it necessary to begin anew. */
  private async examine(session: Session): Promise<PostgresLiveError | undefined> {
    const {pool, maxLagBytes} = this.options;
    this.lagBytes = await session.lagBytes();
    if (this.lagBytes !== undefined && this.lagBytes > maxLagBytes) {
      return new PostgresLiveError(
        'LAG_TOO_LARGE',
        `the server keeps ${this.lagBytes} bytes of its log for us; views are read anew instead`,
      );
    }
    const trouble = await findTrouble(pool, this.publication!, this.entities);
    if (trouble) return trouble;
    for (const altered of await session.readAlteredAnew()) this.report(altered);
    return undefined;
  }

  /** One check at a time: one can wait long, for a table that is just being altered. */
  private checkLater(): void {
    const {run} = this;
    this.checking = setTimeout(() => {
      void this.check().then(() => this.run === run && this.checkLater());
    }, CHECK_EVERY_MS).unref();
  }

  private report({entity, columns}: Alteration): void {
    const {logger} = this.options;
    logger.info(`the table of ${entity} was altered; its live views are read anew`);
    if (columns) {
      logger.warn(`columns of ${entity} were altered; restart the application if their types were`);
    }
  }

  private sleep(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
