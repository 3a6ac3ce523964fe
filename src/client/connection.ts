import {io, type Socket} from 'socket.io-client';
import {errorFromWire, LiveError, type LiveErrorCode, type WireError} from '../protocol/errors';
import type {
  ClientToServerEvents,
  Handshake,
  Reply,
  ServerToClientEvents,
} from '../protocol/messages';
import {PROTOCOL_VERSION} from '../protocol/version';
import {Emitter} from './emitter';
import type {ConnectionStatus} from './types';

export type CallName = keyof ClientToServerEvents;
export type RequestOf<E extends CallName> = Parameters<ClientToServerEvents[E]>[0];
export type ReplyOf<E extends CallName> =
  Parameters<ClientToServerEvents[E]>[1] extends (reply: Reply<infer T>) => void ? T : never;
type Done<E extends CallName> = (error: LiveError | undefined, reply?: ReplyOf<E>) => void;

export interface ConnectionOptions {
  readonly path: string;
  readonly timeout: number;
  readonly transports: readonly ('websocket' | 'polling' | 'webtransport')[];
  readonly reconnectionDelay: number;
  readonly reconnectionDelayMax: number;
  /** Asked at each connect. */
  readonly token: () => string | undefined;
}

interface ConnectionEvents {
  status: [status: ConnectionStatus];
  /** The server does not take us: with this token, this protocol, or at all. */
  refused: [error: LiveError];
}

type LooseSocket = {
  timeout(ms: number): {
    emit(event: string, request: object, ack: (late: Error | null, reply?: unknown) => void): void;
  };
};

/** The error of a call that the server never answered, or whose answer is worth nothing now. */
export function localError(code: LiveErrorCode): LiveError {
  return errorFromWire({code, ...LOCAL[code as keyof typeof LOCAL]});
}

const LOCAL = {
  CONNECTION_LOST: {message: 'The connection was lost before the answer came.', statusCode: 503},
  TIMEOUT: {message: 'The server did not answer in time.', statusCode: 504},
  CLIENT_CLOSED: {message: 'The client is closed.', statusCode: 499},
  SESSION_CHANGED: {message: 'Somebody has signed out meanwhile.', statusCode: 401},
} as const;

/** One Socket.IO connection: calls with answers, and whether it is there. */
export class Connection {
  readonly events = new Emitter<ConnectionEvents>();
  readonly #socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  readonly #timeout: number;
  readonly #retryDelay: number;
  readonly #open = new Set<(error: LiveError) => void>();
  #status: ConnectionStatus = 'connecting';
  #closed = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Send what waits for a connection. */
  readonly #unsent = new Set<() => void>();

  constructor(url: string, options: ConnectionOptions) {
    this.#timeout = options.timeout;
    this.#retryDelay = options.reconnectionDelayMax;
    this.#socket = io(url, {
      path: options.path,
      transports: [...options.transports],
      tryAllTransports: true,
      forceNew: true,
      reconnectionDelay: options.reconnectionDelay,
      reconnectionDelayMax: options.reconnectionDelayMax,
      auth: send => send({protocol: PROTOCOL_VERSION, token: options.token()} satisfies Handshake),
    });
    this.#socket.on('connect', () => {
      for (const send of [...this.#unsent]) send();
      this.#is('connected');
    });
    this.#socket.on('disconnect', () => this.#disconnected());
    this.#socket.on('connect_error', error => this.#failed(error));
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Listens to what the server sends by itself. */
  on<E extends keyof ServerToClientEvents>(event: E, listener: ServerToClientEvents[E]): void {
    (this.#socket.on as (event: E, listener: ServerToClientEvents[E]) => unknown).call(
      this.#socket,
      event,
      listener,
    );
  }

  /** Goes on trying after a final refusal; nothing otherwise. */
  connect(): void {
    if (this.#closed || this.#socket.active) return;
    clearTimeout(this.#retry);
    this.#is('reconnecting');
    this.#socket.connect();
  }

  /** Calls the server. Waits for a connection, but in all no longer than the timeout. */
  call<E extends CallName>(event: E, request: RequestOf<E>): Promise<ReplyOf<E>> {
    return new Promise((resolve, reject) => {
      this.request(event, request, (error, reply) => (error ? reject(error) : resolve(reply!)));
    });
  }

  /**
   * {@link call} with a callback, which runs within the event that brought the answer: whatever
   * the server sent after it is seen after it.
   */
  request<E extends CallName>(event: E, request: RequestOf<E>, done: Done<E>): void {
    if (this.#closed) return done(localError('CLIENT_CLOSED'));
    let takeBack: (() => void) | undefined;
    const fail = (error: LiveError) => {
      takeBack?.();
      if (this.#open.delete(fail)) done(error);
    };
    this.#open.add(fail);
    const send = (timeout: number) => this.#send(event, request, timeout, fail, done);
    if (this.#socket.connected) send(this.#timeout);
    else takeBack = this.#sendOnceConnected(send, fail);
  }

  #send<E extends CallName>(
    event: E,
    request: RequestOf<E>,
    timeout: number,
    fail: (error: LiveError) => void,
    done: Done<E>,
  ): void {
    // Socket.IO's own types lose the acknowledgement's type for a generic event name.
    const socket = this.#socket as unknown as LooseSocket;
    socket.timeout(timeout).emit(event, request, (late, answer) => {
      if (late) return fail(localError(this.#socket.connected ? 'TIMEOUT' : 'CONNECTION_LOST'));
      const reply = answer as Reply<ReplyOf<E>> | undefined;
      if (!reply?.ok) return fail(errorFromWire(wireErrorOf(reply?.error)));
      const {ok: _, ...result} = reply;
      if (this.#open.delete(fail)) done(undefined, result as unknown as ReplyOf<E>);
    });
  }

  /**
   * Socket.IO would keep what waits for a connection, and a timer for it, when the client closes.
   *
   * @returns what takes it back
   */
  #sendOnceConnected(send: (timeout: number) => void, fail: (error: LiveError) => void) {
    const end = Date.now() + this.#timeout;
    const timer = setTimeout(() => fail(localError('CONNECTION_LOST')), this.#timeout);
    const forget = () => {
      clearTimeout(timer);
      this.#unsent.delete(go);
    };
    const go = () => {
      forget();
      send(Math.max(end - Date.now(), 1));
    };
    this.#unsent.add(go);
    return forget;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#failAll(localError('CLIENT_CLOSED'));
    this.#socket.off();
    this.#socket.disconnect();
    this.#is('offline');
    this.events.clear();
  }

  #disconnected(): void {
    this.#is('reconnecting');
    // Sent away by the server: Socket.IO leaves coming back to us, and it need not be at once.
    if (!this.#socket.active) this.#retryLater();
  }

  #failed(error: Error & {data?: unknown}): void {
    // Socket.IO goes on by itself after a failure of the transport, not after a refusal.
    if (this.#socket.active) return;
    const refusal = errorFromWire(wireErrorOf(error.data, error.message));
    if (refusal.statusCode === 429 || refusal.statusCode === 503) {
      this.#is(this.#status === 'connecting' ? 'connecting' : 'reconnecting');
      this.#retryLater();
      return;
    }
    this.#is('offline');
    this.events.emit('refused', refusal);
    if (!this.#socket.active) this.#failAll(refusal);
  }

  #retryLater(): void {
    clearTimeout(this.#retry);
    const delay = this.#retryDelay * (0.5 + Math.random() / 2);
    this.#retry = setTimeout(() => this.connect(), delay);
  }

  #failAll(error: LiveError): void {
    for (const fail of [...this.#open]) fail(error);
  }

  #is(status: ConnectionStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.events.emit('status', status);
  }
}

/** What the server said, or the best that can be made of something else. */
function wireErrorOf(said: unknown, message = 'The server gave no answer.'): WireError {
  const error = said as Partial<WireError> | undefined;
  return {
    code: error?.code ?? 'INTERNAL_ERROR',
    message: error?.message ?? message,
    statusCode: error?.statusCode ?? 500,
    details: error?.details,
  };
}
