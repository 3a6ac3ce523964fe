import type {Change} from '../../core/change';
import type {ChangeFeed, FeedSink, FeedStatus} from '../../core/ports';
import type {EntityShape} from '../../core/shape';
import {
  setObserver,
  type Learnt,
  type ObservedWrite,
  type WriteObserver,
} from '../../mixins/write-observer';
import type {WrittenRow} from '../../mixins/plan';
import {keyOf} from '../../protocol/page';
import type {LoopbackEntity} from './entity';
import {imageOf} from './image';
import {WriteJournal, type EntityWrites, type Span} from './journal';
import {observeModel} from './model-writes';

/** LoopBack's transactions as juggler makes them; its types do not speak of observers. */
interface ObservableTransaction {
  observe(event: string, listener: (context: unknown, next: () => void) => void): void;
}

/** Rows of one write that are told one by one. */
const MOST_ROWS = 1000;

/**
 * Delivers what the repositories of this process write, on any connector, after the commit. Its
 * images are hints, as of every feed but the log's: windows are read anew where they point. What
 * other processes and plain SQL write, it does not see.
 */
export class RepositoryFeed implements ChangeFeed {
  readonly name = 'repository';
  private state: FeedStatus['state'] = 'stopped';
  private delivered = 0;
  private deliveredAt: number | undefined;
  private sink: FeedSink | undefined;
  private journal = new WriteJournal<WrittenRow>();
  private readonly transactions = new WeakMap<object, Span<WrittenRow>>();
  private endings: (() => void)[] = [];

  constructor(private readonly entities: ReadonlyMap<string, LoopbackEntity>) {}

  async start(shapes: readonly EntityShape[], sink: FeedSink): Promise<void> {
    if (this.state !== 'stopped') throw new Error('the feed has been started already');
    this.sink = sink;
    this.state = 'live';
    for (const {name} of shapes) this.observe(this.entities.get(name)!);
  }

  async stop(): Promise<void> {
    this.state = 'stopped';
    this.sink = undefined;
    for (const end of this.endings.splice(0)) end();
    this.journal = new WriteJournal();
  }

  status(): FeedStatus {
    const {state, delivered, deliveredAt} = this;
    return {
      state,
      delivered,
      ...(deliveredAt !== undefined && {deliveredAt: new Date(deliveredAt), lagMs: 0}),
    };
  }

  /** Statements of PostgreSQL are told by their executor, everything else by juggler's model. */
  private observe({shape, model}: LoopbackEntity): void {
    const observer: WriteObserver = {begins: transaction => this.begins(shape, transaction)};
    setObserver(model, observer);
    this.endings.push(() => setObserver(model, undefined), observeModel(model, observer));
  }

  private begins(shape: EntityShape, transaction: object | undefined): ObservedWrite {
    const span = transaction ? this.spanOf(transaction) : this.journal.begin();
    const ended = () => void (transaction || this.end(span));
    const writes = () => this.journal.writesOf(span, shape.name);
    return {
      wroteNothing: () => void (transaction || this.journal.drop(span)),
      inDoubt: () => {
        writes().inDoubt = true;
        ended();
      },
      wrote: (rows, learnt) => {
        note(writes(), rows, learnt, shape);
        ended();
      },
    };
  }

  /** What is written in a transaction counts once that is committed, whole. */
  private spanOf(transaction: object): Span<WrittenRow> {
    let span = this.transactions.get(transaction);
    if (span) return span;
    span = this.journal.begin();
    this.transactions.set(transaction, span);
    const known = span;
    const on = (event: string, then: () => void) =>
      (transaction as ObservableTransaction).observe(event, (_, next) => {
        then();
        next();
      });
    on('after commit', () => this.end(known));
    on('after commit error', () => {
      for (const writes of known.entities.values()) writes.inDoubt = true;
      this.end(known);
    });
    on('after rollback', () => this.journal.drop(known));
    on('after rollback error', () => this.journal.drop(known));
    return span;
  }

  private end(span: Span<WrittenRow>): void {
    this.journal.end(span);
    const changes = [...span.entities].flatMap(([name, writes]) => this.changesOf(name, writes));
    if (changes.length === 0 || !this.sink) return;
    this.deliveredAt = Date.now();
    this.sink.committed({id: ++this.delivered, changes, marks: []});
  }

  private changesOf(entity: string, {rows, inDoubt}: EntityWrites<WrittenRow>): Change[] {
    if (inDoubt || rows.length > MOST_ROWS) return [{kind: 'truncate', entity}];
    const {shape} = this.entities.get(entity)!;
    return rows.flatMap(({before, after}): Change[] => {
      const [old, now] = [before, after].map(row => row && imageOf(row, shape));
      if (old && now) return [{kind: 'update', entity, before: old, after: now}];
      if (now) return [{kind: 'insert', entity, after: now}];
      return old ? [{kind: 'delete', entity, before: old}] : [];
    });
  }
}

function note(
  writes: EntityWrites<WrittenRow>,
  rows: readonly WrittenRow[],
  learnt: Learnt,
  {ids: idNames}: EntityShape,
): void {
  writes.rows.push(...rows);
  for (const {before, after} of rows) writes.keys.add(keyOf((after ?? before)!, idNames));
  if (learnt.from === 'statement') return;
  writes.isRead = true;
  writes.isOpen ||= learnt.ids === undefined;
  for (const id of learnt.ids ?? []) writes.keys.add(String(id));
}
