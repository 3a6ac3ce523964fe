import type {LiveError, WireError} from '../protocol/errors';
import type {LiveRef} from '../protocol/messages';
import type {Connection} from './connection';
import {
  initialState,
  step,
  type SubscriptionEffect,
  type SubscriptionEvent,
  type SubscriptionState,
} from './subscription';

/**
 * Brings what the server sends to the subscriptions that want it. Several may have one channel
 * (the same page, asked for twice); the server is told to stop when the last one has left.
 */
export class Channels {
  readonly #connection: Connection;
  readonly #members = new Map<string, Set<Subscription>>();
  readonly #all = new Set<Subscription>();
  readonly #leaving = new Set<string>();
  #asking = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.on('delta', message => this.#tell(message.channel, {type: 'delta', message}));
    connection.on('snapshot', message => this.#tell(message.channel, {type: 'snapshot', message}));
    connection.on('ended', ({channel, error}) => {
      const members = this.#members.get(channel) ?? [];
      // The server has forgotten the channel: there is nothing to unsubscribe from.
      this.#members.delete(channel);
      for (const member of [...members]) member.send({type: 'ended', error});
    });
  }

  /** The number of subscriptions that are not closed. */
  get size(): number {
    return this.#all.size;
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
    this.#sendAll({type: 'lost'});
  }

  signedIn(): void {
    this.#sendAll({type: 'signedIn'});
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
    const {attempt, resume} = effect;
    this.#asking++;
    this.#connection.request('subscribe', {ref: subscription.ref, resume}, (error, reply) => {
      this.#asking--;
      subscription.send(
        error
          ? {type: 'refused', attempt, error: plain(error)}
          : {type: 'accepted', attempt, reply: reply!},
      );
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

  #tell(channel: string, event: SubscriptionEvent): void {
    for (const member of [...(this.#members.get(channel) ?? [])]) member.send(event);
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
      this.#connection.request('unsubscribe', {channel}, () => undefined);
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

  start(): void {
    this.#channels.start(this);
  }

  send(event: SubscriptionEvent): void {
    const before = this.#state;
    const {state, effects} = step(before, event);
    this.#state = state;
    const [from, to] = [channelOf(before), channelOf(state)];
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
function channelOf(state: SubscriptionState): string | undefined {
  const listens = ['subscribing', 'live', 'resuming'].includes(state.phase);
  return listens ? state.held?.channel : undefined;
}

function plain({code, message, statusCode, details}: LiveError): WireError {
  return {code, message, statusCode, details};
}
