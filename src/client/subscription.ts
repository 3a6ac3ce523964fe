import {applyOps} from '../protocol/apply';
import type {WireError} from '../protocol/errors';
import type {DeltaMessage, PageSnapshot, ResumePoint, SubscribeReply} from '../protocol/messages';
import type {PageState} from '../protocol/page';
import {hashOfPage} from '../protocol/page-hash';

/**
 * The life of one subscription, as a pure machine: what happened goes in, the next state and what
 * is to be done come out.
 *
 * ```
 *  idle ──connected──► subscribing ──accepted──► live ──lost──► lost ──connected──► resuming
 *                           ▲                     │                                    │
 *                           └──── gap, misfit ────┴◄──────────── accepted ─────────────┘
 *  any ──ended, refused──► ended (──signedIn──► subscribing)      any ──close──► closed
 * ```
 * A subscription whose person has changed asks again as the new one, for as long as the server is
 * busy; then it shows nothing meanwhile.
 */
export type Phase = 'idle' | 'subscribing' | 'live' | 'lost' | 'resuming' | 'ended' | 'closed';

type Pushed = DeltaMessage | PageSnapshot;

interface Ending {
  readonly channel: string;
  readonly error: WireError;
}

/** A page and where it stands in its channel. */
export interface Held extends ResumePoint {
  readonly page: PageState;
}

export interface SubscriptionState {
  readonly phase: Phase;
  /** The number of the last request; answers to earlier ones are too late. */
  readonly attempt: number;
  /** What is shown, from the first page on. */
  readonly held?: Held;
  /** What came while an answer was awaited, of any channel: the answer says which one is ours. */
  readonly early: readonly Pushed[];
  /** Channels that ended while an answer was awaited: it may put us into one of them. */
  readonly endings: readonly Ending[];
  /** How often a page was read anew although there was one. */
  readonly resets: number;
  /** Asks as another person than the one whose rows are shown, if any. */
  readonly asAnother?: boolean;
  /** Why it ended. */
  readonly error?: WireError;
}

export type SubscriptionEvent =
  | {readonly type: 'connected'}
  | {readonly type: 'lost'}
  | {readonly type: 'accepted'; readonly attempt: number; readonly reply: SubscribeReply}
  | {readonly type: 'refused'; readonly attempt: number; readonly error: WireError}
  /** The server is busy, and will be asked again. */
  | {readonly type: 'postponed'; readonly attempt: number}
  | {readonly type: 'delta'; readonly message: DeltaMessage}
  | {readonly type: 'snapshot'; readonly message: PageSnapshot}
  | {readonly type: 'ended'; readonly error: WireError}
  /** Another channel has ended, or the one in which an awaited answer puts us. */
  | ({readonly type: 'elsewhereEnded'} & Ending)
  | {readonly type: 'signedIn'}
  | {readonly type: 'signedOut'}
  | {readonly type: 'close'};

export type SubscriptionEffect =
  /** Ask the server, and report its answer with the attempt's number. */
  | {
      readonly do: 'subscribe';
      readonly attempt: number;
      readonly resume?: ResumePoint;
      /** Our page was not the one that the server goes on from. */
      readonly diverged?: boolean;
      /** There was a page, or is with a new person: worth waiting for when the server is busy. */
      readonly patient?: boolean;
    }
  /** The server has put us in a channel that nobody wants any more. */
  | {readonly do: 'release'; readonly channel: string};

export interface Transition {
  readonly state: SubscriptionState;
  readonly effects: readonly SubscriptionEffect[];
}

type EventOf<E extends SubscriptionEvent['type']> = Extract<SubscriptionEvent, {type: E}>;
type Rule<E extends SubscriptionEvent['type']> = (
  state: SubscriptionState,
  event: EventOf<E>,
) => Transition;
type Rules = Record<Phase, {[E in SubscriptionEvent['type']]: Rule<E>}>;

const MISFIT: WireError = {
  code: 'INTERNAL_ERROR',
  message: 'The server continues a page that was never sent.',
  statusCode: 500,
};

export const initialState: SubscriptionState = {
  phase: 'idle',
  attempt: 0,
  early: [],
  endings: [],
  resets: 0,
};

/** Takes one step of a subscription's life. */
export function step(state: SubscriptionState, event: SubscriptionEvent): Transition {
  const rule = rules[state.phase][event.type] as Rule<SubscriptionEvent['type']>;
  return rule(state, event);
}

const begin = (state: SubscriptionState): Transition => ask(state);

const stay = (state: SubscriptionState): Transition => ({state, effects: []});

const close = (state: SubscriptionState): Transition =>
  stay({...state, phase: 'closed', early: []});

/** A page that was made for the person who was signed in before is asked for anew. */
const end: Rule<'ended'> = (state, {error}) =>
  error.code === 'SESSION_CHANGED'
    ? ask({...state, asAnother: true})
    : stay({...state, phase: 'ended', early: [], asAnother: undefined, error});

function wait(state: SubscriptionState): Transition {
  const held = heldByOwner(state);
  return stay({...state, phase: held ? 'lost' : 'idle', held, early: []});
}

/** What is shown, unless it was another person's: that is not shown for longer than needed. */
const heldByOwner = ({asAnother, held}: SubscriptionState): Held | undefined =>
  asAnother ? undefined : held;

const postponed: Rule<'postponed'> = (state, {attempt}) =>
  attempt === state.attempt && state.asAnother && state.held
    ? stay({...state, held: undefined})
    : stay(state);

/** Asks for a whole page. What is shown stays until it is there. */
function ask(
  state: SubscriptionState,
  how: {readonly diverged?: true; readonly patient?: true} = {},
): Transition {
  const attempt = state.attempt + 1;
  const patient = how.patient ?? state.asAnother;
  return {
    state: {...state, phase: 'subscribing', attempt, early: [], endings: [], error: undefined},
    effects: [{do: 'subscribe', attempt, ...how, ...(patient && {patient})}],
  };
}

/** A message was lost: the page that is shown was right, and the server may be busy. */
function askAnew(state: SubscriptionState, diverged?: true): Transition {
  return ask(state, {patient: true, ...(diverged && {diverged})});
}

function resume(state: SubscriptionState): Transition {
  if (!state.held) return ask(state);
  const {channel, epoch, seq} = state.held;
  const attempt = state.attempt + 1;
  return {
    state: {...state, phase: 'resuming', attempt, early: [], endings: []},
    effects: [{do: 'subscribe', attempt, resume: {channel, epoch, seq}, patient: true}],
  };
}

const refused: Rule<'refused'> = (state, event) => {
  if (event.attempt !== state.attempt) return stay(state);
  // An answer that got lost says nothing against us; a lost connection is reported by itself.
  if (event.error.code === 'TIMEOUT') return state.held ? askAnew(state) : ask(state);
  if (event.error.code === 'CONNECTION_LOST') return stay(state);
  // Who may not see the page any more keeps none of it.
  return end({...state, held: undefined}, {type: 'ended', error: event.error});
};

const accepted: Rule<'accepted'> = (state, {attempt, reply}) => {
  if (attempt !== state.attempt) return stay(state);
  const early = state.early.filter(({channel}) => channel === channelOf(reply));
  const over = state.endings.find(({channel}) => channel === channelOf(reply));
  if (over) {
    // The server may have let us in anew after the end.
    const {state: next, effects} = end(state, {type: 'ended', error: over.error});
    return {state: next, effects: [...effects, {do: 'release', channel: over.channel}]};
  }
  if (reply.kind === 'snapshot') return advance(adopt(state, reply.snapshot), early);
  if (!state.held) return end(state, {type: 'ended', error: MISFIT});
  const held = {...state.held, channel: reply.channel};
  return advance({...state, phase: 'live', held, early: []}, [...reply.deltas, ...early]);
};

/** The server put a subscription that is gone by now into a channel. */
const orphaned: Rule<'accepted'> = (state, {reply}) => ({
  state,
  effects: [{do: 'release', channel: channelOf(reply)}],
});

/** The channel into which an answer has put us. */
export function channelOf(reply: SubscribeReply): string {
  return reply.kind === 'snapshot' ? reply.snapshot.channel : reply.channel;
}

const early = (state: SubscriptionState, {message}: {readonly message: Pushed}): Transition =>
  stay({...state, early: [...state.early, message]});

const ending: Rule<'elsewhereEnded'> = (state, {channel, error}) =>
  stay({...state, endings: [...state.endings, {channel, error}]});

/** Takes a page as it is. */
function adopt(state: SubscriptionState, snapshot: PageSnapshot): SubscriptionState {
  const {channel, epoch, seq, ...page} = snapshot;
  const resets = state.held ? state.resets + 1 : state.resets;
  const held = {channel, epoch, seq, page};
  return {...state, phase: 'live', held, early: [], resets, asAnother: undefined};
}

/** Applies what comes next, skips what was applied, and asks for a page when something misses. */
function advance(from: SubscriptionState, messages: readonly Pushed[]): Transition {
  let state = from;
  for (const message of messages) {
    const held = state.held!;
    if ('keys' in message) state = adopt(state, message);
    if ('keys' in message || message.seq <= held.seq) continue;
    if ((message.from ?? message.seq - 1) !== held.seq) return askAnew(state);
    const page = applied(held.page, message);
    if (!page) return askAnew(state, true);
    state = {...state, held: {...held, seq: message.seq, page}};
  }
  return stay(state);
}

/** Undefined where the page that comes out is not the server's. */
function applied(page: PageState, {ops, meta, hash}: DeltaMessage): PageState | undefined {
  try {
    const next = applyOps(page, ops, meta);
    return hash === undefined || hash === hashOfPage(next.keys, next.rows) ? next : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What ended for want of a session may begin anew with one. */
const signedIn = (state: SubscriptionState): Transition =>
  state.error?.statusCode === 401 ? ask({...state, asAnother: true}) : stay(state);

/** The rows were the person's whose session is over, and nobody can ask for them anew. */
const forget = (state: SubscriptionState): Transition =>
  stay({...state, phase: 'idle', held: undefined});

const rules: Rules = {
  idle: {
    connected: begin,
    lost: stay,
    accepted: stay,
    refused: stay,
    postponed: stay,
    delta: stay,
    snapshot: stay,
    ended: end,
    elsewhereEnded: stay,
    signedIn: stay,
    signedOut: stay,
    close,
  },
  subscribing: {
    connected: begin,
    lost: wait,
    accepted,
    refused,
    postponed,
    delta: early,
    snapshot: early,
    ended: end,
    elsewhereEnded: ending,
    signedIn: stay,
    signedOut: stay,
    close,
  },
  live: {
    connected: resume,
    lost: wait,
    accepted: stay,
    refused: stay,
    postponed: stay,
    delta: (state, {message}) => advance(state, [message]),
    snapshot: (state, {message}) => advance(state, [message]),
    ended: end,
    elsewhereEnded: stay,
    signedIn: stay,
    signedOut: stay,
    close,
  },
  lost: {
    connected: resume,
    lost: stay,
    accepted: stay,
    refused: stay,
    postponed: stay,
    delta: stay,
    snapshot: stay,
    ended: end,
    elsewhereEnded: stay,
    signedIn: stay,
    signedOut: forget,
    close,
  },
  resuming: {
    connected: resume,
    lost: wait,
    accepted,
    refused,
    postponed,
    delta: early,
    snapshot: early,
    ended: end,
    elsewhereEnded: ending,
    signedIn: stay,
    signedOut: stay,
    close,
  },
  ended: {
    connected: stay,
    lost: stay,
    accepted: orphaned,
    refused: stay,
    postponed: stay,
    delta: stay,
    snapshot: stay,
    ended: stay,
    elsewhereEnded: stay,
    signedIn,
    signedOut: stay,
    close,
  },
  closed: {
    connected: stay,
    lost: stay,
    accepted: orphaned,
    refused: stay,
    postponed: stay,
    delta: stay,
    snapshot: stay,
    ended: stay,
    elsewhereEnded: stay,
    signedIn: stay,
    signedOut: stay,
    close: stay,
  },
};
