import {LiveError} from '../protocol/errors';
import type {ReadReply, ReadRequest, RowRef, SessionReply, ViewPageRef} from '../protocol/messages';
import type {Row} from '../protocol/page';
import {Channels} from './channels';
import {LiveCollection} from './collection';
import {Connection, localError} from './connection';
import {Emitter, type Unsubscribe} from './emitter';
import {LiveModel} from './model';
import {PageView} from './page-view';
import type {CollectionOptions, ConnectionStatus, FieldOf, ModelOptions} from './types';
import {Writes} from './writes';

/** How to reach the server. */
export interface LiveClientOptions {
  /** The path of the socket on the server. Default `/realtime`. */
  readonly path?: string;
  /** A token from an earlier sign-in, sent with the handshake. */
  readonly token?: string;
  /** Milliseconds that a call may take, waiting for a connection included. Default 20,000. */
  readonly timeout?: number;
  /** What to try, in this order. Default WebSocket, then HTTP polling. */
  readonly transports?: readonly ('websocket' | 'polling' | 'webtransport')[];
  /** Milliseconds before the first attempt to connect again. Default 500. */
  readonly reconnectionDelay?: number;
  /** The most milliseconds between attempts, which grow. Default 5,000. */
  readonly reconnectionDelayMax?: number;
}

/** Who is signed in. */
export interface LiveSession {
  readonly user: Row;
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** The events of a client. */
export interface LiveClientEvents {
  status: [status: ConnectionStatus];
  /** Somebody signed in or is known again (then who), or nobody is signed in any more. */
  session: [session: LiveSession | undefined];
  /** The server has ended the session, or asks for one. */
  logout: [reason: LiveError];
  /** The server finally refuses the connection. */
  error: [error: LiveError];
}

/**
 * A connection to a server with live views, and the one who is signed in on it.
 *
 * @example
 * ```ts
 * const live = new LiveClient('http://localhost:3000');
 * await live.login({username: 'ada', password: '…'});
 * const products = live.collection<{id: string; name: string}>({
 *   type: 'Product',
 *   view: 'categoryView',
 *   viewParams: {category: 'c1'},
 * });
 * await products.ready;
 * ```
 */
export class LiveClient {
  readonly #events = new Emitter<LiveClientEvents>();
  readonly #connection: Connection;
  readonly #channels: Channels;
  readonly #writes: Writes;
  readonly #views = new Set<PageView>();
  #token: string | undefined;
  #session: LiveSession | undefined;
  /** How often somebody has signed out here, and how many of these the server has not answered. */
  #logouts = 0;
  #leaving = 0;

  /** @param url Where the server is, as `http://localhost:3000`. */
  constructor(url: string, options: LiveClientOptions = {}) {
    this.#token = options.token;
    this.#connection = new Connection(url, {
      path: options.path ?? '/realtime',
      timeout: options.timeout ?? 20_000,
      transports: options.transports ?? ['websocket', 'polling'],
      reconnectionDelay: options.reconnectionDelay ?? 500,
      reconnectionDelayMax: options.reconnectionDelayMax ?? 5_000,
      token: () => this.#token,
    });
    this.#channels = new Channels(this.#connection);
    this.#writes = new Writes(this.#connection);
    this.#connection.events.on('status', status => this.#statusChanged(status));
    this.#connection.events.on('refused', error => this.#refused(error));
    this.#connection.on('session', reply => {
      if (this.#leaving === 0) this.#signedIn(reply);
    });
    this.#connection.on('logout', ({error}) => this.#loggedOut(new LiveError(error)));
  }

  get status(): ConnectionStatus {
    return this.#connection.status;
  }

  /** Who is signed in; `undefined` when nobody is, or a token is not yet answered. */
  get user(): Row | undefined {
    return this.#session?.user;
  }

  /** The token of the session, to be kept for the next start. */
  get token(): string | undefined {
    return this.#token;
  }

  get session(): LiveSession | undefined {
    return this.#session;
  }

  on<E extends keyof LiveClientEvents>(
    event: E,
    listener: (...args: LiveClientEvents[E]) => void,
  ): Unsubscribe {
    return this.#events.on(event, listener);
  }

  /** Signs in with what the server's login service wants. Rejects with `LOGIN_FAILED`. */
  async login(credentials: Readonly<Record<string, unknown>>): Promise<LiveSession> {
    this.#connection.connect();
    return this.#entered(this.#connection.call('login', credentials));
  }

  /** Signs in with a token. Rejects with `NOT_AUTHENTICATED`. */
  async authenticate(token: string): Promise<LiveSession> {
    this.#connection.connect();
    return this.#entered(this.#connection.call('authenticate', {token}));
  }

  /** Extends the session. */
  async renew(): Promise<LiveSession> {
    return this.#entered(this.#connection.call('renew', {}));
  }

  /**
   * Signs out, here in any case, and on the server. A sign-in or renewal that is not answered yet
   * is then rejected with `SESSION_CHANGED`, whatever its answer.
   */
  async logout(): Promise<void> {
    this.#logouts++;
    this.#leaving++;
    this.#signedOut();
    try {
      await this.#connection.call('logout', {});
    } finally {
      this.#leaving--;
    }
  }

  /** A page of a view, live from `ready` on. See {@link LiveCollection}. */
  collection<T, F extends FieldOf<T> = FieldOf<T>>(
    options: CollectionOptions<T, F>,
  ): LiveCollection<T, F> {
    const {type, view, viewParams, fields, pageOffset, pageSize, getCount} = options;
    const ref: ViewPageRef = {type, view, viewParams, fields, pageOffset, pageSize, getCount};
    return new LiveCollection(ref, this.#view(ref), this.#connection, this.#writes);
  }

  /** A row, live from `ready` on. See {@link LiveModel}. */
  model<T, F extends FieldOf<T> = FieldOf<T>>(options: ModelOptions<T, F>): LiveModel<T, F> {
    const {type, id, fields} = options;
    const ref: RowRef = {type, id, fields};
    return new LiveModel(ref, this.#view(ref), this.#writes);
  }

  /** Reads once: a page of a view, a row, or one property of a row. */
  read(request: ReadRequest): Promise<ReadReply> {
    return this.#connection.call('read', request);
  }

  /** Tries again after the server has finally refused the connection. */
  connect(): void {
    this.#connection.connect();
  }

  /** Closes the connection and everything that came from this client, for good. */
  close(): void {
    for (const view of [...this.#views]) view.close();
    this.#connection.close();
    this.#events.clear();
  }

  #view(ref: ViewPageRef | RowRef): PageView {
    if (this.#connection.closed) throw localError('CLIENT_CLOSED');
    const view: PageView = new PageView(ref, this.#channels, this.#writes, () => {
      this.#views.delete(view);
    });
    this.#views.add(view);
    return view;
  }

  #statusChanged(status: ConnectionStatus): void {
    if (status === 'connected') {
      this.#introduce();
      this.#channels.connected();
    } else {
      this.#channels.lost();
    }
    this.#events.emit('status', status);
  }

  /** Asks who the owner of the handshake's token is, once: the handshake itself does not say. */
  #introduce(): void {
    const token = this.#token;
    if (token === undefined || this.#session) return;
    this.#connection.request('authenticate', {token}, (error, reply) => {
      if (token !== this.#token) return;
      if (reply) this.#signedIn(reply);
      else if (error?.statusCode === 401) this.#loggedOut(error);
    });
  }

  /** What was asked before a logout comes too late, also when the server answered before it. */
  async #entered(answer: Promise<SessionReply>): Promise<LiveSession> {
    const logouts = this.#logouts;
    const reply = await answer;
    if (logouts !== this.#logouts) throw localError('SESSION_CHANGED');
    return this.#signedIn(reply);
  }

  #signedIn({user, token, expiresAt}: SessionReply): LiveSession {
    this.#token = token;
    this.#session = {user, token, ...(expiresAt !== undefined && {expiresAt})};
    this.#events.emit('session', this.#session);
    this.#channels.signedIn();
    return this.#session;
  }

  #signedOut(): void {
    const known = this.#session;
    this.#token = undefined;
    this.#session = undefined;
    if (known) this.#events.emit('session', undefined);
  }

  #loggedOut(reason: LiveError): void {
    this.#signedOut();
    this.#events.emit('logout', reason);
  }

  /**
   * A token that is refused is dropped, and the client comes back without one, so that the person
   * can sign in. Without a token there is nothing to change: it stays offline and says why.
   */
  #refused(error: LiveError): void {
    const hadToken = this.#token !== undefined;
    if (error.statusCode === 401) {
      this.#channels.signedOut();
      this.#loggedOut(error);
    }
    if (error.statusCode === 401 && hadToken) return this.#connection.connect();
    const {code, message, statusCode, details} = error;
    this.#channels.end({code, message, statusCode, details});
    this.#events.emit('error', error);
  }
}
