import type {TokenService} from '@loopback/authentication';
import {securityId, type UserProfile} from '@loopback/security';
import {decode, type JwtPayload} from 'jsonwebtoken';
import {LiveEntityError} from '../../core/errors';
import type {SessionReply} from '../../protocol/messages';
import type {Row} from '../../protocol/page';
import type {LoginService} from './types';

/** Who is signed in, with what, and until when. */
export interface SignedIn {
  readonly principal: UserProfile;
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined;
}

/**
 * Signs people in: by credentials through the bound login service, or by a token.
 */
export class SessionService {
  constructor(
    private readonly tokens: TokenService | undefined,
    private readonly logins: LoginService | undefined,
  ) {}

  /** @throws LiveEntityError `LOGIN_FAILED` (401) */
  async login(credentials: Row): Promise<SignedIn> {
    if (!this.logins) {
      throw new LiveEntityError('LOGIN_FAILED', 'this application has no login service', 501);
    }
    const tokens = this.tokenService();
    const principal = await this.logins.login(credentials).catch(error => {
      const {statusCode, message} = error as {statusCode?: number; message: string};
      // A failing database is not a wrong password.
      if (!(Number(statusCode) >= 400 && Number(statusCode) < 500)) throw error;
      throw new LiveEntityError('LOGIN_FAILED', message, 401);
    });
    return this.signedIn(await tokens.generateToken(principal), principal);
  }

  /** @throws LiveEntityError `NOT_AUTHENTICATED` (401) */
  async authenticate(token: string): Promise<SignedIn> {
    const principal = await this.tokenService()
      .verifyToken(token)
      .catch(() => {
        const message = 'the token is not valid, or has expired';
        throw new LiveEntityError('NOT_AUTHENTICATED', message, 401);
      });
    return this.signedIn(token, principal);
  }

  /** A fresh token for one who is signed in. */
  async renew({principal, token}: SignedIn): Promise<SignedIn> {
    await this.authenticate(token);
    return this.signedIn(await this.tokenService().generateToken(principal), principal);
  }

  private tokenService(): TokenService {
    if (this.tokens) return this.tokens;
    throw new LiveEntityError(
      'NOT_AUTHENTICATED',
      'this application has no tokens: set jwt.secret of LiveEntitiesBindings.REALTIME, ' +
        'or bind LiveEntitiesBindings.TOKEN_SERVICE',
      501,
    );
  }

  private signedIn(token: string, principal: UserProfile): SignedIn {
    const claims = decode(token) as JwtPayload | string | null;
    const exp = typeof claims === 'object' ? claims?.exp : undefined;
    return {principal, token, expiresAt: exp === undefined ? undefined : exp * 1000};
  }
}

/** What the client learns of its session. */
export function sessionReply({principal, token, expiresAt}: SignedIn): SessionReply {
  const user = {id: principal[securityId], ...principal};
  return {token, user, ...(expiresAt === undefined ? {} : {expiresAt})};
}
