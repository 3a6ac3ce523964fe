import {createServer, type Server as HttpServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {Server, type Socket} from 'socket.io';
import {diffPages} from '../../core/diff';
import type {WireError} from '../../protocol/errors';
import type {
  ClientToServerEvents,
  DeltaMessage,
  Handshake,
  LiveRef,
  Reply,
  ServerToClientEvents,
  SubscribeReply,
  SubscribeRequest,
} from '../../protocol/messages';
import {keyOf, type PageMeta, type PageState, type Row} from '../../protocol/page';

type Peer = Socket<ClientToServerEvents, ServerToClientEvents>;
type Call = keyof ClientToServerEvents;
type RequestOf<E extends Call> = Parameters<ClientToServerEvents[E]>[0];
type Answer<E extends Call> = (request: RequestOf<E>, peer: Peer) => unknown;

/** A refusal: thrown by an answer, it travels as the reply's error. */
export class Refusal extends Error {
  constructor(readonly wire: WireError) {
    super(wire.message);
  }
}

export function refusal(code: string, statusCode = 422, details?: Row): Refusal {
  return new Refusal({code, message: `refused: ${code}`, statusCode, details});
}

/** A page as a server keeps it: numbered states, and the steps between them. */
export class ScriptedChannel {
  seq = 0;
  epoch = 'e1';
  readonly states: PageState[];
  readonly log: DeltaMessage[] = [];

  constructor(
    readonly id: string,
    readonly server: ScriptedServer,
    rows: readonly Row[],
    public meta: PageMeta,
  ) {
    this.states = [pageOf(rows, meta)];
  }

  get page(): PageState {
    return this.states.at(-1)!;
  }

  /** Goes to new rows and sends the steps, or with `lost` lets them get lost on the way. */
  publish(rows: readonly Row[], {lost = false, meta = this.meta} = {}): DeltaMessage {
    const next = pageOf(rows, meta);
    const message = {channel: this.id, seq: ++this.seq, ops: diffPages(this.page, next), meta};
    this.meta = meta;
    this.states.push(next);
    this.log.push(message);
    if (!lost) this.server.io.to(this.id).emit('delta', message);
    return message;
  }

  /** Forgets the past, as a server does that was started anew. */
  restart(rows: readonly Row[], epoch = 'e2'): void {
    this.epoch = epoch;
    this.seq = 0;
    this.log.length = 0;
    this.states.push(pageOf(rows, this.meta));
  }

  pushSnapshot(): void {
    this.server.io.to(this.id).emit('snapshot', this.snapshot());
  }

  end(error: WireError): void {
    this.server.io.to(this.id).emit('ended', {channel: this.id, error});
    this.server.io.socketsLeave(this.id);
  }

  enter({resume}: SubscribeRequest): SubscribeReply {
    if (resume?.channel !== this.id || resume.epoch !== this.epoch) {
      return {kind: 'snapshot', snapshot: this.snapshot()};
    }
    const deltas = this.log.filter(({seq}) => seq > resume.seq);
    return {kind: 'resumed', channel: this.id, deltas};
  }

  private snapshot() {
    return {channel: this.id, epoch: this.epoch, seq: this.seq, ...this.page};
  }
}

/**
 * A server that speaks the protocol over real Socket.IO and says what a test tells it to. What it
 * is not told it does as a server should.
 */
export class ScriptedServer {
  readonly received: {readonly event: Call; readonly request: unknown}[] = [];
  readonly handshakes: Handshake[] = [];
  readonly channels = new Map<string, ScriptedChannel>();
  /** Refuses a handshake by answering an error. */
  admit: (handshake: Handshake) => WireError | undefined = () => undefined;
  private readonly answers = new Map<Call, Answer<Call>>();
  private readonly waiting = new Set<() => void>();

  private constructor(
    readonly http: HttpServer,
    readonly io: Server<ClientToServerEvents, ServerToClientEvents>,
  ) {
    this.answer('subscribe', (request, peer) => this.enter(request, peer));
    this.answer('unsubscribe', async ({channel}, peer) => {
      await peer.leave(channel);
      return {};
    });
    io.use((peer, next) => {
      const handshake = peer.handshake.auth as Handshake;
      this.handshakes.push(handshake);
      const data = this.admit(handshake);
      next(data && Object.assign(new Error(data.message), {data}));
    });
    io.on('connection', peer => this.serve(peer));
  }

  static async listen(): Promise<ScriptedServer> {
    const http = createServer();
    const io = new Server(http, {path: '/realtime', serveClient: false});
    await new Promise<void>(done => http.listen(0, '127.0.0.1', done));
    return new ScriptedServer(http, io);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    await this.io.close();
  }

  channel(id: string, rows: readonly Row[], meta: Partial<PageMeta> = {}): ScriptedChannel {
    const whole = {pageOffset: 0, pageSize: 10, isLastPage: true, ...meta};
    const channel = new ScriptedChannel(id, this, rows, whole);
    this.channels.set(id, channel);
    return channel;
  }

  /** Which channel a reference leads to: `Product/7`, `byName@0`. */
  route(ref: LiveRef): string {
    return 'id' in ref ? `${ref.type}/${ref.id}` : `${ref.view}@${ref.pageOffset ?? 0}`;
  }

  answer<E extends Call>(event: E, answer: Answer<E>): void {
    this.answers.set(event, answer as Answer<Call>);
  }

  /** The answer given so far, to be called from the one that takes its place. */
  enter(request: SubscribeRequest, peer: Peer): SubscribeReply {
    const channel = this.channels.get(this.route(request.ref));
    if (!channel) throw refusal('UNKNOWN_VIEW', 404);
    void peer.join(channel.id);
    return channel.enter(request);
  }

  requests<E extends Call>(event: E): RequestOf<E>[] {
    return this.received.filter(call => call.event === event).map(c => c.request as RequestOf<E>);
  }

  /** Resolves once the nth call of this name has come. */
  async called<E extends Call>(event: E, times = 1): Promise<RequestOf<E>> {
    while (this.requests(event).length < times) {
      await new Promise<void>(wake => this.waiting.add(wake));
    }
    return this.requests(event)[times - 1];
  }

  /** Breaks all connections, as a network does. */
  cut(): void {
    for (const peer of this.io.sockets.sockets.values()) peer.conn.close();
  }

  private serve(peer: Peer): void {
    peer.onAny((event: Call, request: unknown, ack?: (reply: Reply<object>) => void) => {
      this.received.push({event, request});
      for (const wake of this.waiting) wake();
      this.waiting.clear();
      void this.reply(event, request, peer).then(reply => ack?.(reply));
    });
  }

  private async reply(event: Call, request: unknown, peer: Peer): Promise<Reply<object>> {
    try {
      const answer = this.answers.get(event);
      if (!answer) throw refusal('BAD_REQUEST', 400);
      // A synchronous answer leaves in the same turn, so nothing published later overtakes it.
      const result = answer(request as never, peer);
      return {ok: true, ...((result instanceof Promise ? await result : result) as object)};
    } catch (error) {
      if (error instanceof Refusal) return {ok: false, error: error.wire};
      throw error;
    }
  }
}

export function pageOf(rows: readonly Row[], meta: PageMeta): PageState {
  return {keys: rows.map(row => keyOf(row, ['id'])), rows, meta};
}

/** Something that a test can hold back: `await gate.opened` here, `gate.open()` there. */
export function givenGate(): {readonly opened: Promise<void>; open(): void} {
  let open!: () => void;
  const opened = new Promise<void>(resolve => (open = resolve));
  return {opened, open: () => open()};
}
