import {setTimeout} from 'node:timers/promises';
import {imagesOf, type Change, type CommittedTransaction, type RowImage} from './change';
import {FeedInterruptedError, SubscriptionEndedError, toError} from './errors';
import type {RecentTransactions} from './history';
import {mayMatch} from './hints';
import {refereeFor, type Referee} from './match';
import type {Judgement, RowSource} from './ports';
import type {ViewQuery} from './query';
import type {EntityShape} from './shape';
import {
  advance,
  imagesToJudge,
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
  /** Resolves when the feed delivers the mark; rejects when the feed is interrupted before. */
  arrival(mark: string): Promise<void>;
  /** The state has moved on. */
  changed(window: LiveWindow): void;
  /** Something failed; the window goes on trying. */
  failed(window: LiveWindow, error: Error): void;
}

export interface WindowSpec {
  readonly query: ViewQuery;
  /** Rows that the pages of this window reach to. */
  readonly need: number;
  readonly counts: boolean;
}

/** `reread`: the state holds, as far as is known, and yet the rows may be others by now. */
type Todo = 'done' | 'ask' | 'read' | 'reread';

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
  state: WindowState | undefined;
  private queue: CommittedTransaction[] = [];
  private busy = false;
  private reading = false;
  private stale = false;
  private doubted = false;
  private closed = false;
  private readonly span: WindowSpan;
  private readonly referee: Referee;
  private showFirst: () => void = () => undefined;

  constructor(
    readonly spec: WindowSpec,
    private readonly context: WindowContext,
  ) {
    const slack = Math.max(10, Math.min(100, spec.need));
    this.span = {need: spec.need, keep: spec.need + slack};
    this.referee = refereeFor(spec.query, context.shape);
  }

  /**
   * Reads the rows for the first time.
   *
   * @throws what the source throws; `SUBSCRIPTION_ENDED` when the window is closed meanwhile
   */
  async open(): Promise<void> {
    const first = new Promise<void>(resolve => (this.showFirst = resolve));
    await Promise.race([this.run('read'), first]);
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
    if (change.entity !== query.entity) return false;
    if (change.kind === 'truncate') return true;
    const {before, after} = imagesOf(change);
    const {shape} = this.context;
    return [before, after].some(image => image && mayMatch(query, image, shape));
  }

  /** Takes a transaction that may touch this window. */
  offer(transaction: CommittedTransaction): void {
    // While a read is under way the recent transactions are replayed when it is done.
    if (this.reading || this.closed) return;
    this.queue.push(transaction);
    this.work();
  }

  close(): void {
    this.closed = true;
    this.queue = [];
  }

  private work(): void {
    if (this.busy || this.closed || !this.state) return;
    const todo = this.drain();
    if (todo === 'done') this.context.changed(this);
    else void this.run(todo);
  }

  /** Moves on by the queued transactions as far as Node can tell; says what is needed next. */
  private drain(): Todo {
    while (this.queue.length > 0 && this.state && !this.stale) {
      const [transaction] = this.queue;
      if (this.truncates(transaction)) return 'read';
      const changes = netChanges(transaction.changes, this.spec.query.entity);
      const next = advance(this.state, changes, this.referee, this.span);
      if (next === 'ask') return 'ask';
      this.state = next;
      this.queue.shift();
    }
    if (this.stale || !this.state || !isSufficient(this.state, this.span)) return 'read';
    return this.doubted ? 'reread' : 'done';
  }

  private async run(first: Todo): Promise<void> {
    this.busy = true;
    try {
      for (let todo = first; todo !== 'done' && !this.closed; ) {
        await this.attempt(todo === 'ask' ? todo : 'read');
        todo = this.drain();
        if (todo === 'reread' && !this.closed) this.show();
      }
    } finally {
      this.busy = false;
    }
    if (!this.closed) this.show();
  }

  private show(): void {
    this.showFirst();
    this.context.changed(this);
  }

  /** Does one thing until it succeeds; only a window that has nothing yet gives up. */
  private async attempt(todo: 'ask' | 'read'): Promise<void> {
    let next = todo;
    for (let pause = FIRST_PAUSE; !this.closed; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        return await (next === 'ask' ? this.ask() : this.read());
      } catch (thrown) {
        if (!this.state && !(thrown instanceof FeedInterruptedError)) throw thrown;
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
    this.reading = true;
    this.stale = false;
    this.doubted = false;
    try {
      const result = await source.read(query, this.span.keep + 1, counts);
      if (result.mark !== undefined) await this.context.arrival(result.mark);
      const beyond = result.rows.length > this.span.keep;
      this.state = {rows: result.rows.slice(0, this.span.keep), beyond, total: result.total};
      this.queue = recent.unseenBy(id => result.sees(id));
    } finally {
      this.reading = false;
      release();
    }
  }

  /** One question for everything that has piled up, so a busy view asks once, not once a write. */
  private async ask(): Promise<void> {
    const emptied = this.queue.findIndex(transaction => this.truncates(transaction));
    const batch = this.queue.slice(0, emptied < 0 ? undefined : emptied);
    const all = batch.flatMap(({changes}) => changes);
    const changes = netChanges(all, this.spec.query.entity);
    const images = imagesToJudge(this.state!, changes);
    const verdicts = await this.context.source.judge(this.spec.query, images);
    const next = advance(this.state!, changes, refereeFrom(images, verdicts), this.span);
    if (next === 'ask') throw new Error('the database did not judge a row that it was given');
    this.state = next;
    this.queue = this.queue.slice(batch.length);
  }

  private truncates(transaction: CommittedTransaction): boolean {
    const {entity} = this.spec.query;
    return transaction.changes.some(each => each.kind === 'truncate' && each.entity === entity);
  }
}

function refereeFrom(images: readonly RowImage[], verdicts: readonly Judgement[]): Referee {
  const words = new Map(images.map((image, i) => [image, verdicts[i]]));
  return {
    matches: image => words.get(image)?.matches ?? 'ask',
    compare: (a, b) => {
      const [x, y] = [words.get(a), words.get(b)];
      return x && y ? x.rank - y.rank : 'ask';
    },
  };
}
