import {Context, invokeMethodWithInterceptors} from '@loopback/core';
import {SecurityBindings, type UserProfile} from '@loopback/security';
import type {CallName, RequestOf} from '../../adapters/socketio/requests';
import type {Connection, ConnectionHandler} from '../../adapters/socketio/transport';
import {toWireError} from '../../adapters/socketio/wire-error';
import {LiveEntityError} from '../../core/errors';
import type {Member} from '../../core/hub';
import type {SubscribeRequest} from '../../protocol/messages';
import {LiveController} from './live.controller';
import type {LiveSession} from './live.service';
import {sessionReply, type SessionService, type SignedIn} from './session.service';

export interface LiveConnectionOptions {
  readonly application: Context;
  readonly sessions: SessionService;
  readonly controller: LiveController;
  readonly maxSubscriptions: number;
  readonly logger: {warn(message: string, error?: unknown): void};
}

/** Node's timers hold no more than this; a later expiry is looked at again then. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * One client's connection: who is signed in on it, and what it is subscribed to. When the person
 * changes, each subscription is judged anew, before anything else is sent.
 */
export class LiveConnection implements ConnectionHandler {
  private readonly context: Context;
  /** Channels joined by whom the member stands for; another person gets another member. */
  private joined = new Set<string>();
  private member: Member;
  private pending = 0;
  private calls = 0;
  private generation = 0;
  private asked: number | undefined;
  private signedIn: SignedIn | undefined;
  private expiry: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly connection: Connection,
    private readonly options: LiveConnectionOptions,
  ) {
    this.context = new Context(options.application, `live-connection-${connection.socket.id}`);
    this.member = this.newMember();
  }

  /** Takes the token of the handshake. @throws LiveEntityError `NOT_AUTHENTICATED` */
  async open(token: string | undefined): Promise<this> {
    if (token !== undefined) this.adopt(await this.options.sessions.authenticate(token));
    return this;
  }

  async call(name: CallName, request: object): Promise<object> {
    try {
      return await this.dispatch(name, request);
    } catch (error) {
      const {statusCode, code} = error as {statusCode?: unknown; code?: unknown};
      if (statusCode === 401 && code === 'CRUD_BLOCKED') this.askForLogin(error);
      throw error;
    }
  }

  closed(): void {
    this.isClosed = true;
    clearTimeout(this.expiry);
    this.leaveAll();
    this.context.close();
  }

  private dispatch(name: CallName, request: object): Promise<object> {
    switch (name) {
      case 'subscribe':
        return this.subscribe(request as RequestOf<'subscribe'>);
      case 'unsubscribe':
      case 'read':
      case 'create':
      case 'update':
      case 'delete':
        return this.invoke(name, request);
      case 'login':
        return this.signIn(this.options.sessions.login(request as RequestOf<'login'>));
      case 'authenticate': {
        const {token} = request as RequestOf<'authenticate'>;
        return this.signIn(this.options.sessions.authenticate(token));
      }
      case 'renew':
        return this.renew();
      case 'logout':
        return this.signOut();
    }
  }

  /** A subscription counts from the moment it is asked for, so a burst cannot pass the limit. */
  private async subscribe(request: SubscribeRequest): Promise<object> {
    const {maxSubscriptions} = this.options;
    if (this.joined.size + this.pending >= maxSubscriptions) {
      throw new LiveEntityError('LIMIT_EXCEEDED', `at most ${maxSubscriptions} subscriptions`);
    }
    this.pending++;
    try {
      return await this.invoke('subscribe', request);
    } finally {
      this.pending--;
    }
  }

  /**
   * What is joined is noted at that very moment, whatever becomes of the call: nothing may stay
   * joined for a person who has gone, nor be joined for them any more.
   */
  private newMember(): Member {
    const joined = new Set<string>();
    this.joined = joined;
    return {
      join: channel => {
        if (this.isClosed || joined !== this.joined) throw sessionChanged();
        joined.add(channel);
        this.connection.join(channel);
      },
      leave: channel => {
        joined.delete(channel);
        this.connection.leave(channel);
      },
    };
  }

  private leaveAll(): string[] {
    const channels = [...this.joined];
    for (const channel of channels) this.options.controller.leave(this.session(), channel);
    return channels;
  }

  /**
   * Calls the live controller as REST calls its controllers: in a context of the call's own with
   * the user bound, through the application's interceptors.
   */
  private async invoke(method: CallName, request: object): Promise<object> {
    const {controller} = this.options;
    const {socket} = this.connection;
    const context = new Context(this.context, `live-call-${method}`);
    if (this.signedIn) context.bind(SecurityBindings.USER).to(this.signedIn.principal);
    const id = `${socket.id}-${++this.calls}`;
    const call = {id, session: this.session(), context};
    try {
      return (await invokeMethodWithInterceptors(context, controller, method, [call, request], {
        source: {type: 'socketio', value: socket},
        skipParameterInjection: true,
      })) as object;
    } finally {
      context.close();
    }
  }

  private session(): LiveSession {
    const {socket} = this.connection;
    return {
      // With the generation, so that no page rendered for one person is shared with the next.
      id: `${socket.id}/${this.generation}`,
      member: this.member,
      socket,
      principal: this.signedIn?.principal,
    };
  }

  private async signIn(attempt: Promise<SignedIn>): Promise<object> {
    const signedIn = await attempt;
    this.adopt(signedIn);
    return sessionReply(signedIn);
  }

  private async renew(): Promise<object> {
    if (!this.signedIn) throw notSignedIn();
    return this.signIn(this.options.sessions.renew(this.signedIn));
  }

  private async signOut(): Promise<object> {
    this.change(undefined);
    return {};
  }

  private adopt(signedIn: SignedIn): void {
    const known = this.signedIn?.principal;
    if (known && sameProfile(known, signedIn.principal)) this.signedIn = signedIn;
    else this.change(signedIn);
    this.watchExpiry();
  }

  /** Another person, or nobody: what was subscribed for the one before ends. */
  private change(signedIn: SignedIn | undefined): void {
    const before = this.leaveAll();
    this.member = this.newMember();
    this.generation++;
    this.signedIn = signedIn;
    clearTimeout(this.expiry);
    const error = toWireError(sessionChanged());
    for (const channel of before) this.connection.socket.emit('ended', {channel, error});
  }

  private watchExpiry(): void {
    clearTimeout(this.expiry);
    const expiresAt = this.signedIn?.expiresAt;
    if (expiresAt === undefined || this.isClosed) return;
    const wait = Math.max(0, expiresAt - Date.now());
    this.expiry = setTimeout(() => {
      if (Date.now() < expiresAt) return this.watchExpiry();
      this.change(undefined);
      this.askForLogin(new LiveEntityError('NOT_AUTHENTICATED', 'the session has expired', 401));
    }, Math.min(wait, LONGEST_TIMER)).unref();
  }

  /** Once for each person: a client that has many pages open asks for them all at once. */
  private askForLogin(error: unknown): void {
    if (this.asked === this.generation) return;
    this.asked = this.generation;
    this.connection.socket.emit('logout', {error: toWireError(error)});
  }
}

function sameProfile(a: UserProfile, b: UserProfile): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sessionChanged(): LiveEntityError {
  const message = 'somebody else is signed in now; subscribe again';
  return new LiveEntityError('SESSION_CHANGED', message, 401);
}

function notSignedIn(): LiveEntityError {
  return new LiveEntityError('NOT_AUTHENTICATED', 'nobody is signed in', 401);
}
