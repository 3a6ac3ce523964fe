import type {IncomingMessage, Server as HttpServer} from 'node:http';
import {Server, type ServerOptions} from 'socket.io';
import {LiveEntityError} from '../../core/errors';
import type {Publisher} from '../../core/hub-options';
import type {
  ClientToServerEvents,
  DeltaMessage,
  FeedMessage,
  Handshake,
  ServerToClientEvents,
} from '../../protocol/messages';
import {REQUEST_SCHEMAS} from '../../protocol/schemas';
import {PROTOCOL_FLOOR, PROTOCOL_VERSION} from '../../protocol/version';
import {closingInTurn} from './closing';
import {
  SocketConnection, type Connection, type ConnectionHandler, type LiveSocket,
} from './connection';
import {Counted} from './counted';
import {networkOf} from './network';
import {Drains, roomOf, SocketOutlet} from './outlet';
import {RateLimit} from './rate-limit';
import {checkRequest, type CallName} from './requests';
import {Turns} from './turns';
import {isInternal, toWireError} from './wire-error';

export interface TransportOptions {
  readonly httpServer: HttpServer;
  readonly path: string;
  readonly cors: ServerOptions['cors'] | undefined;
  readonly payloadBytes: number;
  readonly bufferedBytes: number;
  /** Bytes waiting for a client from which on it gets the newest state instead of each step. */
  readonly slowBytes: number;
  readonly opsPerSecond: number;
  readonly callsAtOnce: number;
  readonly depth: number;
  readonly connectionsPerAddress: number;
  /** The address of a client, where it is not that of the connection. */
  readonly addressOf: ((request: IncomingMessage) => string) | undefined;
  readonly logger: {error(message: string, error?: unknown): void};
  /** The entities whose changes do not come at the moment. */
  standingStill(): readonly string[];
  /** Has a look at the sockets, or makes others have one. */
  readonly instrument: ((server: Server) => void) | undefined;
  /** Makes the handler of a new connection. Throws to refuse it. */
  accept(connection: Connection, handshake: Handshake): Promise<ConnectionHandler>;
}

const BUFFER_CHECK_MS = 1000;
const MOST_CODES = 100;

/**
 * Socket.IO on the REST server's own port: one room for each channel, calls answered through
 * acknowledgements. Clients can neither join a room nor send to one.
 */
export class SocketTransport implements Publisher {
  private readonly io: Server<ClientToServerEvents, ServerToClientEvents>;
  private readonly guard: NodeJS.Timeout;
  private readonly addresses = new Counted();
  /** Not in the socket's `data`, which an admin page shows. */
  private readonly accepted = new WeakMap<LiveSocket, SocketConnection>();
  private readonly refusals = new Map<string, number>();
  private readonly drains = new Drains();
  private readonly turns = new Turns();
  /** Connections that have their socket, or are about to. */
  private readonly taken = new WeakSet<object>();

  constructor(private readonly options: TransportOptions) {
    this.io = new Server(options.httpServer, {
      path: options.path,
      serveClient: false,
      // 38 µs and 248 kB a socket for messages that are mostly short.
      perMessageDeflate: false,
      maxHttpBufferSize: options.payloadBytes,
      cors: options.cors,
      allowRequest: (request, allow) => this.allowInTurn(request, allow),
      wsEngine: closingInTurn(this.turns),
    });
    this.io.use((socket, next) => {
      const accepted = this.turns.mine().then(() => this.accept(socket));
      accepted.then(
        () => next(),
        error => next(Object.assign(new Error('refused'), {data: this.wireError(error)})),
      );
    });
    this.io.on('connection', socket => this.connected(socket));
    options.instrument?.(this.io as Server);
    this.guard = setInterval(() => this.cutOffStalled(), BUFFER_CHECK_MS).unref();
  }

  get connections(): number {
    return this.io.of('/').sockets.size;
  }

  /** Calls and handshakes that were refused since the start, by code. */
  get refused(): ReadonlyMap<string, number> {
    return this.refusals;
  }

  publish(delta: DeltaMessage): void {
    this.io.to(roomOf(delta.channel)).emit('delta', delta);
  }

  /** Tells everybody, also those who watch none of the entities. */
  feed(message: FeedMessage): void {
    this.io.emit('feed', message);
  }

  async close(): Promise<void> {
    clearInterval(this.guard);
    this.drains.stop();
    await this.io.close();
  }

  /**
   * Node takes its own listener off a socket that is to be upgraded, and Engine.IO has none on it
   * before the request is allowed: an error in between would end the process.
   */
  private allowInTurn(request: IncomingMessage, allow: Allow): void {
    const {socket} = request;
    socket.on('error', unheard);
    this.turns.take(() => {
      if (socket.destroyed) return;
      socket.off('error', unheard);
      allow(undefined, true);
    });
  }

  private async accept(socket: LiveSocket): Promise<void> {
    const handshake = socket.handshake.auth as Partial<Handshake>;
    const {protocol, token} = handshake;
    if (typeof protocol !== 'number' || protocol < PROTOCOL_FLOOR || protocol > PROTOCOL_VERSION) {
      throw new LiveEntityError(
        'PROTOCOL_UNSUPPORTED',
        `this server speaks the protocol versions ${PROTOCOL_FLOOR} to ${PROTOCOL_VERSION}`,
      );
    }
    if (token !== undefined && typeof token !== 'string') {
      throw new LiveEntityError('BAD_REQUEST', 'the token of the handshake is a text');
    }
    const address = this.addressOf(socket);
    const network = networkOf(address);
    this.enter(socket, network);
    const outlet = new SocketOutlet(socket, this.options.slowBytes, this.drains.add);
    const connection = new SocketConnection(socket, outlet, address);
    try {
      connection.handler = await this.options.accept(connection, {protocol, token});
    } catch (error) {
      this.leave(socket, network);
      throw error;
    }
    this.accepted.set(socket, connection);
    connection.onceGone(() => {
      this.leave(socket, network);
      connection.handler?.closed();
    });
  }

  /** Empty where there is none, as on a Unix socket. */
  private addressOf({request, handshake}: LiveSocket): string {
    const address: unknown = this.options.addressOf?.(request) ?? handshake.address;
    return typeof address === 'string' ? address : '';
  }

  /** Socket.IO takes any number of handshakes on one connection while the first is under way. */
  private enter({conn}: LiveSocket, network: string): void {
    if (this.taken.has(conn)) {
      conn.close();
      throw new LiveEntityError('BAD_REQUEST', 'a connection has one socket');
    }
    const {connectionsPerAddress: most} = this.options;
    if (network !== '' && this.addresses.of(network) >= most) {
      const message = `at most ${most} connections from one address`;
      throw new LiveEntityError('TOO_MANY_CONNECTIONS', message, 429);
    }
    this.taken.add(conn);
    this.addresses.add(network);
  }

  private leave({conn}: LiveSocket, network: string): void {
    this.addresses.remove(network);
    this.taken.delete(conn);
  }

  private connected(socket: LiveSocket): void {
    // Somebody else's listener may have thrown it out already; its connection's end is still heard.
    if (!socket.connected) return;
    const connection = this.accepted.get(socket)!;
    connection.connected();
    const types = this.options.standingStill();
    if (types.length > 0) socket.emit('feed', {types, live: false});
    const {opsPerSecond, callsAtOnce} = this.options;
    const limit = new RateLimit(opsPerSecond, callsAtOnce);
    // One listener for all calls: one for each would be a kilobyte and a half of every connection.
    // It is called before middlewares of the socket, and also for what follows a disconnect.
    socket.onAny((name: string, ...args: unknown[]) => {
      if (socket.connected) this.called(connection.handler!, limit, name, args);
    });
  }

  private called(
    handler: ConnectionHandler,
    limit: RateLimit,
    name: string,
    args: readonly unknown[],
  ): void {
    if (!isCall(name)) {
      this.answer(limit, args.at(-1), () => {
        throw new LiveEntityError('BAD_REQUEST', 'there is no such call');
      });
      return;
    }
    const isLeftOut = typeof args[0] === 'function';
    const [request, reply] = isLeftOut ? [{}, args[0]] : args;
    this.answer(limit, reply, () =>
      handler.call(name, checkRequest(name, request, this.options.depth)));
  }

  /**
   * Whatever comes counts as a call. One without an acknowledgement is then ignored: its sender
   * could not learn how it went.
   */
  private answer(limit: RateLimit, reply: unknown, call: () => Promise<object>): void {
    this.attempt(limit, reply, call).catch(error => {
      this.options.logger.error('a live call could not be answered', error);
    });
  }

  private async attempt(
    limit: RateLimit,
    reply: unknown,
    call: () => Promise<object>,
  ): Promise<void> {
    let done: (() => void) | undefined;
    try {
      done = limit.take();
      if (typeof reply !== 'function') return;
      await this.turns.mine();
      reply({ok: true, ...(await call())});
    } catch (error) {
      if (typeof reply === 'function') reply({ok: false, error: this.wireError(error)});
    } finally {
      done?.();
    }
  }

  private wireError(thrown: unknown) {
    const error = toWireError(thrown);
    if (isInternal(error)) this.options.logger.error('a live call failed', thrown);
    this.count(error.code);
    return error;
  }

  /** An application's filters can answer any code they like; only so many are told apart. */
  private count(code: string): void {
    const isKnown = this.refusals.has(code) || this.refusals.size < MOST_CODES;
    const name = isKnown ? code : 'OTHER';
    this.refusals.set(name, (this.refusals.get(name) ?? 0) + 1);
  }

  /** One who does not read must not grow the server's memory; the client comes back and resumes. */
  private cutOffStalled(): void {
    for (const socket of this.io.of('/').sockets.values()) {
      const bytes = this.accepted.get(socket)?.outlet.bufferedBytes() ?? 0;
      if (bytes <= this.options.bufferedBytes) continue;
      socket.conn.close(true);
      // A closing handshake would wait for one who does not read.
      socket.conn.request.socket.destroy();
    }
  }
}

type Allow = Parameters<NonNullable<ServerOptions['allowRequest']>>[1];

function unheard(): void {
  // Who has gone while waiting is not waited for.
}

function isCall(name: string): name is CallName {
  return Object.hasOwn(REQUEST_SCHEMAS, name);
}
