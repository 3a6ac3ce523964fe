import {createHash} from 'node:crypto';
import {auditWindow} from './audit';
import type {Change} from './change';
import type {Channel} from './channel';
import type {Tally} from './counters';
import {LiveEntityError} from './errors';
import {fingerprint} from './fingerprint';
import {LiveWindow, type WindowContext, type WindowSpec} from './live-window';
import {MatchIndex} from './match-index';
import type {ViewQuery} from './query';
import type {RelatedRows} from './related';
import type {EntityShape} from './shape';

/** A window, and the channels that show pages of it. */
export interface WindowEntry {
  readonly key: string;
  readonly window: LiveWindow;
  /** Resolves once there are rows. */
  readonly opened: Promise<void>;
  readonly channels: Set<Channel>;
  /** Those who are about to show a page of it, and have none yet. */
  claims: number;
  /** Rows that it holds, related ones included, as last counted. */
  rows: number;
  /** Set while it has neither channels nor claims, and is kept for those who come back. */
  expiry?: NodeJS.Timeout;
}

export interface WindowPoolOptions {
  readonly shapes: ReadonlyMap<string, EntityShape>;
  readonly maxWindows: number;
  /** Rows that all windows may hold together before none is opened any more. */
  readonly maxRows: number;
  /** Milliseconds that a window is kept which nobody shows. */
  readonly cacheDuration: number;
  readonly tally: Tally;
  readonly logger: {warn(message: string): void};
  contextFor(shape: EntityShape): WindowContext;
  /** Closes a channel that nobody watches, and perhaps its window with it; false: there is none. */
  evict(): boolean;
}

/** The windows that are alive: one for all who ask for the same rows, and no more than agreed. */
export class WindowPool {
  private readonly index = new MatchIndex<LiveWindow>();
  /** Related rows, by what links them to a row of their window. */
  private readonly related = new MatchIndex<RelatedRows>();
  private readonly watchers = new Map<RelatedRows, {window: LiveWindow; query: ViewQuery}>();
  private readonly entries = new Map<string, WindowEntry>();
  private readonly entryOf = new WeakMap<LiveWindow, WindowEntry>();
  /** Windows that nobody shows or is about to: those with an expiry. */
  private readonly unwatched = new Set<WindowEntry>();
  private rowsHeld = 0;

  constructor(private readonly options: WindowPoolOptions) {}

  get size(): number {
    return this.entries.size;
  }

  /** Rows that all windows hold, each as often as it is held. */
  get rows(): number {
    return this.rowsHeld;
  }

  get residue(): number {
    return this.index.residue;
  }

  get windows(): LiveWindow[] {
    return [...this.entries.values()].map(({window}) => window);
  }

  /** The windows that these changes may touch, each with those that may touch it, in order. */
  affectedBy(changes: readonly Change[]): Map<LiveWindow, Change[]> {
    const found = new Map<LiveWindow, Change[]>();
    for (const change of changes) {
      const note = (window: LiveWindow) => {
        const noted = found.get(window);
        if (!noted) found.set(window, [change]);
        else if (noted[noted.length - 1] !== change) noted.push(change);
      };
      this.index.touchedBy(change, note);
      this.related.touchedBy(change, rows => note(this.watchers.get(rows)!.window));
    }
    return found;
  }

  /** The channels that show pages of a window. */
  channelsOf(window: LiveWindow): Iterable<Channel> {
    return this.entryOf.get(window)?.channels ?? [];
  }

  /**
   * The window for these rows, which begins to read them where it is new. It stays at least until
   * it is told, by {@link release}, that the caller's page is there or will not come.
   *
   * @throws LiveEntityError `SERVER_BUSY` (503) where there are as many as may be, all watched
   */
  open(spec: WindowSpec): WindowEntry {
    const key = digest(spec);
    let entry = this.entries.get(key);
    if (!entry) {
      const {maxWindows, maxRows} = this.options;
      this.makeRoom(() => this.size >= maxWindows || this.rows >= maxRows);
      const {query} = spec;
      const shape = this.options.shapes.get(query.entity)!;
      const window = new LiveWindow(spec, this.options.contextFor(shape));
      this.index.add(window, query, shape);
      const opened = window.open().catch(error => {
        this.discard(entry!);
        throw error;
      });
      entry = {key, window, opened, channels: new Set(), claims: 0, rows: 0};
      this.entries.set(key, entry);
      this.entryOf.set(window, entry);
    }
    this.wake(entry);
    entry.claims++;
    return entry;
  }

  /** The caller of {@link open} has its page, or will have none. */
  release(entry: WindowEntry): void {
    entry.claims--;
    if (this.isUnwatched(entry)) this.discard(entry);
  }

  /** A channel shows it from now on. */
  attach(entry: WindowEntry, channel: Channel): void {
    this.wake(entry);
    entry.channels.add(channel);
  }

  /**
   * A channel does not show it any more. Where it was the last one, and nobody is about to open
   * another, the window ends: at once, or when nobody has come back for a while.
   */
  detach(entry: WindowEntry, channel: Channel, when: 'at once' | 'later'): void {
    entry.channels.delete(channel);
    if (!this.has(entry) || !this.isUnwatched(entry)) return;
    if (when === 'at once') return this.discard(entry);
    this.wake(entry);
    this.unwatched.add(entry);
    const {cacheDuration} = this.options;
    entry.expiry = setTimeout(() => this.discard(entry), cacheDuration).unref();
  }

  private isUnwatched({channels, claims}: WindowEntry): boolean {
    return channels.size === 0 && claims === 0;
  }

  private wake(entry: WindowEntry): void {
    clearTimeout(entry.expiry);
    entry.expiry = undefined;
    this.unwatched.delete(entry);
  }

  /** Whether it is still kept: it may have given up while somebody waited for it. */
  has(entry: WindowEntry): boolean {
    return this.entries.get(entry.key) === entry;
  }

  private discard(entry: WindowEntry): void {
    this.wake(entry);
    if (!this.has(entry)) return;
    entry.window.close();
    this.count(entry, 0);
    this.entries.delete(entry.key);
    this.index.remove(entry.window, entry.window.spec.query);
  }

  /** Ends a window that has given up, whoever waits for it. */
  drop(window: LiveWindow): void {
    const entry = this.entryOf.get(window);
    if (entry) this.discard(entry);
  }

  /**
   * A window holds other rows than before. Where they make too many of all, windows that nobody
   * watches give way. One that is shown already stays, and takes what the feed brings: it is
   * bounded by itself, and must not end because others have come.
   *
   * @throws LiveEntityError `SERVER_BUSY` (503) where none gives way, and this one is being opened
   */
  admit(window: LiveWindow): void {
    const entry = this.entryOf.get(window);
    if (!entry || !this.has(entry)) return;
    const before = entry.rows;
    this.count(entry, window.size);
    if (entry.rows <= before) return;
    const isFull = () => this.rows > this.options.maxRows;
    if (window.state) this.giveWay(isFull);
    else this.makeRoom(isFull);
  }

  /** Has a window told of what touches its related rows; undefined ends it. */
  watch(window: LiveWindow, rows: RelatedRows, query: ViewQuery | undefined): void {
    const before = this.watchers.get(rows);
    if (before) this.related.remove(rows, before.query);
    this.watchers.delete(rows);
    if (!query) return;
    this.related.add(rows, query, this.options.shapes.get(query.entity)!);
    this.watchers.set(rows, {window, query});
  }

  closeAll(): void {
    for (const {window, expiry} of this.entries.values()) {
      clearTimeout(expiry);
      window.close();
    }
    this.entries.clear();
    this.unwatched.clear();
    this.rowsHeld = 0;
  }

  private count(entry: WindowEntry, rows: number): void {
    this.rowsHeld += rows - entry.rows;
    entry.rows = rows;
  }

  /** Compares one window with the database; one that is wrong is read anew. */
  async audit(): Promise<void> {
    const {tally, logger, contextFor, shapes} = this.options;
    const resting = this.windows.filter(each => each.isAtRest);
    const window = resting[Math.floor(Math.random() * resting.length)] as LiveWindow | undefined;
    if (!window) return;
    const {entity} = window.spec.query;
    const context = contextFor(shapes.get(entity)!);
    const result = await auditWindow(window, context).catch(() => 'unsure' as const);
    if (result === 'unsure') return;
    tally.add('audits');
    if (result === 'equal') return;
    tally.add('auditDivergences');
    logger.warn(`a window of ${entity} has other rows than the database; it is read anew`);
    window.refresh();
  }

  private makeRoom(isFull: () => boolean): void {
    this.giveWay(isFull);
    if (!isFull()) return;
    this.options.tally.add('refusals');
    const message = `the server keeps ${this.size} views with ${this.rows} rows live, and ` +
      'cannot keep more';
    throw new LiveEntityError('SERVER_BUSY', message, 503);
  }

  /** Ends what nobody watches, until there is room or no such thing any more. */
  private giveWay(isFull: () => boolean): void {
    while (isFull()) {
      const unwatched = this.unwatched.values().next().value;
      if (unwatched) this.discard(unwatched);
      else if (!this.options.evict()) return;
    }
  }
}

/** A short name for what a value says. */
export function digest(value: unknown): string {
  return createHash('sha256').update(fingerprint(value)).digest('base64url').slice(0, 22);
}
