import type {IncomingMessage} from 'node:http';
import type {AuthenticationStrategy, TokenService} from '@loopback/authentication';
import {
  Application,
  BindingScope,
  config,
  CoreBindings,
  inject,
  injectable,
} from '@loopback/core';
import type {Request} from '@loopback/rest';
import {securityId, type UserProfile} from '@loopback/security';
import {decode, type JwtPayload} from 'jsonwebtoken';
import type {LiveSessions, SessionPass, SessionRef} from '../../core/access';
import {LiveEntityError} from '../../core/errors';
import {LiveEntitiesBindings} from '../../keys';
import type {SessionReply} from '../../protocol/messages';
import type {Row} from '../../protocol/page';
import {resolveConfig} from './config';
import {LoginAttempts, type Caller} from './login-attempts';
import {Revocations, type TokenTimes} from './revocations';
import type {LoginService, RealtimeConfig} from './types';

/** Who is signed in, with what, and until when. */
export interface SignedIn {
  readonly principal: UserProfile;
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined;
  /** The count of refreshes when it was judged: an older judgement may be out of date. */
  readonly asOf: number;
}

/** A connection that somebody can be signed in on. */
export interface Session {
  readonly signedIn: SignedIn | undefined;
  /** The handshake. */
  readonly request: IncomingMessage;
  /** Takes the person away, and says why. */
  end(reason: LiveEntityError): void;
  /** Somebody is judged anew: takes over what they are now. */
  adopt(signedIn: SignedIn): void;
}

/** Signs people in, by credentials or by a token, and knows the connections they are on. */
@injectable({scope: BindingScope.SINGLETON})
export class SessionService implements LiveSessions {
  private readonly sessions = new Set<Session>();
  private readonly revocations = new Revocations();
  private readonly attempts: LoginAttempts;
  private refreshes = 0;
  /** Whether the login service says who somebody is by now; unknown until it was asked for. */
  private asksCurrent: boolean | undefined;

  constructor(
    @inject(CoreBindings.APPLICATION_INSTANCE) private readonly application: Application,
    @config({fromBinding: LiveEntitiesBindings.REALTIME}) realtimeConfig: RealtimeConfig = {},
  ) {
    this.attempts = new LoginAttempts(resolveConfig(realtimeConfig).limits.loginAttempts);
  }

  async login(credentials: Row, from: {readonly address: string}): Promise<SessionPass> {
    return sessionReply(await this.signIn(credentials, from));
  }

  /** @throws LiveEntityError `LOGIN_FAILED` (401), or `TOO_MANY_ATTEMPTS` (429) */
  async signIn(credentials: Row, caller: Caller): Promise<SignedIn> {
    const asOf = this.refreshes;
    const logins = await this.logins();
    if (!logins) {
      throw new LiveEntityError('LOGIN_FAILED', 'this application has no login service', 501);
    }
    const tokens = await this.tokenService();
    return this.attempts.attempt(caller, credentials, async () => {
      const principal = await logins.login(credentials).catch(error => {
        const {statusCode, message} = error as {statusCode?: number; message: string};
        // A failing database is not a wrong password.
        if (!(Number(statusCode) >= 400 && Number(statusCode) < 500)) throw error;
        throw new LiveEntityError('LOGIN_FAILED', message, 401);
      });
      return signedInAs(principal, await tokens.generateToken(principal), asOf);
    });
  }

  /**
   * @param request What the token came with, for a strategy of the application's own
   * @throws LiveEntityError `NOT_AUTHENTICATED` (401)
   */
  async authenticate(token: string, request: IncomingMessage): Promise<SignedIn> {
    const asOf = this.refreshes;
    const verified = await this.verify(token, request);
    const principal = await this.current(verified);
    if (!principal || this.isRevoked(token, principal)) throw invalidToken();
    return signedInAs(principal, token, asOf);
  }

  /** A fresh token for one who is signed in. */
  async renew({token}: SignedIn, request: IncomingMessage): Promise<SignedIn> {
    const {principal, asOf} = await this.authenticate(token, request);
    const fresh = await (await this.tokenService()).generateToken(principal);
    if (this.isRevoked(token, principal)) throw invalidToken();
    return signedInAs(principal, fresh, asOf);
  }

  /** Whether there is anything that could check a token. */
  async takesTokens(): Promise<boolean> {
    return Boolean((await this.strategy()) ?? (await this.tokens()));
  }

  /** Whether what was judged may be out of date by now. */
  isStale({asOf, token, principal}: SignedIn): boolean {
    return asOf !== this.refreshes || this.isRevoked(token, principal);
  }

  /** Knows a connection's session until `unwatch`. */
  watch(session: Session): void {
    this.sessions.add(session);
  }

  unwatch(session: Session): void {
    this.sessions.delete(session);
  }

  revoke(whose: SessionRef): void {
    if ('token' in whose) this.revocations.revokeToken(whose.token);
    else this.revocations.revokeUser(whose.userId);
    for (const session of this.sessions) {
      if (session.signedIn && isOf(whose, session.signedIn)) session.end(revoked());
    }
  }

  async refresh(userId?: string): Promise<void> {
    this.refreshes++;
    const all = [...this.sessions].filter(({signedIn}) => signedIn !== undefined);
    const concerned =
      userId === undefined ? all : all.filter(({signedIn}) => isOf({userId}, signedIn!));
    await Promise.all(concerned.map(session => this.judge(session)));
  }

  /**
   * Whoever cannot be judged may see nothing. A judgement that another refresh has overtaken may
   * come last, and is made anew.
   */
  private async judge(session: Session): Promise<void> {
    const {token} = session.signedIn!;
    const judged = () => this.authenticate(token, session.request).catch(() => undefined);
    let now = await judged();
    while (now && this.isStale(now)) now = await judged();
    if (session.signedIn?.token !== token) return;
    if (now) session.adopt(now);
    else session.end(revoked());
  }

  private isRevoked(token: string, principal: UserProfile): boolean {
    return this.revocations.has(principal[securityId], token, timesOf(token));
  }

  private async verify(token: string, request: IncomingMessage): Promise<UserProfile> {
    const strategy = await this.strategy();
    if (!strategy) {
      const tokens = await this.tokenService();
      return tokens.verifyToken(token).catch(() => {
        throw invalidToken();
      });
    }
    const found = await strategy.authenticate(bearing(token, request)).catch(() => undefined);
    if (found && securityId in found) return found;
    throw invalidToken();
  }

  private async current(who: UserProfile): Promise<UserProfile | undefined> {
    if (this.asksCurrent === false) return who;
    const logins = await this.logins();
    this.asksCurrent = logins?.current !== undefined;
    return logins?.current ? logins.current(who) : who;
  }

  private logins(): Promise<LoginService | undefined> {
    return this.application.get(LiveEntitiesBindings.LOGIN_SERVICE, {optional: true});
  }

  private strategy(): Promise<AuthenticationStrategy | undefined> {
    return this.application.get(LiveEntitiesBindings.AUTHENTICATION_STRATEGY, {optional: true});
  }

  private tokens(): Promise<TokenService | undefined> {
    return this.application.get(LiveEntitiesBindings.TOKEN_SERVICE, {optional: true});
  }

  private async tokenService(): Promise<TokenService> {
    const tokens = await this.tokens();
    if (tokens) return tokens;
    throw new LiveEntityError(
      'NOT_AUTHENTICATED',
      'this application has no tokens: set jwt.secret of LiveEntitiesBindings.REALTIME, ' +
        'or bind LiveEntitiesBindings.TOKEN_SERVICE',
      501,
    );
  }
}

/** What the client learns of its session. */
export function sessionReply({principal, token, expiresAt}: SignedIn): SessionReply {
  const user = {id: principal[securityId], ...principal};
  return {token, user, ...(expiresAt === undefined ? {} : {expiresAt})};
}

function signedInAs(principal: UserProfile, token: string, asOf: number): SignedIn {
  return {principal, token, expiresAt: timesOf(token).expiresAt, asOf};
}

function timesOf(token: string): TokenTimes {
  const claims = decode(token) as JwtPayload | string | null;
  const {iat, exp} = typeof claims === 'object' && claims ? claims : {};
  return {issuedAt: milliseconds(iat), expiresAt: milliseconds(exp)};
}

function milliseconds(seconds: number | undefined): number | undefined {
  return typeof seconds === 'number' ? Math.round(seconds * 1000) : undefined;
}

/** The request as if it had come with the token as its bearer. */
function bearing(token: string, request: IncomingMessage): Request {
  const headers = {...request.headers, authorization: `Bearer ${token}`};
  return Object.create(request, {headers: {value: headers}}) as Request;
}

function isOf(whose: SessionRef, {token, principal}: SignedIn): boolean {
  return 'token' in whose ? whose.token === token : whose.userId === principal[securityId];
}

function invalidToken(): LiveEntityError {
  const message = 'the token is not valid, or has expired';
  return new LiveEntityError('NOT_AUTHENTICATED', message, 401);
}

function revoked(): LiveEntityError {
  return new LiveEntityError('NOT_AUTHENTICATED', 'the session was ended', 401);
}
