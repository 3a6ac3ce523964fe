import type {ClientConfig, Pool} from 'pg';
import {TransactionAssembler, type AssembledTransaction} from './assembler';
import {DefinitionWatch, type Alteration} from './definitions';
import type {EntityTable} from './describe';
import {PostgresLiveError} from './errors';
import type {Logger} from './logger';
import {readAnewMessage, type Marks} from './marks';
import {checkServer, preparePublication} from './publication';
import {ReplicationStream, type StreamHandler} from './replication-stream';

export interface SessionOptions {
  readonly connection: ClientConfig;
  readonly pool: Pool;
  readonly marks: Marks;
  readonly logger: Logger;
  readonly maxChangesPerTransaction: number;
  /** Milliseconds without a sound after which the server counts as gone. Default 30,000. */
  readonly silenceLimit?: number;
}

export interface SessionListener {
  /** In commit order, from {@link Session.release} on. */
  deliver(transaction: AssembledTransaction): void;
  /** The session has ended by itself, after it was opened. */
  lost(error: Error): void;
}

const POLL_MS = 5;
const PATIENCE_MS = 400;
const WARN_AFTER_MS = 5_000;

/** The life of one replication slot: opened, settled, delivering, lost or closed. */
export class Session implements StreamHandler {
  private readonly assembler: TransactionAssembler;
  private readonly stream: ReplicationStream;
  private readonly definitions: DefinitionWatch;
  private readonly settlingMark: string;
  /** What arrives before {@link release}. */
  private held: AssembledTransaction[] | undefined = [];
  private opened = false;
  private failure: Error | undefined;
  private settleOrFail: (() => void) | undefined;

  constructor(
    private readonly options: SessionOptions,
    private readonly publication: string,
    private readonly entities: readonly EntityTable[],
    private readonly listener: SessionListener,
  ) {
    const {connection, pool, marks, maxChangesPerTransaction, silenceLimit} = options;
    this.definitions = new DefinitionWatch(pool, entities);
    this.settlingMark = marks.next();
    this.assembler = new TransactionAssembler(entities, marks.prefix, maxChangesPerTransaction);
    this.stream = new ReplicationStream(connection, publication, this, silenceLimit);
  }

  /** Resolves when everything that commits from now on will be delivered. */
  async open(): Promise<void> {
    const {publication} = this;
    const {pool, logger} = this.options;
    await checkServer(pool);
    await this.stream.connect();
    await preparePublication(pool, publication, this.entities);
    await this.definitions.look();
    const warning = setTimeout(() => {
      logger.warn('the live feed waits for transactions that are open in the database to end');
    }, WARN_AFTER_MS);
    try {
      await this.stream.open();
      await this.outwaitOpenTransactions();
      await this.outwaitDecoding();
    } catch (error) {
      throw this.failure ?? error;
    } finally {
      clearTimeout(warning);
    }
    this.opened = true;
  }

  /** Begins to deliver, with what has arrived meanwhile. */
  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const transaction of held) this.listener.deliver(transaction);
  }

  /**
   * Has tables read anew whose rows were changed by altering them. The log itself brings the word,
   * in a transaction of its own: whoever read before the alteration does not see that transaction,
   * and whoever reads once it was delivered does.
   */
  async readAlteredAnew(): Promise<readonly Alteration[]> {
    const {pool, marks} = this.options;
    const altered = await this.definitions.look();
    if (altered.length === 0) return altered;
    try {
      await pool.query(
        'SELECT pg_logical_emit_message(true, $1, message) FROM unnest($2::text[]) AS message',
        [marks.prefix, altered.map(({entity}) => readAnewMessage(entity))],
      );
    } catch (error) {
      this.definitions.forget(altered);
      throw error;
    }
    return altered;
  }

  /**
   * Bytes of the log that the server has written and we have not acknowledged, and that it
   * therefore keeps; undefined once the slot is gone.
   */
  async lagBytes(): Promise<number | undefined> {
    const {rows} = await this.options.pool.query<{lag: string}>(
      `SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), confirmed_flush_lsn) AS lag
       FROM pg_replication_slots WHERE slot_name = $1`,
      [this.stream.slot],
    );
    return rows.length === 0 ? undefined : Math.max(0, Number(rows[0].lag));
  }

  /** Milliseconds that the server has left unanswered whether it is there. */
  get unansweredMs(): number {
    return this.stream.unansweredMs;
  }

  /** Ends the slot and its connection, in whatever state it is. Half a second at most. */
  async close(): Promise<void> {
    const {opened} = this;
    this.fail(new PostgresLiveError('CONNECTION_LOST', 'the feed was stopped'));
    await Promise.all([this.stream.close(), !opened && this.cancelOpening()]);
  }

  /** A server that waits for open transactions does not notice that nobody waits for it. */
  private async cancelOpening(): Promise<void> {
    const {processId} = this.stream;
    if (processId === undefined) return;
    const cancelled = this.options.pool.query('SELECT pg_terminate_backend($1)', [processId]);
    const patience = new Promise(resolve => setTimeout(resolve, PATIENCE_MS).unref());
    await Promise.race([cancelled.catch(() => undefined), patience]);
  }

  message(buffer: Buffer, from: number): void {
    const transaction = this.assembler.take(buffer, from);
    if (transaction === undefined) return;
    this.stream.acknowledge(transaction.endLsn);
    if (transaction.tooLarge) {
      throw new PostgresLiveError(
        'TRANSACTION_TOO_LARGE',
        `a transaction changed more than ${this.options.maxChangesPerTransaction} rows; ` +
          'views are read anew instead',
      );
    }
    if (transaction.marks.includes(this.settlingMark)) this.settleOrFail?.();
    else if (this.held !== undefined) this.held.push(transaction);
    else if (transaction.changes.length + transaction.marks.length > 0) {
      this.listener.deliver(transaction);
    }
  }

  isIdle(): boolean {
    return this.assembler.isIdle;
  }

  lost(error: Error): void {
    const {opened} = this;
    this.fail(error);
    if (opened) this.listener.lost(error);
  }

  /**
   * A transaction that committed just before the slot began is not delivered, and yet a snapshot
   * taken now may not show it: between writing its commit to the log and becoming visible there is
   * a moment. Once everything that is under way now has ended, snapshots show all of that.
   */
  private async outwaitOpenTransactions(): Promise<void> {
    const target = await this.snapshotBound('xmax');
    while ((await this.snapshotBound('xmin')) < target) {
      if (this.failure) throw this.failure;
      await new Promise(wake => setTimeout(wake, POLL_MS));
    }
  }

  private async snapshotBound(bound: 'xmin' | 'xmax'): Promise<bigint> {
    const {rows} = await this.options.pool.query<{id: string}>(
      `SELECT pg_snapshot_${bound}(pg_current_snapshot()) AS id`,
    );
    return BigInt(rows[0].id);
  }

  /** A first mark through the log shows that decoding works and has caught up. */
  private async outwaitDecoding(): Promise<void> {
    const {pool, marks} = this.options;
    const arrival = new Promise<void>(resolve => {
      this.settleOrFail = resolve;
    });
    await pool.query('SELECT pg_logical_emit_message(true, $1, $2)', [
      marks.prefix,
      this.settlingMark,
    ]);
    if (!this.failure) await arrival;
    if (this.failure) throw this.failure;
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.settleOrFail?.();
  }
}
