import {Context, invokeMethodWithInterceptors} from '@loopback/core';
import {SecurityBindings} from '@loopback/security';
import type {CallName, RequestOf} from '../../adapters/socketio/requests';
import type {Connection, ConnectionHandler} from '../../adapters/socketio/transport';
import type {Member} from '../../core/hub';
import type {SubscribeReply, SubscribeRequest} from '../../protocol/messages';
import {ConnectionSession, sessionChanged} from './connection-session';
import {ConnectionShare, type JoinedRows, type ShareLimits} from './connection-share';
import type {LiveSession} from './live-call';
import type {LiveControllers, LiveMethod} from './live.controller';
import type {SessionService} from './session.service';

export interface LiveConnectionOptions {
  readonly application: Context;
  readonly sessions: SessionService;
  readonly controllers: LiveControllers;
  readonly share: ShareLimits;
}

type SessionCall = 'login' | 'authenticate' | 'renew' | 'logout';
type DataCall = Exclude<CallName, SessionCall>;

/** One client's connection: its calls, and what it is subscribed to. */
export class LiveConnection implements ConnectionHandler {
  private readonly session: ConnectionSession;
  /** Channels joined by whom the member stands for; another person gets another member. */
  private joined: JoinedRows = new Map();
  private member: Member;
  private readonly share: ConnectionShare;
  /** Channels that ended while a subscription was unanswered, which may have been its own. */
  private readonly ends = new Map<string, Error>();
  private calls = 0;
  private isClosed = false;

  constructor(
    private readonly connection: Connection,
    private readonly options: LiveConnectionOptions,
  ) {
    this.share = new ConnectionShare(options.share);
    this.member = this.newMember();
    this.session = new ConnectionSession(connection, options.sessions, () => {
      const left = this.leaveAll();
      this.member = this.newMember();
      return left;
    });
  }

  /** Takes the token of the handshake. @throws LiveEntityError `NOT_AUTHENTICATED` */
  async open(token: string | undefined): Promise<this> {
    try {
      if (token !== undefined) await this.session.authenticate({token});
      return this;
    } catch (error) {
      this.closed();
      throw error;
    }
  }

  async call(name: CallName, request: object): Promise<object> {
    switch (name) {
      case 'subscribe':
        return this.subscribe(request as SubscribeRequest);
      case 'unsubscribe':
      case 'read':
      case 'create':
      case 'update':
      case 'delete':
        return this.perform(name, request);
      case 'login':
        return this.session.login(request as RequestOf<'login'>);
      case 'authenticate':
        return this.session.authenticate(request as RequestOf<'authenticate'>);
      case 'renew':
      case 'logout':
        return this.session[name]();
    }
  }

  closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.session.closed();
    this.leaveAll();
  }

  /**
   * A page can end between the joining and the answer, which the application's interceptors may
   * hold up: then it is refused, for the client would take the page as live.
   */
  private async subscribe(request: SubscribeRequest): Promise<object> {
    const release = this.share.claim(request.ref, this.joined);
    try {
      const reply = (await this.perform('subscribe', request)) as SubscribeReply;
      const {channel} = reply.kind === 'snapshot' ? reply.snapshot : reply;
      const ended = this.ends.get(channel);
      if (ended) throw ended;
      return reply;
    } finally {
      release();
      if (!this.share.isClaimed) this.ends.clear();
    }
  }

  /**
   * What is joined is noted at that very moment, whatever becomes of the call: nothing may stay
   * joined for a person who has gone, nor be joined for them any more.
   */
  private newMember(): Member {
    const joined: JoinedRows = new Map();
    this.joined = joined;
    return {
      join: (channel, rows) => {
        if (this.isClosed || joined !== this.joined) throw sessionChanged();
        joined.set(channel, rows);
        this.ends.delete(channel);
        this.connection.join(channel, rows);
      },
      leave: channel => {
        joined.delete(channel);
        this.connection.leave(channel);
      },
      end: (channel, error) => {
        joined.delete(channel);
        if (this.share.isClaimed) this.ends.set(channel, error);
        this.connection.end(channel, error);
      },
      outlet: this.connection.outlet,
    };
  }

  private leaveAll(): string[] {
    const channels = [...this.joined.keys()];
    const controller = this.options.controllers.of(undefined);
    for (const channel of channels) controller.leave(this.caller(), channel);
    return channels;
  }

  /**
   * Makes a call, and takes care that its answer does not reach another person than the one who
   * asked: what a read has found is kept from them, and of a write that is done the row.
   */
  private async perform(name: DataCall, request: object): Promise<object> {
    const {session} = this;
    session.checkExpiry();
    const {generation} = session;
    const reply = await this.invoke(name, request).catch(error => {
      if (generation !== session.generation) throw sessionChanged();
      const {statusCode, code} = error as {statusCode?: unknown; code?: unknown};
      if (statusCode === 401 && code !== 'SESSION_CHANGED') session.askForLogin(error);
      throw error;
    });
    if (generation === session.generation) return reply;
    if (name === 'subscribe' || name === 'read') throw sessionChanged();
    return 'row' in reply ? {row: null} : reply;
  }

  /**
   * Calls the live controller as REST calls its controllers: in a context of the call's own with
   * the user bound, through the application's interceptors.
   */
  private async invoke(name: DataCall, request: object): Promise<object> {
    const {ref = request} = request as {ref?: object};
    const controller = this.options.controllers.of((ref as {type?: string}).type);
    const method = methodOf(name, ref);
    const {socket} = this.connection;
    const context = new Context(this.options.application, `live-call-${method}`);
    const {principal} = this.session;
    if (principal) context.bind(SecurityBindings.USER).to(principal);
    const call = {id: `${socket.id}-${++this.calls}`, session: this.caller(), context};
    try {
      return (await invokeMethodWithInterceptors(context, controller, method, [call, request], {
        source: {type: 'socketio', value: socket},
        skipParameterInjection: true,
      })) as object;
    } finally {
      context.close();
    }
  }

  private caller(): LiveSession {
    const {socket} = this.connection;
    const {generation, principal} = this.session;
    // With the generation, so that no page rendered for one person is shared with the next.
    return {id: `${socket.id}/${generation}`, member: this.member, socket, principal};
  }
}

function methodOf(name: DataCall, ref: object): LiveMethod {
  const isRow = !('view' in ref);
  if (name === 'subscribe' && isRow) return 'subscribeRow';
  return name === 'read' && isRow ? 'readRow' : name;
}
