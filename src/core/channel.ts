import {randomBytes} from 'node:crypto';
import type {DeltaMessage, PageSnapshot, ResumePoint, SubscribeReply} from '../protocol/messages';
import type {PageMeta, PageState, Row} from '../protocol/page';
import {hashOfPage} from '../protocol/page-hash';
import type {RowImage} from './change';
import {diffPages} from './diff';
import {SubscriptionEndedError} from './errors';
import type {Position} from './laggards';
import type {LiveWindow} from './live-window';

/** The rows of a view that a page shows; `end` is where it stops, at the view's own limit too. */
export interface PageSpan {
  /** Rows that the view itself skips. */
  readonly base: number;
  /** Rows that the view itself has at most. */
  readonly cap: number;
  readonly offset: number;
  readonly size: number;
}

/** Turns a stored row into what an audience may see; undefined leaves it out. */
export type Render = (image: RowImage) => Row | undefined | Promise<Row | undefined>;

/** Those who see the same rows of the same page. */
export interface Audience {
  readonly key: string;
  /** Made for one connection alone; nobody will ask for it again. */
  readonly isPrivate: boolean;
  readonly render: Render;
}

export interface ChannelOptions {
  readonly id: string;
  readonly span: PageSpan;
  readonly counts: boolean;
  readonly audience: Audience;
  /** Deltas kept for clients that come back. */
  readonly ring: number;
  /** @param before where those are who get it */
  publish(delta: DeltaMessage, before: Position): void;
  /** A row could not be rendered. */
  failed(error: unknown): void;
}

/** Where the page ends in its view's order, counted from the view's first row in the table. */
export function endOf({base, cap, offset, size}: PageSpan): number {
  return base + Math.min(cap, offset + size);
}

/**
 * A page of a window as one audience sees it: what a room of subscribers shares. Each state is
 * rendered once and sent as the steps from the state before.
 */
export class Channel {
  readonly id: string;
  readonly epoch = randomBytes(6).toString('base64url');
  seq = 0;
  private page: PageState | undefined;
  private recent: DeltaMessage[] = [];
  private rendering: Promise<void> | undefined;
  private dirty = false;
  private readonly rendered = new WeakMap<RowImage, Row>();

  constructor(
    private readonly window: LiveWindow,
    readonly options: ChannelOptions,
  ) {
    this.id = options.id;
  }

  /** Resolves when there is a page to hand out. @throws `SUBSCRIPTION_ENDED` */
  async ready(): Promise<void> {
    if (!this.page) await (this.rendering ?? this.update());
    if (!this.page) throw new SubscriptionEndedError();
  }

  /** Brings the page up to the window's state and publishes the difference. */
  update(): Promise<void> | undefined {
    if (this.rendering) {
      this.dirty = true;
      return this.rendering;
    }
    const {state} = this.window;
    if (!state) return undefined;
    const {span} = this.options;
    const images = state.rows.slice(span.base + span.offset, endOf(span));
    const rows = images.map(image => this.render(image));
    if (rows.some(row => row instanceof Promise)) {
      const settled = Promise.all(rows.map(async row => row));
      this.rendering = this.finish(images, settled, this.metaOf(state));
      return this.rendering;
    }
    this.commit(images, rows as (Row | undefined)[], this.metaOf(state));
    return undefined;
  }

  /** The page for one who joins now: what was missed where that is still known, else all of it. */
  enter(resume: ResumePoint | undefined): SubscribeReply {
    const page = this.page!;
    if (resume && resume.channel === this.id && resume.epoch === this.epoch) {
      const missed = this.seq - resume.seq;
      if (missed >= 0 && missed <= this.recent.length) {
        const deltas = missed === 0 ? [] : this.recent.slice(-missed);
        return {kind: 'resumed', channel: this.id, deltas};
      }
    }
    const snapshot: PageSnapshot = {
      channel: this.id,
      epoch: this.epoch,
      seq: this.seq,
      keys: page.keys,
      rows: page.rows,
      meta: page.meta,
    };
    return {kind: 'snapshot', snapshot};
  }

  /** One delta from an earlier page to the one that is now; undefined when that is the same. */
  catchUp({seq, page}: Position): DeltaMessage | undefined {
    if (seq === this.seq) return undefined;
    const {keys, rows, meta} = this.page!;
    const ops = diffPages(page, this.page!);
    const hash = hashOfPage(keys, rows);
    return {channel: this.id, seq: this.seq, from: seq, ops, meta, hash};
  }

  private async finish(
    images: readonly RowImage[],
    rows: Promise<(Row | undefined)[]>,
    meta: PageMeta,
  ): Promise<void> {
    try {
      this.commit(images, await rows, meta);
    } finally {
      this.rendering = undefined;
    }
    if (this.dirty) {
      this.dirty = false;
      await this.update();
    }
  }

  /**
   * What the audience sees of a row. A row that cannot be rendered is left out, and tried again
   * with the next change of the page: one bad row must not hold up the others.
   */
  private render(image: RowImage): Row | undefined | Promise<Row | undefined> {
    const known = this.rendered.get(image);
    if (known) return known;
    try {
      const row = this.options.audience.render(image);
      return row instanceof Promise
        ? row.then(each => this.keep(image, each)).catch(error => this.leaveOut(error))
        : this.keep(image, row);
    } catch (error) {
      return this.leaveOut(error);
    }
  }

  private keep(image: RowImage, row: Row | undefined): Row | undefined {
    if (row) this.rendered.set(image, row);
    return row;
  }

  private leaveOut(error: unknown): undefined {
    this.options.failed(error);
    return undefined;
  }

  private commit(
    images: readonly RowImage[],
    rendered: readonly (Row | undefined)[],
    meta: PageMeta,
  ): void {
    const keys: string[] = [];
    const rows: Row[] = [];
    rendered.forEach((row, i) => {
      if (row === undefined) return;
      keys.push(images[i].key);
      rows.push(row);
    });
    const before = this.page;
    this.page = {keys, rows, meta};
    if (!before) return;
    const ops = diffPages(before, this.page);
    if (ops.length === 0 && sameMeta(before.meta, meta)) return;
    const hash = hashOfPage(keys, rows);
    const delta: DeltaMessage = {channel: this.id, seq: ++this.seq, ops, meta, hash};
    this.recent.push(delta);
    if (this.recent.length > this.options.ring) this.recent.shift();
    this.options.publish(delta, {seq: delta.seq - 1, page: before});
  }

  private metaOf(state: NonNullable<LiveWindow['state']>): PageMeta {
    const {span, counts} = this.options;
    const end = endOf(span);
    const isLastPage =
      end >= span.base + span.cap || (!state.beyond && state.rows.length <= end);
    const meta = {pageOffset: span.offset, pageSize: span.size, isLastPage};
    if (!counts || state.total === undefined) return meta;
    return {...meta, count: Math.max(0, Math.min(span.cap, state.total - span.base))};
  }
}

function sameMeta(a: PageMeta, b: PageMeta): boolean {
  return a.isLastPage === b.isLastPage && a.count === b.count;
}
