import type {LiveError, WireError} from '../protocol/errors';
import type {LiveRef} from '../protocol/messages';
import type {Connection} from './connection';
import {
  channelOf,
  initialState,
  step,
  type SubscriptionEffect,
  type SubscriptionEvent,
  type SubscriptionState,
} from './subscription';

/** A server that is busy has nothing against a subscription that it had before. */
const BUSY = [429, 503];
const PAUSE_MS = 1000;

/**
 * Brings what the server sends to the subscriptions that want it. Several may have one channel
 * (the same page, asked for twice); the server is told to stop when the last one has left.
 */
export class Channels {
  readonly #connection: Connection;
  readonly #members = new Map<string, Set<Subscription>>();
  readonly #all = new Set<Subscription>();
  readonly #leaving = new Set<string>();
  /** Channels whose unsubscribing is not yet answered, with what waits for that. */
  readonly #left = new Map<string, (() => void)[]>();
  /** Entities of whose changes the server does not learn at the moment. */
  readonly #standing = new Set<string>();
  #asking = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.on('delta', message => this.#tell(message.channel, {type: 'delta', message}));
    connection.on('snapshot', message => this.#tell(message.channel, {type: 'snapshot', message}));
    connection.on('feed', ({types, live}) => {
      for (const type of types) {
        if (live) this.#standing.delete(type);
        else this.#standing.add(type);
      }
      for (const subscription of [...this.#all]) subscription.look();
    });
    connection.on('ended', ({channel, error}) => {
      const members = this.#members.get(channel) ?? [];
      // The server has forgotten the channel: there is nothing to unsubscribe from.
      this.#members.delete(channel);
      const told = new Set(members);
      for (const subscription of [...this.#all]) {
        if (told.has(subscription)) subscription.send({type: 'ended', error});
        // The answer that is awaited may be made already, and name this channel.
        else if (subscription.awaits) subscription.send({type: 'elsewhereEnded', channel, error});
      }
    });
  }

  /** The number of subscriptions that are not closed. */
  get size(): number {
    return this.#all.size;
  }

  /** Whether pages of this entity stand still: the server does not learn of changes. */
  standsStill(type: string): boolean {
    return this.#standing.has(type);
  }

  /** Makes a subscription. It begins with its `start`, when its owner is ready to be told. */
  open(ref: LiveRef, changed: Changed): Subscription {
    const subscription = new Subscription(ref, changed, this);
    this.#all.add(subscription);
    return subscription;
  }

  connected(): void {
    this.#sendAll({type: 'connected'});
  }

  lost(): void {
    this.#members.clear();
    this.#leaving.clear();
    this.#left.clear();
    // Whoever connects is told anew.
    this.#standing.clear();
    this.#sendAll({type: 'lost'});
  }

  signedIn(): void {
    this.#sendAll({type: 'signedIn'});
  }

  signedOut(): void {
    this.#sendAll({type: 'signedOut'});
  }

  /** Ends all of them, as when the server finally refuses the connection. */
  end(error: WireError): void {
    this.#members.clear();
    this.#sendAll({type: 'ended', error});
  }

  /** Called by a subscription that is to begin. */
  start(subscription: Subscription): void {
    if (this.#connection.status === 'connected') subscription.send({type: 'connected'});
  }

  /** Called by a subscription. */
  perform(subscription: Subscription, effect: SubscriptionEffect): void {
    if (effect.do === 'release') return this.#leave(effect.channel);
    const {attempt, resume, diverged, patient} = effect;
    const unsure = new Set(this.#left.keys());
    this.#asking++;
    const request = {ref: subscription.ref, resume, diverged};
    this.#connection.request('subscribe', request, (error, reply) => {
      this.#asking--;
      const again = () => this.#performAgain(subscription, effect);
      const channel = reply && channelOf(reply);
      const leaving = channel !== undefined && unsure.has(channel) && this.#left.get(channel);
      // The server may have left the channel before it let us in, or after.
      if (leaving) leaving.push(again);
      else if (reply) this.#accepted(subscription, {type: 'accepted', attempt, reply});
      else if (patient && BUSY.includes(error!.statusCode)) {
        setTimeout(again, PAUSE_MS);
        subscription.send({type: 'postponed', attempt});
      } else subscription.send({type: 'refused', attempt, error: plain(error!)});
      this.#sweep();
    });
  }

  /** Called by a subscription whose channel is now another one. */
  moved(subscription: Subscription, from: string | undefined, to: string | undefined): void {
    if (from !== undefined) {
      const members = this.#members.get(from);
      if (members?.delete(subscription) && members.size === 0) this.#leave(from);
    }
    if (to !== undefined) {
      const members = this.#members.get(to) ?? new Set();
      this.#members.set(to, members.add(subscription));
    }
  }

  closed(subscription: Subscription): void {
    this.#all.delete(subscription);
  }

  /** Lets it hear from its channel, also from one that had ended and is entered again. */
  #accepted(subscription: Subscription, event: SubscriptionEvent): void {
    subscription.send(event);
    const {channel} = subscription;
    if (channel !== undefined) this.moved(subscription, undefined, channel);
  }

  #performAgain(subscription: Subscription, effect: SubscriptionEffect): void {
    if (effect.do !== 'subscribe' || this.#connection.status !== 'connected') return;
    const wanted = subscription.awaits && subscription.state.attempt === effect.attempt;
    if (wanted) this.perform(subscription, effect);
  }

  /** Tells those in the channel, and those of whom it is not yet known in which one they are. */
  #tell(channel: string, event: SubscriptionEvent): void {
    const members = this.#members.get(channel);
    for (const subscription of [...this.#all]) {
      if (members?.has(subscription) || subscription.awaits) subscription.send(event);
    }
  }

  #sendAll(event: SubscriptionEvent): void {
    for (const subscription of [...this.#all]) subscription.send(event);
  }

  #leave(channel: string): void {
    this.#leaving.add(channel);
    this.#sweep();
  }

  /** Unsubscribes, but not while an answer is awaited that may be for the very same channel. */
  #sweep(): void {
    if (this.#asking > 0) return;
    for (const channel of this.#leaving) {
      this.#leaving.delete(channel);
      if (this.#members.get(channel)?.size) continue;
      this.#members.delete(channel);
      if (this.#connection.status !== 'connected') continue;
      this.#left.set(channel, []);
      this.#connection.request('unsubscribe', {channel}, () => {
        const waiting = this.#left.get(channel) ?? [];
        this.#left.delete(channel);
        for (const run of waiting) run();
      });
    }
  }
}

/** Called after each step that changed something. */
export type Changed = (now: SubscriptionState, before: SubscriptionState) => void;

/** The machine of `subscription.ts` at work. */
export class Subscription {
  readonly ref: LiveRef;
  readonly #changed: Changed;
  readonly #channels: Channels;
  #state = initialState;

  constructor(ref: LiveRef, changed: Changed, channels: Channels) {
    this.ref = ref;
    this.#changed = changed;
    this.#channels = channels;
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  /** The channel that it wants to hear from. */
  get channel(): string | undefined {
    return heardBy(this.#state);
  }

  /** Whether an answer of the server is on its way. */
  get awaits(): boolean {
    return this.#state.phase === 'subscribing' || this.#state.phase === 'resuming';
  }

  start(): void {
    this.#channels.start(this);
  }

  /** Lets its owner look at what it depends on beside its own state. */
  look(): void {
    this.#changed(this.#state, this.#state);
  }

  send(event: SubscriptionEvent): void {
    const before = this.#state;
    const {state, effects} = step(before, event);
    this.#state = state;
    const [from, to] = [heardBy(before), heardBy(state)];
    if (from !== to) this.#channels.moved(this, from, to);
    if (state.phase === 'closed') this.#channels.closed(this);
    for (const effect of effects) this.#channels.perform(this, effect);
    if (state !== before) this.#changed(state, before);
  }

  close(): void {
    this.send({type: 'close'});
  }
}

/** The channel from which a subscription in this state wants to hear. */
function heardBy(state: SubscriptionState): string | undefined {
  const listens = ['subscribing', 'live', 'resuming'].includes(state.phase);
  return listens ? state.held?.channel : undefined;
}

function plain({code, message, statusCode, details}: LiveError): WireError {
  return {code, message, statusCode, details};
}
