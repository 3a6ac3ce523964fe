import {randomUUID} from 'node:crypto';
import type {TokenService} from '@loopback/authentication';
import {config, type Provider} from '@loopback/core';
import {securityId, type UserProfile} from '@loopback/security';
import {sign, verify, type JwtPayload, type SignOptions} from 'jsonwebtoken';
import {LiveEntityError} from '../../core/errors';
import {LiveEntitiesBindings} from '../../keys';
import type {RealtimeConfig} from './types';

/**
 * The default token service: signed JSON Web Tokens (HS256) that hold the user's profile.
 *
 * Bind your own at `LiveEntitiesBindings.TOKEN_SERVICE`, for instance the one of
 * `@loopback/authentication-jwt`, to use its tokens on the socket.
 */
export class JwtTokenService implements TokenService {
  /** @throws Error when the secret is shorter than 32 characters */
  constructor(
    private readonly secret: string,
    private readonly expiresIn: string | number = '8h',
  ) {
    if (secret.length < 32) {
      throw new Error('jwt.secret needs at least 32 characters; make one with crypto.randomBytes');
    }
  }

  /** @throws LiveEntityError `NOT_AUTHENTICATED` (401) */
  async verifyToken(token: string): Promise<UserProfile> {
    try {
      const {iat, exp, jti, ...profile} = verify(token, this.secret, {
        algorithms: ['HS256'],
        clockTimestamp: Date.now() / 1000,
      }) as JwtPayload;
      return {...profile, [securityId]: String(profile.id ?? profile.sub)} as UserProfile;
    } catch {
      throw new LiveEntityError('NOT_AUTHENTICATED', 'the token is not valid, or has expired', 401);
    }
  }

  async generateToken(userProfile: UserProfile): Promise<string> {
    // Whole seconds could not tell a token from one that was revoked in the same second.
    const iat = Date.now() / 1000;
    // Two sessions of one person never share a token: revoking one must not end the other.
    const jti = randomUUID();
    const claims = {id: userProfile[securityId], ...userProfile, iat, jti};
    const expiresIn = this.expiresIn as SignOptions['expiresIn'];
    return sign(claims, this.secret, {algorithm: 'HS256', expiresIn});
  }
}

/** The default token service as the configuration has it; none without `jwt.secret`. */
export class JwtTokenServiceProvider implements Provider<TokenService | undefined> {
  constructor(
    @config({fromBinding: LiveEntitiesBindings.REALTIME})
    private readonly realtimeConfig: RealtimeConfig = {},
  ) {}

  value(): TokenService | undefined {
    const {jwt} = this.realtimeConfig;
    return jwt && new JwtTokenService(jwt.secret, jwt.expiresIn);
  }
}
