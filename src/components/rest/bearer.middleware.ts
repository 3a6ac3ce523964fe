import {inject, injectable, type Provider} from '@loopback/core';
import {asMiddleware, RestMiddlewareGroups, type Middleware} from '@loopback/rest';
import {SecurityBindings} from '@loopback/security';
import {LiveEntitiesBindings} from '../../keys';
import type {SessionService} from '../realtime/session.service';

const BEARER = /^Bearer\s+(\S+)$/i;

/**
 * Binds the user of a request that carries a bearer token, so that access filters and audit fields
 * know who asks. A request without one passes as nobody's; one with a token that is not valid is
 * refused with 401. Applications that authenticate by other means keep doing so: where a user is
 * bound already, nothing is done.
 */
@injectable(
  asMiddleware({
    group: RestMiddlewareGroups.AUTHENTICATION,
    upstreamGroups: [RestMiddlewareGroups.FIND_ROUTE, RestMiddlewareGroups.CORS],
    downstreamGroups: [RestMiddlewareGroups.PARSE_PARAMS, RestMiddlewareGroups.INVOKE_METHOD],
  }),
)
export class BearerMiddlewareProvider implements Provider<Middleware> {
  constructor(
    @inject(LiveEntitiesBindings.SESSIONS) private readonly sessions: SessionService,
  ) {}

  value(): Middleware {
    return async (context, next) => {
      const token = BEARER.exec(context.request.headers.authorization ?? '')?.[1];
      const isOpen = token && !context.isBound(SecurityBindings.USER);
      if (isOpen && (await this.sessions.takesTokens())) {
        const {principal} = await this.sessions.authenticate(token, context.request);
        context.bind(SecurityBindings.USER).to(principal);
      }
      return next();
    };
  }
}
