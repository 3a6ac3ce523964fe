import {
  globalInterceptor,
  inject,
  type Interceptor,
  type InvocationContext,
  type Next,
  type Provider,
} from '@loopback/core';
import {LiveEntitiesBindings, type LiveSessions} from 'loopback4-live-entities';

/** Over REST and over the socket. */
const CHANGES_A_USER = /^User(Live)?Controller\.prototype\.(update|replace|delete)/;

/** Lets a change of somebody's role hold at once, for the pages that they have open too. */
@globalInterceptor('roles')
export class FreshRolesInterceptor implements Provider<Interceptor> {
  constructor(@inject(LiveEntitiesBindings.SESSIONS) private readonly sessions: LiveSessions) {}

  value(): Interceptor {
    return async (invocation: InvocationContext, next: Next) => {
      const result: unknown = await next();
      if (CHANGES_A_USER.test(invocation.targetName)) await this.sessions.refresh();
      return result;
    };
  }
}
