import {createHash} from 'node:crypto';
import type {DeltaMessage, ResumePoint, SubscribeReply} from '../protocol/messages';
import type {Change, CommittedTransaction} from './change';
import {Channel, endOf, type Audience, type PageSpan} from './channel';
import {FeedInterruptedError} from './errors';
import {RecentTransactions} from './history';
import {LiveWindow, type WindowContext} from './live-window';
import {MatchIndex} from './match-index';
import type {FeedSink, RowSource} from './ports';
import type {ViewQuery} from './query';
import type {EntityShape} from './shape';

/** One connection, as the hub sees it. */
export interface Member {
  /** Throws when the connection does not want it any more. */
  join(channel: string): void;
  leave(channel: string): void;
}

/** Sends a delta to all members of its channel, encoded once. */
export interface Publisher {
  publish(delta: DeltaMessage): void;
}

export interface Logger {
  warn(message: string, error?: unknown): void;
}

export interface HubOptions {
  readonly shapes: ReadonlyMap<string, EntityShape>;
  readonly source: RowSource;
  /**
   * Whether the feed's images are exact and tied to the source's snapshots, so that windows can be
   * moved on by them, or hints, by which windows know when to read anew. Default: exact.
   */
  readonly images?: 'exact' | 'hints';
  readonly publisher: Publisher;
  readonly logger: Logger;
  /** Milliseconds that an unwatched channel and its window stay warm. */
  readonly cacheDuration: number;
  /** Deltas kept per channel for clients that come back. */
  readonly resumeRing: number;
}

/** What a subscriber wants to see, resolved and authorised. */
export interface Subscription {
  readonly query: ViewQuery;
  readonly span: PageSpan;
  readonly counts: boolean;
  readonly fields: readonly string[] | undefined;
  readonly audience: Audience;
}

interface WindowEntry {
  readonly key: string;
  readonly window: LiveWindow;
  readonly opened: Promise<void>;
  readonly channels: Set<Channel>;
  expiry?: NodeJS.Timeout;
}

interface ChannelEntry {
  readonly channel: Channel;
  readonly windowEntry: WindowEntry;
  readonly members: Set<Member>;
  expiry?: NodeJS.Timeout;
}

/**
 * The live side in one place: takes transactions in, moves the windows that they touch, and
 * publishes what each channel's audience sees of it. Windows are shared by all who ask for the
 * same rows, channels by all who may see the same of them.
 */
export class LiveHub implements FeedSink {
  private readonly recent = new RecentTransactions();
  private readonly index = new MatchIndex<LiveWindow>();
  private readonly windows = new Map<string, WindowEntry>();
  private readonly channels = new Map<string, ChannelEntry>();
  private readonly entryOf = new WeakMap<LiveWindow, WindowEntry>();
  private readonly marks = new Map<string, {resolve(): void; reject(error: Error): void}>();
  private readonly seenMarks = new Set<string>();
  private feed = deferred();
  private isLive = false;

  constructor(private readonly options: HubOptions) {}

  /** Windows and channels alive, for health and metrics. */
  get size(): {readonly windows: number; readonly channels: number} {
    return {windows: this.windows.size, channels: this.channels.size};
  }

  /** The feed has started. */
  start(): void {
    this.isLive = true;
    this.feed.resolve();
  }

  committed(transaction: CommittedTransaction): void {
    if (this.options.images === 'hints') return this.doubt(transaction.changes);
    this.recent.add(transaction);
    for (const window of this.index.affectedBy(transaction.changes)) window.offer(transaction);
    for (const mark of transaction.marks) this.arrive(mark);
  }

  /**
   * Has the windows read anew that these changes may concern, whatever the feed brings: their
   * images are hints.
   */
  doubt(changes: readonly Change[]): void {
    for (const window of this.index.affectedBy(changes)) {
      if (changes.some(change => window.mayShow(change))) window.doubt();
    }
  }

  interrupted(reason: Error): void {
    if (!this.isLive) return;
    this.isLive = false;
    this.options.logger.warn('the change feed is interrupted; live views wait for it', reason);
    this.feed = deferred();
    this.recent.clear();
    this.seenMarks.clear();
    for (const {reject} of this.marks.values()) reject(new FeedInterruptedError());
    this.marks.clear();
  }

  resumed(): void {
    this.isLive = true;
    this.feed.resolve();
    for (const {window} of this.windows.values()) window.refresh();
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
      member.join(entry.channel.id);
    } catch (error) {
      this.abandonIfEmpty(entry);
      throw error;
    }
    entry.members.add(member);
    return entry.channel.enter(resume);
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
    member.leave(channel);
    this.abandonIfEmpty(entry);
  }

  /** Ends everything; who waits for a page is told. */
  close(): void {
    this.isLive = false;
    this.feed.resolve();
    for (const {expiry} of [...this.windows.values(), ...this.channels.values()]) {
      clearTimeout(expiry);
    }
    for (const {window} of this.windows.values()) window.close();
    for (const {reject} of this.marks.values()) reject(new FeedInterruptedError());
    this.marks.clear();
    this.windows.clear();
    this.channels.clear();
  }

  private async channelFor(subscription: Subscription): Promise<ChannelEntry> {
    for (;;) {
      // An answer now is better than one when the database is back: the client asks again.
      if (!this.isLive) throw new FeedInterruptedError();
      const windowEntry = this.windowFor(subscription);
      await windowEntry.opened;
      const entry = this.channelOn(windowEntry, subscription);
      await entry.channel.ready().catch(error => {
        this.abandonIfEmpty(entry);
        throw error;
      });
      // While this waited, the last other member may have left and the channel with it.
      if (this.channels.get(entry.channel.id) === entry) return entry;
    }
  }

  private windowFor({query, span, counts}: Subscription): WindowEntry {
    const spec = {query, need: endOf(span), counts};
    const key = digest(spec);
    let entry = this.windows.get(key);
    if (!entry) {
      const shape = this.options.shapes.get(query.entity)!;
      const window = new LiveWindow(spec, this.contextFor(shape));
      this.index.add(window, query, shape);
      const opened = window.open().catch(error => {
        this.closeWindow(entry!);
        throw error;
      });
      entry = {key, window, opened, channels: new Set()};
      this.windows.set(key, entry);
      this.entryOf.set(window, entry);
    }
    clearTimeout(entry.expiry);
    return entry;
  }

  private channelOn(windowEntry: WindowEntry, subscription: Subscription): ChannelEntry {
    const {span, counts, fields, audience} = subscription;
    const id = digest([windowEntry.key, span, counts, fields ?? null, audience.key]);
    let entry = this.channels.get(id);
    if (!entry) {
      const publish = (delta: DeltaMessage) => this.options.publisher.publish(delta);
      const ring = this.options.resumeRing;
      const {logger} = this.options;
      const {entity} = windowEntry.window.spec.query;
      const failed = (error: unknown) => logger.warn(`a row of ${entity} is left out`, error);
      const options = {id, span, counts, audience, ring, publish, failed};
      const channel = new Channel(windowEntry.window, options);
      entry = {channel, windowEntry, members: new Set()};
      this.channels.set(id, entry);
      windowEntry.channels.add(channel);
    }
    clearTimeout(entry.expiry);
    return entry;
  }

  private contextFor(shape: EntityShape): WindowContext {
    return {
      shape,
      source: this.options.source,
      recent: this.recent,
      live: () => this.feed.promise,
      arrival: mark => this.arrival(mark),
      changed: window => this.changed(window),
      failed: (_, error) => this.options.logger.warn(`a window of ${shape.name} waits`, error),
    };
  }

  private changed(window: LiveWindow): void {
    for (const channel of this.entryOf.get(window)?.channels ?? []) {
      channel
        .update()
        ?.catch(error => this.options.logger.warn('a page could not be rendered', error));
    }
  }

  private arrival(mark: string): Promise<void> {
    if (this.seenMarks.delete(mark)) return Promise.resolve();
    if (!this.isLive) return Promise.reject(new FeedInterruptedError());
    return new Promise((resolve, reject) => this.marks.set(mark, {resolve, reject}));
  }

  /** A mark can come before its reader has had the answer to its read. */
  private arrive(mark: string): void {
    const waiting = this.marks.get(mark);
    if (!waiting) {
      this.seenMarks.add(mark);
      if (this.seenMarks.size > 1000) this.seenMarks.delete(this.seenMarks.values().next().value!);
      return;
    }
    this.marks.delete(mark);
    waiting.resolve();
  }

  private abandonIfEmpty(entry: ChannelEntry): void {
    if (entry.members.size > 0) return;
    const {isPrivate} = entry.channel.options.audience;
    if (isPrivate) this.closeChannel(entry);
    else entry.expiry = this.later(() => this.closeChannel(entry));
  }

  private closeChannel(entry: ChannelEntry): void {
    const {channel, windowEntry} = entry;
    if (entry.members.size > 0 || this.channels.get(channel.id) !== entry) return;
    this.channels.delete(channel.id);
    windowEntry.channels.delete(channel);
    if (windowEntry.channels.size > 0) return;
    // A channel that others could have joined has waited already.
    if (!channel.options.audience.isPrivate) this.closeWindow(windowEntry);
    else windowEntry.expiry = this.later(() => this.closeWindow(windowEntry));
  }

  private closeWindow(entry: WindowEntry): void {
    if (entry.channels.size > 0 || this.windows.get(entry.key) !== entry) return;
    const {window} = entry;
    const {query} = window.spec;
    window.close();
    this.windows.delete(entry.key);
    this.index.remove(window, query);
  }

  private later(action: () => void): NodeJS.Timeout {
    return setTimeout(action, this.options.cacheDuration).unref();
  }
}

function digest(value: unknown): string {
  const text = JSON.stringify(value, withRegExps);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

function deferred(): {readonly promise: Promise<void>; resolve(): void} {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>(done => (resolve = done));
  return {promise, resolve};
}

function withRegExps(_: string, value: unknown): unknown {
  return value instanceof RegExp ? String(value) : value;
}
