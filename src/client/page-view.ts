import {errorFromWire} from '../protocol/errors';
import type {LiveRef} from '../protocol/messages';
import type {PageState, Row} from '../protocol/page';
import type {Channels, Subscription} from './channels';
import {localError} from './connection';
import {deferred, type Deferred} from './deferred';
import {Emitter} from './emitter';
import {sameJson} from './equal';
import {
  acknowledged,
  began,
  caughtUp,
  noOverlay,
  refused,
  shown,
  type Acknowledgement,
  type Overlay,
  type OverlayWrite,
} from './optimistic';
import type {SubscriptionState} from './subscription';
import type {LiveEvents, LiveStatus} from './types';
import type {Writes, WriteWitness} from './writes';

/** The page that is on its way to take the place of the one shown. */
interface Turn {
  readonly subscription: Subscription;
  readonly done: Deferred<void>;
}

/**
 * What a collection and a model have in common: one page, kept live, with the person's own writes
 * laid over it, and the way from one page to another.
 */
export class PageView implements WriteWitness {
  readonly type: string;
  readonly events = new Emitter<LiveEvents<PageState | undefined>>();
  readonly #channels: Channels;
  readonly #unwatch: () => void;
  readonly #forget: () => void;
  #current: Subscription;
  #turn: Turn | undefined;
  #overlay: Overlay = noOverlay;
  #shown: PageState | undefined;
  #status: LiveStatus = 'loading';
  #ready = deferred();

  constructor(ref: LiveRef, channels: Channels, writes: Writes, forget: () => void) {
    this.type = ref.type;
    this.#channels = channels;
    this.#unwatch = writes.watch(this);
    this.#forget = forget;
    this.#current = this.#open(ref);
    this.#current.start();
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get status(): LiveStatus {
    return this.#status;
  }

  /** The page with the person's own writes; absent until the first one is there. */
  get page(): PageState | undefined {
    return this.#shown;
  }

  get closed(): boolean {
    return this.#status === 'closed';
  }

  /** The row as it is shown. */
  row(key: string): Row | undefined {
    const at = this.#shown?.keys.indexOf(key) ?? -1;
    return this.#shown?.rows[at];
  }

  /** Tells listeners that something beside the page has changed. */
  touch(): void {
    this.#show();
  }

  /**
   * Brings another page; what is shown stays, live, until the other one is there. Turning again
   * before that gives up the page in between: whoever waits for it then waits for the later one.
   */
  turnTo(ref: LiveRef): Promise<void> {
    if (this.closed) return Promise.reject(localError('CLIENT_CLOSED'));
    const done = this.#turn?.done ?? deferred();
    this.#turn?.subscription.close();
    this.#turn = undefined;
    if (sameJson(ref, this.#current.ref) && this.#status !== 'ended') {
      done.resolve();
      return done.promise;
    }
    this.#hope();
    const subscription = this.#open(ref);
    this.#turn = {subscription, done};
    subscription.start();
    return done.promise;
  }

  close(): void {
    if (this.closed) return;
    this.#unwatch();
    this.#forget();
    const gone = localError('CLIENT_CLOSED');
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.subscription.close();
    turn?.done.reject(gone);
    this.#current.close();
    this.#ready.reject(gone);
    this.events.clear();
  }

  writeBegan(write: OverlayWrite): void {
    this.#lay(began(this.#overlay, write, this.#base));
  }

  writeAcknowledged(id: number, answer: Acknowledgement): void {
    this.#lay(acknowledged(this.#overlay, id, answer, this.#base));
  }

  writeRefused(id: number): void {
    this.#lay(refused(this.#overlay, id));
  }

  get #base(): PageState | undefined {
    return this.#current.state.held?.page;
  }

  #open(ref: LiveRef): Subscription {
    const subscription = this.#channels.open(ref, (now, before) => {
      if (subscription === this.#current) this.#follow(now, before);
      else if (subscription === this.#turn?.subscription) this.#arrive(now);
    });
    return subscription;
  }

  /** What was told of a page that has ended does not hold for the one that takes its place. */
  #hope(): void {
    if (this.#status === 'ended' && this.#ready.isSettled) this.#ready = deferred();
  }

  /** The page that is shown has changed, or what it is worth. */
  #follow(now: SubscriptionState, before?: SubscriptionState): void {
    if (now.held?.page !== before?.held?.page) {
      this.#overlay = caughtUp(this.#overlay, now.held?.page);
      this.#show();
    }
    if (now.phase === 'subscribing' && before?.phase === 'ended' && !now.held) this.#hope();
    this.#tellStatus(now, before !== undefined && now.resets > before.resets);
    if (now.phase === 'live') this.#ready.resolve();
    if (now.phase === 'ended' && before?.phase !== 'ended') {
      const error = errorFromWire(now.error!);
      this.#ready.reject(error);
      this.events.emit('error', error);
    }
  }

  /** The page that is to be shown next has come nearer. */
  #arrive(next: SubscriptionState): void {
    const turn = this.#turn!;
    if (next.phase === 'ended') {
      this.#turn = undefined;
      turn.subscription.close();
      const error = errorFromWire(next.error!);
      if (this.#status === 'ended') this.#ready.reject(error);
      turn.done.reject(error);
    } else if (next.phase === 'live') {
      this.#turn = undefined;
      this.#hope();
      const last = this.#current;
      this.#current = turn.subscription;
      last.close();
      this.#follow(next);
      turn.done.resolve();
    }
  }

  #lay(overlay: Overlay): void {
    if (overlay === this.#overlay) return;
    this.#overlay = overlay;
    this.#show();
  }

  #show(): void {
    const base = this.#base;
    this.#shown = base && this.#overlaid(base);
    this.events.emit('change', this.#shown);
  }

  #overlaid(base: PageState): PageState {
    const fields = this.#current.ref.fields;
    const next = shown(base, this.#overlay, name => seen(name, fields));
    return {...next, rows: Object.freeze(keepRows(this.#shown, next))};
  }

  #statusOf(state: SubscriptionState): LiveStatus {
    const status = statusOf(state);
    return status === 'live' && this.#channels.standsStill(this.type) ? 'stale' : status;
  }

  #tellStatus(state: SubscriptionState, reset: boolean): void {
    const status = this.#statusOf(state);
    if (status === this.#status && !reset) return;
    this.#status = status;
    const error = status === 'ended' && state.error ? errorFromWire(state.error) : undefined;
    this.events.emit('status', status, {reset, ...(error && {error})});
  }
}

function statusOf({phase, held}: SubscriptionState): LiveStatus {
  switch (phase) {
    case 'live':
    case 'ended':
    case 'closed':
      return phase;
    case 'idle':
    case 'subscribing':
    case 'lost':
    case 'resuming':
      return held ? 'stale' : 'loading';
    default:
      return phase satisfies never;
  }
}

const INPUT_ONLY = ['_version', '_newVersion', '_parentVersion'];

/** Whether a property that a write sets is one that this page shows. */
function seen(name: string, fields: readonly string[] | undefined): boolean {
  return !INPUT_ONLY.includes(name) && (!fields || fields.includes(name));
}

/** The rows, with the identity of the ones before where they are the same. Always a new array. */
function keepRows(before: PageState | undefined, {keys, rows}: PageState): Row[] {
  if (!before) return [...rows];
  const known = new Map(before.keys.map((key, at) => [key, before.rows[at]]));
  return rows.map((row, at) => {
    const old = known.get(keys[at]);
    return old && sameJson(old, row) ? old : row;
  });
}
