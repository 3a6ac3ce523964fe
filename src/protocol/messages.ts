import type {WireError} from './errors';
import type {PageMeta, PageOp, Row, RowKey} from './page';

/**
 * What travels over the socket. Every call of a client is answered through Socket.IO's
 * acknowledgement with a {@link Reply}; a call without an acknowledgement callback is ignored.
 */

/** The `auth` object of the handshake. */
export interface Handshake {
  readonly protocol: number;
  readonly token?: string;
}

/** The answer to every call: what was asked for, or why not. */
export type Reply<T> = ({readonly ok: true} & T) | {readonly ok: false; readonly error: WireError};

/** Names a page of a view. */
export interface ViewPageRef {
  readonly type: string;
  readonly view: string;
  readonly viewParams?: Row;
  /** Properties to send; all that may be seen when left out. Ids and `_version` always travel. */
  readonly fields?: readonly string[];
  /** Rows before the page. Default 0. */
  readonly pageOffset?: number;
  /** Rows on the page. Default: the server's `defaultPageSize`. */
  readonly pageSize?: number;
  /** Whether the count of the whole view is wanted. Default false. */
  readonly getCount?: boolean;
}

/** Names one row. On the wire it behaves as a page that holds that row or nothing. */
export interface RowRef {
  readonly type: string;
  readonly id: string | number;
  readonly fields?: readonly string[];
}

/** What can be subscribed to. */
export type LiveRef = ViewPageRef | RowRef;

/** Where a client stands in a channel: `seq` is the number of the last delta that it applied. */
export interface ResumePoint {
  readonly channel: string;
  readonly epoch: string;
  readonly seq: number;
}

export interface SubscribeRequest {
  readonly ref: LiveRef;
  /** Given after a reconnect: answered with the missed deltas where the server still has them. */
  readonly resume?: ResumePoint;
  /** Asked again because the page did not fit a delta, or its hash. The server counts it. */
  readonly diverged?: boolean;
}

/** A page in full. `seq` is its number; the next delta of the channel has `seq + 1`. */
export interface PageSnapshot {
  readonly channel: string;
  readonly epoch: string;
  readonly seq: number;
  readonly keys: readonly RowKey[];
  readonly rows: readonly Row[];
  readonly meta: PageMeta;
}

/**
 * One step of a channel: everything that one or more whole transactions changed on the page.
 * `hash` is what `hashOfPage` makes of the page after it.
 */
export interface DeltaMessage {
  readonly channel: string;
  readonly seq: number;
  /** The number that it goes on from; `seq - 1` when left out. Given to one who was behind. */
  readonly from?: number;
  readonly hash?: number;
  readonly ops: readonly PageOp[];
  readonly meta: PageMeta;
}

export type SubscribeReply =
  | {readonly kind: 'snapshot'; readonly snapshot: PageSnapshot}
  | {readonly kind: 'resumed'; readonly channel: string; readonly deltas: readonly DeltaMessage[]};

/** The server ends a subscription (expiry, revocation, a filter that refuses now). */
export interface EndedMessage {
  readonly channel: string;
  readonly error: WireError;
}

/**
 * The server does not learn of changes of these entities any more (`live` false): pages stay as
 * they were. Or it does again: what has changed meanwhile comes as deltas.
 */
export interface FeedMessage {
  readonly types: readonly string[];
  readonly live: boolean;
}

/** Reads once: a page (`view`), a row (`id`), or one property of a row (`id` and `field`). */
export type ReadRequest = ViewPageRef | (RowRef & {readonly field?: string});

export type ReadReply =
  | {readonly kind: 'page'; readonly rows: readonly Row[]; readonly meta: PageMeta}
  | {readonly kind: 'row'; readonly row: Row}
  | {readonly kind: 'field'; readonly value: unknown};

export interface CreateRequest {
  readonly type: string;
  readonly value: Row;
}

/** Changes some properties (`value` an object), or one (`field`, and `value` its value). */
export interface UpdateRequest {
  readonly type: string;
  readonly id: string | number;
  readonly field?: string;
  readonly value: unknown;
  /**
   * The version that the person saw; demanded for a versioned entity. `null` for a row that has
   * none, because it is older than the versions or another program has made it.
   */
  readonly version?: string | null;
}

/** Deletes a row, or with `field` clears one property of it. */
export interface DeleteRequest {
  readonly type: string;
  readonly id: string | number;
  readonly field?: string;
  readonly version?: string | null;
}

/** The answer to a write: the row as it is now, as the writer may see it; `null` once deleted. */
export interface WriteReply {
  readonly row: Row | null;
}

/** Who is signed in on this connection. `expiresAt` is milliseconds since 1970. */
export interface SessionReply {
  readonly token: string;
  readonly user: Row;
  readonly expiresAt?: number;
}

type Ack<T> = (reply: Reply<T>) => void;

/** Socket.IO's typing of what a client may send. */
export interface ClientToServerEvents {
  subscribe(request: SubscribeRequest, ack: Ack<SubscribeReply>): void;
  unsubscribe(request: {readonly channel: string}, ack: Ack<object>): void;
  read(request: ReadRequest, ack: Ack<ReadReply>): void;
  create(request: CreateRequest, ack: Ack<WriteReply>): void;
  update(request: UpdateRequest, ack: Ack<WriteReply>): void;
  delete(request: DeleteRequest, ack: Ack<WriteReply>): void;
  login(credentials: Row, ack: Ack<SessionReply>): void;
  authenticate(request: {readonly token: string}, ack: Ack<SessionReply>): void;
  renew(request: object, ack: Ack<SessionReply>): void;
  logout(request: object, ack: Ack<object>): void;
}

/** Socket.IO's typing of what a server sends. */
export interface ServerToClientEvents {
  delta(message: DeltaMessage): void;
  /** A page anew, where steps would not do (a resync after the feed was interrupted). */
  snapshot(message: PageSnapshot): void;
  ended(message: EndedMessage): void;
  feed(message: FeedMessage): void;
  /** A filter wants a login, or the session has expired or was revoked. */
  logout(message: {readonly error: WireError}): void;
  /** The person is known by another profile now, as after a change of role. */
  session(message: SessionReply): void;
}
