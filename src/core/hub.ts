import type {DeltaMessage, ResumePoint, SubscribeReply} from '../protocol/messages';
import type {RowKey} from '../protocol/page';
import type {Change, CommittedTransaction, RowImage} from './change';
import {Channel, endOf, type Audience, type PageSpan} from './channel';
import {Tally, type HubCounters} from './counters';
import {deferred} from './deferred';
import {FeedInterruptedError, toError} from './errors';
import {RecentTransactions} from './history';
import type {HubOptions} from './hub-options';
import {Laggards, type Outlet, type Position} from './laggards';
import type {LiveWindow, WindowContext} from './live-window';
import {MarkBoard} from './marks';
import type {FeedSink} from './ports';
import type {ViewQuery} from './query';
import type {EntityShape} from './shape';
import {Slices} from './slices';
import {digest, WindowPool, type WindowEntry} from './window-pool';

/** One connection, as the hub sees it. */
export interface Member {
  /**
   * Throws when the connection does not want it any more. A channel that has ended and is made
   * anew has another epoch.
   *
   * @param rows - How many of the view are kept for it: those before its page, too
   */
  join(channel: string, epoch: string, rows: number): void;
  leave(channel: string): void;
  /** Takes it out of a channel that ends, and says why. */
  end(channel: string, error: Error): void;
  /** Left out where nothing can pile up. */
  readonly outlet?: Outlet;
}

const MAX_WINDOWS = 50_000;
const MAX_ROWS = 1_000_000;

/** What a subscriber wants to see, resolved and authorised. */
export interface Subscription {
  readonly query: ViewQuery;
  readonly span: PageSpan;
  readonly counts: boolean;
  readonly fields: readonly string[] | undefined;
  readonly audience: Audience;
}

interface ChannelEntry {
  readonly channel: Channel;
  readonly windowEntry: WindowEntry;
  readonly members: Set<Member>;
  readonly laggards: Laggards<Member>;
  expiry?: NodeJS.Timeout;
}

/**
 * The live side in one place: takes transactions in, moves the windows that they touch, and
 * publishes what each channel's audience sees of it. Windows are shared by all who ask for the
 * same rows, channels by all who may see the same of them.
 */
export class LiveHub implements FeedSink {
  private readonly recent = new RecentTransactions();
  private readonly channels = new Map<string, ChannelEntry>();
  /** Those without members that are kept for a while: those with an expiry. */
  private readonly idle = new Set<ChannelEntry>();
  private readonly marks = new MarkBoard();
  private readonly tally = new Tally();
  private readonly slices = new Slices();
  private readonly windows: WindowPool;
  /** Windows that have moved on, and whose pages are still to follow. */
  private readonly moved = new Set<LiveWindow>();
  private auditTimer: NodeJS.Timeout | undefined;
  private feed = deferred();
  private isLive = false;
  /** Times that the feed has been interrupted. */
  private epoch = 0;

  constructor(private readonly options: HubOptions) {
    const {shapes, logger, cacheDuration} = options;
    const {maxWindows = MAX_WINDOWS, maxRows = MAX_ROWS} = options;
    this.windows = new WindowPool({
      shapes, logger, maxWindows, maxRows, cacheDuration,
      tally: this.tally,
      contextFor: shape => this.contextFor(shape),
      evict: () => this.evict(),
    });
  }

  /** Windows and channels alive, for health and metrics. */
  get size(): {readonly windows: number; readonly channels: number} {
    return {windows: this.windows.size, channels: this.channels.size};
  }

  /** What happened since the start and what is there now, for metrics. A copy. */
  get counters(): HubCounters {
    let [subscribers, waiting] = [0, 0];
    for (const {members, laggards} of this.channels.values()) {
      subscribers += members.size;
      waiting += laggards.size;
    }
    const {residue, rows} = this.windows;
    return {...this.tally.snapshot, ...this.size, subscribers, waiting, residue, rows};
  }

  /** The feed has started. */
  start(): void {
    this.isLive = true;
    this.feed.resolve();
    const {auditInterval, images} = this.options;
    if (auditInterval === undefined || images === 'hints') return;
    this.auditTimer = setInterval(() => void this.windows.audit(), auditInterval).unref();
  }

  committed(transaction: CommittedTransaction): void {
    if (this.options.images === 'hints') return this.doubt(transaction.changes);
    // One that only brings the mark of a reader has nothing to be replayed.
    if (transaction.changes.length > 0) this.recent.add(transaction);
    this.tally.add('transactions');
    const affected = this.windows.affectedBy(transaction.changes);
    this.tally.add('probes', affected.size);
    let work = 0;
    const moves = [...affected].map(([window, changes]) => {
      work += changes.length;
      return window.offer({...transaction, changes, marks: []});
    });
    this.slices.run(moves, work);
    for (const mark of transaction.marks) this.marks.arrive(mark);
  }

  /**
   * Has the windows read anew that these changes may concern, whatever the feed brings: their
   * images are hints.
   */
  doubt(changes: readonly Change[]): void {
    for (const [window, own] of this.windows.affectedBy(changes)) {
      if (own.some(change => window.mayShow(change))) window.doubt();
    }
  }

  /** The same for rows of which only the keys are known, and how they are now. */
  doubtRows(entity: string, keys: ReadonlySet<RowKey>, now: readonly RowImage[]): void {
    const rows = now.map((after): Change => ({kind: 'insert', entity, after}));
    for (const window of this.windows.affectedBy([{kind: 'truncate', entity}]).keys()) {
      if (window.mayHold(keys) || rows.some(row => window.mayShow(row))) window.doubt();
    }
  }

  interrupted(reason: Error): void {
    if (!this.isLive) return;
    this.isLive = false;
    this.epoch++;
    this.options.logger.warn('the change feed is interrupted; live views wait for it', reason);
    this.feed = deferred();
    this.recent.clear();
    this.marks.interrupt();
  }

  resumed(): void {
    this.isLive = true;
    this.feed.resolve();
    this.tally.add('resyncs');
    for (const window of this.windows.windows) window.refresh();
  }

  /**
   * Lets a member see a page from now on. The answer and every delta after it join without a gap:
   * between making the answer and joining the room nothing can happen.
   */
  async subscribe(
    member: Member,
    subscription: Subscription,
    resume?: ResumePoint,
  ): Promise<SubscribeReply> {
    const entry = await this.channelFor(subscription);
    try {
      member.join(entry.channel.id, entry.channel.epoch, endOf(subscription.span));
    } catch (error) {
      this.abandonIfEmpty(entry);
      throw error;
    }
    // What another page of this connection has missed comes before the answer.
    entry.laggards.release(member);
    entry.members.add(member);
    return entry.channel.enter(resume);
  }

  /** A client found that its page is not the server's. */
  diverged(): void {
    this.tally.add('divergences');
    this.options.logger.warn('a client found another page than the server has, and reads it anew');
  }

  /** The page as it is now, without staying. */
  async peek(subscription: Subscription): Promise<SubscribeReply> {
    const entry = await this.channelFor(subscription);
    const reply = entry.channel.enter(undefined);
    this.abandonIfEmpty(entry);
    return reply;
  }

  has(member: Member, channel: string): boolean {
    return this.channels.get(channel)?.members.has(member) ?? false;
  }

  /** Does nothing when the member is not in the channel. */
  unsubscribe(member: Member, channel: string): void {
    const entry = this.channels.get(channel);
    if (!entry?.members.delete(member)) return;
    entry.laggards.forget(member);
    member.leave(channel);
    this.abandonIfEmpty(entry);
  }

  /** Ends everything; who waits for a page is told. */
  close(): void {
    this.isLive = false;
    this.feed.resolve();
    clearInterval(this.auditTimer);
    for (const {expiry} of this.channels.values()) clearTimeout(expiry);
    this.windows.closeAll();
    this.marks.interrupt();
    this.channels.clear();
    this.idle.clear();
  }

  private async channelFor(subscription: Subscription): Promise<ChannelEntry> {
    for (;;) {
      // An answer now is better than one when the database is back: the client asks again.
      if (!this.isLive) throw new FeedInterruptedError();
      const {query, span, counts} = subscription;
      const windowEntry = this.windows.open({query, need: endOf(span), counts});
      let entry: ChannelEntry;
      try {
        await windowEntry.opened;
        // What has given up meanwhile has told its members, and would never tell of this one.
        if (!this.windows.has(windowEntry)) continue;
        entry = this.channelOn(windowEntry, subscription);
      } finally {
        this.windows.release(windowEntry);
      }
      await entry.channel.ready().catch(error => {
        this.abandonIfEmpty(entry);
        throw error;
      });
      // While this waited, the last other member may have left and the channel with it.
      if (this.channels.get(entry.channel.id) === entry) return entry;
    }
  }

  private channelOn(windowEntry: WindowEntry, subscription: Subscription): ChannelEntry {
    const {span, counts, fields, audience} = subscription;
    const id = digest([windowEntry.key, span, counts, fields ?? null, audience.key]);
    let entry = this.channels.get(id);
    if (!entry) {
      const publish = (delta: DeltaMessage, before: Position) => {
        entry!.laggards.part(entry!.members, before);
        this.tally.add('deltas');
        this.options.publisher.publish(delta);
      };
      const {logger, resumeRing: ring} = this.options;
      const {entity} = windowEntry.window.spec.query;
      const failed = (error: unknown) => logger.warn(`a row of ${entity} is left out`, error);
      const options = {id, span, counts, audience, ring, publish, failed};
      const channel = new Channel(windowEntry.window, options);
      const laggards = new Laggards<Member>(id, from => this.catchUp(channel, from));
      entry = {channel, windowEntry, members: new Set(), laggards};
      this.channels.set(id, entry);
      this.windows.attach(windowEntry, channel);
    }
    this.wake(entry);
    return entry;
  }

  private wake(entry: ChannelEntry): void {
    clearTimeout(entry.expiry);
    entry.expiry = undefined;
    this.idle.delete(entry);
  }

  private contextFor(shape: EntityShape): WindowContext {
    return {
      shape,
      source: this.options.source,
      recent: this.recent,
      live: () => this.feed.promise,
      epoch: () => this.epoch,
      arrival: (mark, epoch) => this.arrival(mark, epoch),
      admit: window => this.windows.admit(window),
      changed: window => this.changed(window),
      failed: (_, error) => this.options.logger.warn(`a window of ${shape.name} waits`, error),
      gaveUp: (window, error) => this.gaveUp(window, error),
      counted: what => this.tally.add(what),
      shapeOf: entity => this.options.shapes.get(entity)!,
      watch: (window, rows, query) => this.windows.watch(window, rows, query),
    };
  }

  private catchUp(channel: Channel, from: Position): DeltaMessage | undefined {
    const delta = channel.catchUp(from);
    if (delta) this.tally.add('coalesced');
    return delta;
  }

  private evict(): boolean {
    const entry = this.idle.values().next().value;
    if (entry) this.closeChannel(entry);
    return entry !== undefined;
  }

  /** Those who watch are told that it is over, instead of looking at what was. */
  private gaveUp(window: LiveWindow, error: Error): void {
    this.options.logger.warn(`a page of ${window.spec.query.entity} cannot be kept live`, error);
    for (const {id} of [...this.windows.channelsOf(window)]) this.endChannel(id, error);
    this.windows.drop(window);
  }

  /** Transactions that come in one piece from the feed make one delta of a page, not one each. */
  private changed(window: LiveWindow): void {
    this.windows.admit(window);
    if (this.moved.size === 0) queueMicrotask(() => this.publishMoved());
    this.moved.add(window);
  }

  private publishMoved(): void {
    const channels = [...this.moved].flatMap(window => [...this.windows.channelsOf(window)]);
    this.moved.clear();
    for (const channel of channels) this.update(channel);
  }

  /** A page that cannot be told of its rows ends: it would show what was, and the others wait. */
  private update(channel: Channel): void {
    const failed = (thrown: unknown) => {
      this.options.logger.warn('a page could not be rendered or sent, and ends', thrown);
      this.endChannel(channel.id, toError(thrown));
    };
    try {
      channel.update()?.catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  }

  private endChannel(id: string, error: Error): void {
    const entry = this.channels.get(id);
    if (!entry) return;
    for (const member of [...entry.members]) {
      entry.members.delete(member);
      entry.laggards.forget(member);
      member.end(id, error);
    }
    this.closeChannel(entry);
  }

  /** The feed may have lost, or brought already, the mark of a read that it was interrupted in. */
  private arrival(mark: string, epoch: number): Promise<void> {
    const mayCome = this.isLive && epoch === this.epoch;
    return mayCome ? this.marks.arrival(mark) : Promise.reject(new FeedInterruptedError());
  }

  private abandonIfEmpty(entry: ChannelEntry): void {
    if (entry.members.size > 0) return;
    this.wake(entry);
    if (this.channels.get(entry.channel.id) !== entry) return;
    if (entry.channel.options.audience.isPrivate) return this.closeChannel(entry);
    this.idle.add(entry);
    entry.expiry = setTimeout(() => this.closeChannel(entry), this.options.cacheDuration).unref();
  }

  private closeChannel(entry: ChannelEntry): void {
    const {channel, windowEntry} = entry;
    this.wake(entry);
    if (entry.members.size > 0 || this.channels.get(channel.id) !== entry) return;
    this.channels.delete(channel.id);
    // A channel that others could have joined has waited already.
    const when = channel.options.audience.isPrivate ? 'later' : 'at once';
    this.windows.detach(windowEntry, channel, when);
  }
}
