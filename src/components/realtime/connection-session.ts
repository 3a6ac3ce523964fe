import type {IncomingMessage} from 'node:http';
import {isDeepStrictEqual} from 'node:util';
import {securityId, type UserProfile} from '@loopback/security';
import type {Connection} from '../../adapters/socketio/connection';
import type {RequestOf} from '../../adapters/socketio/requests';
import {toWireError} from '../../adapters/socketio/wire-error';
import {LiveEntityError} from '../../core/errors';
import type {SessionReply} from '../../protocol/messages';
import {sessionReply, type Session, type SessionService, type SignedIn} from './session.service';

/** Node's timers hold no more than this; a later expiry is looked at again then. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The connection whose session it is. */
export interface SessionOwner {
  /** Leaves everything that is watched, for another person is to be there; answers the channels. */
  changing(): readonly string[];
}

/**
 * Who is signed in on one connection, and for how long. When the person changes, what was watched
 * for the one before is taken away before anything else is sent.
 */
export class ConnectionSession implements Session {
  readonly request: IncomingMessage;
  /** Grows whenever another person, or nobody, is signed in. */
  generation = 0;
  /** How often somebody wanted to sign in, or out; and which of these was the last to come true. */
  private attempts = 0;
  private settled = 0;
  private person: SignedIn | undefined;
  private asked: number | undefined;
  private expiry: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly connection: Connection,
    private readonly sessions: SessionService,
    private readonly owner: SessionOwner,
  ) {
    this.request = connection.socket.request;
    sessions.watch(this);
  }

  get signedIn(): SignedIn | undefined {
    return this.person;
  }

  get principal(): UserProfile | undefined {
    return this.person?.principal;
  }

  login(credentials: RequestOf<'login'>): Promise<SessionReply> {
    const {socket, address} = this.connection;
    return this.signIn(this.sessions.signIn(credentials, {connection: socket.id, address}));
  }

  authenticate({token}: RequestOf<'authenticate'>): Promise<SessionReply> {
    return this.signIn(this.sessions.authenticate(token, this.request));
  }

  async renew(): Promise<SessionReply> {
    if (!this.person) throw notSignedIn();
    return this.signIn(this.sessions.renew(this.person, this.request));
  }

  async logout(): Promise<object> {
    this.settled = ++this.attempts;
    this.change(undefined);
    return {};
  }

  end(reason: LiveEntityError): void {
    this.settled = ++this.attempts;
    this.change(undefined);
    this.askForLogin(reason);
  }

  adopt(signedIn: SignedIn): void {
    const {generation} = this;
    this.take(signedIn);
    if (generation === this.generation) return;
    this.connection.socket.emit('session', sessionReply(signedIn));
  }

  /** Ends a session whose time is over; a busy process may be late with its timers. */
  checkExpiry(): boolean {
    const expiresAt = this.person?.expiresAt;
    if (expiresAt === undefined || Date.now() < expiresAt) return false;
    this.end(new LiveEntityError('NOT_AUTHENTICATED', 'the session has expired', 401));
    return true;
  }

  /** Once for each person: a client that has many pages open asks for them all at once. */
  askForLogin(error: unknown): void {
    if (this.asked === this.generation) return;
    this.asked = this.generation;
    this.connection.socket.emit('logout', {error: toWireError(error)});
  }

  closed(): void {
    this.isClosed = true;
    clearTimeout(this.expiry);
    this.sessions.unwatch(this);
  }

  /**
   * Whoever was judged before a refresh or a revocation that came meanwhile is judged again. One
   * that a logout or a later sign-in has overtaken comes too late.
   */
  private async signIn(attempt: Promise<SignedIn>): Promise<SessionReply> {
    const number = ++this.attempts;
    let signedIn = await attempt;
    while (this.sessions.isStale(signedIn)) {
      signedIn = await this.sessions.authenticate(signedIn.token, this.request);
    }
    if (number < this.settled) throw sessionChanged();
    this.settled = number;
    this.take(signedIn);
    return sessionReply(signedIn);
  }

  private take(signedIn: SignedIn): void {
    const known = this.person?.principal;
    if (known && sameProfile(known, signedIn.principal)) this.person = signedIn;
    else this.change(signedIn);
    this.watchExpiry();
  }

  /** Another person, or nobody: what was subscribed for the one before ends. */
  private change(signedIn: SignedIn | undefined): void {
    const before = this.owner.changing();
    this.generation++;
    this.person = signedIn;
    clearTimeout(this.expiry);
    const error = toWireError(sessionChanged());
    for (const channel of before) this.connection.socket.emit('ended', {channel, error});
  }

  private watchExpiry(): void {
    clearTimeout(this.expiry);
    const expiresAt = this.person?.expiresAt;
    if (expiresAt === undefined || this.isClosed) return;
    const wait = Math.max(0, expiresAt - Date.now());
    this.expiry = setTimeout(() => {
      if (!this.checkExpiry()) this.watchExpiry();
    }, Math.min(wait, LONGEST_TIMER)).unref();
  }
}

/** What is answered to those who asked as somebody who is not signed in any more. */
export function sessionChanged(): LiveEntityError {
  const message = 'somebody else is signed in now; subscribe again';
  return new LiveEntityError('SESSION_CHANGED', message, 401);
}

/** Who somebody is may be told by LoopBack's symbol alone, which JSON would leave out. */
function sameProfile(a: UserProfile, b: UserProfile): boolean {
  return a[securityId] === b[securityId] && isDeepStrictEqual({...a}, {...b});
}

function notSignedIn(): LiveEntityError {
  return new LiveEntityError('NOT_AUTHENTICATED', 'nobody is signed in', 401);
}
