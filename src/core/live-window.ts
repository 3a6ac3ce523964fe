import {setTimeout} from 'node:timers/promises';
import type {RowKey} from '../protocol/page';
import {imagesOf, type Change, type CommittedTransaction, type RowImage} from './change';
import {asUnavailable} from './database-errors';
import {
  FeedInterruptedError,
  isRefusal,
  SubscriptionEndedError,
  toError,
} from './errors';
import type {RecentTransactions} from './history';
import {mayMatch} from './hints';
import {refereeFor, type Referee} from './match';
import type {RowSource} from './ports';
import type {ViewQuery} from './query';
import {dress, relatedOf, type RelatedRows} from './related';
import type {EntityShape} from './shape';
import {judged} from './verdicts';
import {
  advance,
  isSufficient,
  netChanges,
  type WindowSpan,
  type WindowState,
} from './window';

export interface WindowContext {
  readonly shape: EntityShape;
  readonly source: RowSource;
  readonly recent: RecentTransactions;
  /** Resolves once the feed delivers. */
  live(): Promise<void>;
  /** Names the time between two interruptions of the feed; taken before a read begins. */
  epoch(): number;
  /**
   * Resolves when the feed delivers the mark of a read that began in this epoch; rejects when the
   * feed is interrupted before, or has been.
   */
  arrival(mark: string, epoch: number): Promise<void>;
  /**
   * Rows have come that the window will hold.
   *
   * @throws LiveEntityError `SERVER_BUSY` where it is being opened, and all windows together then
   * hold too many
   */
  admit(window: LiveWindow): void;
  /** The state has moved on. */
  changed(window: LiveWindow): void;
  /** Something failed; the window goes on trying. */
  failed(window: LiveWindow, error: Error): void;
  /** It cannot be kept any more: to go on trying would show for ever what was. */
  gaveUp(window: LiveWindow, error: Error): void;
  /** The database is asked for something. */
  counted(what: 'reads' | 'asks'): void;
  shapeOf(entity: string): EntityShape;
  /** Transactions that touch these rows concern the window, too; undefined for none any more. */
  watch(window: LiveWindow, rows: RelatedRows, query: ViewQuery | undefined): void;
}

export interface WindowSpec {
  readonly query: ViewQuery;
  /** Rows that the pages of this window reach to. */
  readonly need: number;
  readonly counts: boolean;
}

/**
 * `reread`: the state holds, as far as is known, and yet the rows may be others by now. `fetch`:
 * related rows of some are not known yet.
 */
type Todo = 'done' | 'ask' | 'read' | 'reread' | 'fetch';

/** Milliseconds between attempts after a failure. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2000;

/**
 * A view's first rows, kept equal to the database as transactions arrive.
 *
 * A read hands over to the feed by its snapshot: the rows as read, plus every delivered transaction
 * that the snapshot does not see, are the state at the point of the feed where the read's mark
 * arrives. From there each transaction moves the state on. What Node cannot decide exactly goes to
 * the database, one question for all that has piled up; when rows run short the window reads again.
 */
export class LiveWindow {
  /** What is shown: a state that the view had after one of its commits, with rows enough. */
  state: WindowState | undefined;
  /** Ahead of what is shown while rows run short, or while a read is being completed. */
  private working: WindowState | undefined;
  /** Transactions of the queue without which the last read is a state that never was. */
  private owed = 0;
  /** Rows that have been read and do not stand in its state yet. */
  private coming = 0;
  private queue: CommittedTransaction[] = [];
  private busy = false;
  private reading = false;
  private stale = false;
  private doubted = false;
  private closed = false;
  private readonly span: WindowSpan;
  private readonly referee: Referee;
  private readonly related: readonly RelatedRows[];
  private readonly dressed = new WeakMap<RowImage, RowImage>();
  /** Transactions taken from the queue so far: the number of the last one. */
  private done = 0;
  private showFirst: () => void = () => undefined;

  constructor(
    readonly spec: WindowSpec,
    private readonly context: WindowContext,
  ) {
    // A deep window is long to read, and so seldom is: a tenth of it can leave before.
    const slack = Math.max(10, Math.min(100, spec.need), Math.ceil(spec.need / 10));
    this.span = {need: spec.need, keep: spec.need + slack};
    this.referee = refereeFor(spec.query, context.shape);
    this.related = relatedOf(spec.query, context.shape, {
      ...context,
      last: () => this.done + this.queue.length,
      watch: (rows, query) => context.watch(this, rows, query),
      admit: () => context.admit(this),
    });
  }

  /** Rows that it holds, related ones included. */
  get size(): number {
    const own = Math.max(this.coming, this.working?.rows.length ?? 0);
    return this.related.reduce((sum, rows) => sum + rows.size, own);
  }

  /** Whether the state holds everything that the feed has delivered. */
  get isAtRest(): boolean {
    return !this.busy && this.working !== undefined && this.queue.length === 0;
  }

  /**
   * Reads the rows for the first time.
   *
   * @throws what the source throws; `SUBSCRIPTION_ENDED` when the window is closed meanwhile
   */
  async open(): Promise<void> {
    const first = new Promise<void>(resolve => (this.showFirst = resolve));
    const opening = this.run('read');
    // Once there is something to show, nobody else hears of what fails after it.
    opening.catch(error => this.state && this.fail(error));
    await Promise.race([opening, first]);
    if (!this.state) throw new SubscriptionEndedError();
  }

  /** Reads the rows anew: the feed was interrupted, or the table was emptied. */
  refresh(): void {
    this.stale = true;
    this.work();
  }

  /**
   * Reads the rows anew because some may have changed, nobody can say how. What is shown meanwhile
   * is right for an earlier moment; each read is shown, however soon the next doubt comes.
   */
  doubt(): void {
    this.doubted = true;
    this.work();
  }

  /** Whether a change, of which the images are hints, may be seen in this window. */
  mayShow(change: Change): boolean {
    const {query} = this.spec;
    if (this.related.some(rows => rows.holds(change.entity))) return true;
    if (change.entity !== query.entity) return false;
    if (change.kind === 'truncate') return true;
    const {before, after} = imagesOf(change);
    const {shape} = this.context;
    return [before, after].some(image => image && mayMatch(query, image, shape));
  }

  /** Whether rows of which only the keys are known may have been seen or counted here so far. */
  mayHold(keys: ReadonlySet<RowKey>): boolean {
    const {working} = this;
    if (this.related.length > 0) return true;
    return !working || this.spec.counts || working.rows.some(({key}) => keys.has(key));
  }

  /**
   * Takes a transaction that may touch this window; it is enough that it has the changes that may.
   * Answers the function that moves the window on, which may be called later.
   */
  offer(transaction: CommittedTransaction): () => void {
    // While a read is under way the recent transactions are replayed when it is done.
    if (!this.reading && !this.closed) this.queue.push(transaction);
    return () => this.work();
  }

  close(): void {
    this.closed = true;
    this.queue = [];
    for (const rows of this.related) rows.close();
  }

  private work(): void {
    if (this.busy || this.closed || !this.working) return;
    try {
      const todo = this.drain();
      if (this.closed) return;
      if (todo === 'done') this.show();
      else this.run(todo).catch(error => this.fail(error));
    } catch (error) {
      this.fail(error);
    }
  }

  /** What nobody has foreseen ends this window, and not the feed that all others live by. */
  private fail(thrown: unknown): void {
    if (!this.closed) this.context.gaveUp(this, toError(thrown));
  }

  /** Moves on by the queued transactions as far as Node can tell; says what is needed next. */
  private drain(): Todo {
    while (this.queue.length > 0 && this.working && !this.stale) {
      const [transaction] = this.queue;
      if (this.truncates(transaction)) return 'read';
      const changes = netChanges(transaction.changes, this.spec.query.entity);
      const next = advance(this.working, changes, this.referee, this.span);
      if (next === 'ask') return 'ask';
      this.working = next;
      this.taken(1);
    }
    if (this.stale || !this.working || !isSufficient(this.working, this.span)) return 'read';
    if (!this.fits(this.working)) return 'done';
    if (this.lacking()) return 'fetch';
    return this.doubted ? 'reread' : 'done';
  }

  /** Whether transactions have not brought more related rows than it can hold; else it ends. */
  private fits({rows}: WindowState): boolean {
    try {
      for (const each of this.related) if (each.isOverfull) each.mustFit(rows);
      return true;
    } catch (thrown) {
      if (!this.state || !isRefusal(thrown)) throw thrown;
      this.context.gaveUp(this, thrown);
      return false;
    }
  }

  private async run(first: Todo): Promise<void> {
    this.busy = true;
    try {
      for (let todo = first; todo !== 'done' && !this.closed; ) {
        await this.attempt(todo === 'reread' ? 'read' : todo);
        todo = this.drain();
        if (todo !== 'done' && this.isShowable()) this.show();
      }
    } finally {
      this.busy = false;
    }
    if (!this.closed) this.show();
  }

  /** Under steady writing there may always be one more question: what is known is shown. */
  private isShowable(): boolean {
    const {working, owed, stale, closed} = this;
    if (closed || stale || owed > 0 || !working || !isSufficient(working, this.span)) return false;
    return !this.lacking();
  }

  private lacking(): (() => Promise<void>) | undefined {
    for (const rows of this.related) {
      const fetch = rows.lacking(this.working!.rows);
      if (fetch) return fetch;
    }
    return undefined;
  }

  private show(): void {
    const {working, related} = this;
    this.state = working && related.length > 0
      ? {...working, rows: working.rows.map(row => dress(row, related, this.dressed))}
      : working;
    this.showFirst();
    this.context.changed(this);
  }

  /** Does one thing until it succeeds; a window that has nothing yet gives up instead. */
  private async attempt(todo: 'ask' | 'read' | 'fetch'): Promise<void> {
    let next = todo;
    for (let pause = FIRST_PAUSE; !this.closed; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        return await this[next]();
      } catch (thrown) {
        if (!this.state && !(thrown instanceof FeedInterruptedError)) throw asUnavailable(thrown);
        if (this.closed) return;
        if (isRefusal(thrown)) return this.context.gaveUp(this, thrown);
        this.context.failed(this, toError(thrown));
        next = 'read';
        await setTimeout(pause, undefined, {ref: false});
      }
    }
  }

  private async read(): Promise<void> {
    await this.context.live();
    if (this.closed) return;
    const {source, recent} = this.context;
    const {query, counts} = this.spec;
    const release = recent.hold();
    const epoch = this.context.epoch();
    this.reading = true;
    this.stale = false;
    this.doubted = false;
    try {
      this.context.counted('reads');
      const result = await source.read(query, this.span.keep + 1, counts);
      this.coming = result.rows.length;
      this.context.admit(this);
      if (result.mark !== undefined) await this.context.arrival(result.mark, epoch);
      const beyond = result.rows.length > this.span.keep;
      this.working = {rows: result.rows.slice(0, this.span.keep), beyond, total: result.total};
      this.queue = recent.unseenBy(id => result.sees(id));
      this.owed = this.queue.length;
      for (const rows of this.related) rows.reset();
    } finally {
      this.coming = 0;
      this.reading = false;
      release();
    }
  }

  /** Related rows come as they are by now, and the window's own have to follow. */
  private async fetch(): Promise<void> {
    await this.lacking()?.();
    this.owed = this.queue.length;
  }

  /** One question for everything that has piled up, so a busy view asks once, not once a write. */
  private async ask(): Promise<void> {
    const emptied = this.queue.findIndex(transaction => this.truncates(transaction));
    const batch = this.queue.slice(0, emptied < 0 ? undefined : emptied);
    const all = batch.flatMap(({changes}) => changes);
    // What is certain to be outside need not be judged.
    const changes = netChanges(all, this.spec.query.entity).filter(({before, after}) =>
      [before, after].some(image => image && this.referee.matches(image) !== false));
    this.context.counted('asks');
    const {source} = this.context;
    const referee = await judged(source, this.spec.query, this.working!, changes);
    const next = advance(this.working!, changes, referee, this.span);
    if (next === 'ask') throw new Error('the database did not judge a row that it was given');
    this.working = next;
    this.taken(batch.length);
  }

  private taken(count: number): void {
    for (const transaction of this.queue.splice(0, count)) {
      this.done++;
      for (const rows of this.related) rows.apply(transaction, this.done);
    }
    this.owed = Math.max(0, this.owed - count);
  }

  private truncates(transaction: CommittedTransaction): boolean {
    const {entity} = this.spec.query;
    if (this.related.some(rows => rows.isEmptiedBy(transaction))) return true;
    return transaction.changes.some(each => each.kind === 'truncate' && each.entity === entity);
  }
}
