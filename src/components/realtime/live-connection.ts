import {Context, invokeMethodWithInterceptors} from '@loopback/core';
import {SecurityBindings} from '@loopback/security';
import type {Connection, ConnectionHandler} from '../../adapters/socketio/connection';
import type {CallName, RequestOf} from '../../adapters/socketio/requests';
import type {SubscribeReply, SubscribeRequest} from '../../protocol/messages';
import {ConnectionMember, type Joined, type MemberOwner} from './connection-member';
import {ConnectionSession, sessionChanged, type SessionOwner} from './connection-session';
import {ConnectionShare, type ShareLimits} from './connection-share';
import type {LiveCall, LiveSession} from './live-call';
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
export class LiveConnection implements ConnectionHandler, MemberOwner, SessionOwner {
  private readonly session: ConnectionSession;
  private member = new ConnectionMember(this);
  private readonly share: ConnectionShare;
  /** Channels by epoch that ended while a subscription was unanswered: it may name them yet. */
  private ends: Map<string, Error> | undefined;
  private calls = 0;
  private isClosed = false;

  constructor(
    readonly connection: Connection,
    private readonly options: LiveConnectionOptions,
  ) {
    this.share = new ConnectionShare(options.share);
    this.session = new ConnectionSession(connection, options.sessions, this);
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
   * hold up: then it is refused, for the client would take the page as live. They may refuse it
   * themselves, too: then nobody knows of the channel, and it is left.
   */
  private async subscribe(request: SubscribeRequest): Promise<object> {
    const {joined} = this.member;
    const release = this.share.claim(request.ref, joined);
    let own: {readonly channel: string; readonly as?: Joined} | undefined;
    try {
      const reply = (await this.perform('subscribe', request, channel => {
        own = {channel, as: joined.get(channel)};
      })) as SubscribeReply;
      const ended = this.ends?.get(endKey(reply, request));
      if (ended) throw ended;
      return reply;
    } catch (error) {
      if (own?.as && joined.get(own.channel) === own.as && --own.as.calls === 0) {
        this.leave(own.channel);
      }
      throw error;
    } finally {
      release();
      if (!this.share.isClaimed) this.ends = undefined;
    }
  }

  checkCurrent(member: ConnectionMember): void {
    if (this.isClosed || member !== this.member) throw sessionChanged();
  }

  ending(channel: string, epoch: string, error: Error): void {
    if (!this.share.isClaimed) return;
    this.ends ??= new Map();
    this.ends.set(`${channel} ${epoch}`, error);
  }

  /** Another person is about to sign in, or nobody. Answers the channels that were left. */
  changing(): readonly string[] {
    const left = this.leaveAll();
    this.member = new ConnectionMember(this);
    return left;
  }

  private leaveAll(): readonly string[] {
    const channels = [...this.member.joined.keys()];
    for (const channel of channels) this.leave(channel);
    return channels;
  }

  private leave(channel: string): void {
    this.options.controllers.of(undefined).leave(this.caller(), channel);
  }

  /**
   * Makes a call, and takes care that its answer does not reach another person than the one who
   * asked: what a read has found is kept from them, and of a write that is done the row.
   */
  private async perform(
    name: DataCall,
    request: object,
    joined?: LiveCall['joined'],
  ): Promise<object> {
    const {session} = this;
    session.checkExpiry();
    const {generation} = session;
    const reply = await this.invoke(name, request, joined).catch(error => {
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
  private async invoke(
    name: DataCall,
    request: object,
    joined: LiveCall['joined'],
  ): Promise<object> {
    const {ref = request} = request as {ref?: object};
    const controller = this.options.controllers.of((ref as {type?: string}).type);
    const method = methodOf(name, ref);
    const {socket} = this.connection;
    const context = new Context(this.options.application, `live-call-${method}`);
    const {principal} = this.session;
    if (principal) context.bind(SecurityBindings.USER).to(principal);
    const id = `${socket.id}-${++this.calls}`;
    const call: LiveCall = {id, session: this.caller(), context, joined};
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

/** The channel that an answer names, as it was when the answer was made. */
function endKey(reply: SubscribeReply, {resume}: SubscribeRequest): string {
  const {channel, epoch} = reply.kind === 'snapshot' ? reply.snapshot : {...resume!, ...reply};
  return `${channel} ${epoch}`;
}

function methodOf(name: DataCall, ref: object): LiveMethod {
  const isRow = !('view' in ref);
  if (name === 'subscribe' && isRow) return 'subscribeRow';
  return name === 'read' && isRow ? 'readRow' : name;
}
