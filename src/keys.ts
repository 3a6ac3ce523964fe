import type {AuthenticationStrategy, TokenService} from '@loopback/authentication';
import {BindingKey} from '@loopback/core';
import type {UserProfile} from '@loopback/security';
import type {AccessGuard, LiveSessions, LoginService} from './core/access';
import type {HubCounters} from './core/counters';
import type {ChangeFeed} from './core/ports';
import type {LiveStatus} from './core/status';

/** The live side as an application, health checks and metrics see it. */
interface LiveSide {
  /** Undefined before it has started and after it has stopped. */
  readonly status: LiveStatus | undefined;
  /** What happened since the start, and what is there; undefined as `status`. */
  readonly counters: HubCounters | undefined;
  /** Says that rows were written by somebody whom the feed does not see. */
  notifyUpdate(notice: {
    readonly type: string;
    readonly ids: string | number | readonly (string | number)[] | 'all';
  }): Promise<void>;
}

/** Names under which an application configures and extends the package. */
export namespace LiveEntitiesBindings {
  /** The component; its configuration holds defaults for the whole application. */
  export const COMPONENT = BindingKey.create<object>('components.LiveEntitiesComponent');

  /** Configuration of encryption: keys, which one is current, how to read what is older. */
  export const CRYPTO = BindingKey.create<object>('loopback4-live-entities.crypto');

  /** A provider of data keys, in place of keys in the configuration. */
  export const KEY_PROVIDER = BindingKey.create<object>('loopback4-live-entities.key-provider');

  /** Configuration of live views and their transport: a `RealtimeConfig`. */
  export const REALTIME = BindingKey.create<object>('loopback4-live-entities.realtime');

  /** The running live side: `status` tells how the feeds are, `notifyUpdate` takes hints. */
  export const REALTIME_SERVER = BindingKey.create<LiveSide>(
    'loopback4-live-entities.realtime-server',
  );

  /** What time it is, for audit fields. Default: the machine's clock. */
  export const CLOCK = BindingKey.create<() => Date>('loopback4-live-entities.clock');

  /** Told of the rows that a repository has written, before and after. */
  export const CHANGE_PUBLISHER = BindingKey.create<object>(
    'loopback4-live-entities.change-publisher',
  );

  /**
   * Where changes of live rows come from, when `feed` is `'auto'`. Its changes are hints: pages
   * that they may concern are read anew. No default.
   */
  export const CHANGE_FEED = BindingKey.create<ChangeFeed>('loopback4-live-entities.change-feed');

  /** Runs the access filters of `@realtime`, for sockets and generated REST controllers. */
  export const ACCESS_GUARD = BindingKey.create<AccessGuard>(
    'loopback4-live-entities.access-guard',
  );

  /** Checks the credentials of the socket's `login`. No default. */
  export const LOGIN_SERVICE = BindingKey.create<LoginService<UserProfile>>(
    'loopback4-live-entities.login-service',
  );

  /** Makes and checks tokens. Default: JSON Web Tokens with `jwt.secret` of the configuration. */
  export const TOKEN_SERVICE = BindingKey.create<TokenService>(
    'loopback4-live-entities.token-service',
  );

  /**
   * Checks tokens in place of the token service, for sockets and REST: any strategy of
   * `@loopback/authentication`. It is given the request with the token as its bearer. No default.
   */
  export const AUTHENTICATION_STRATEGY = BindingKey.create<AuthenticationStrategy>(
    'loopback4-live-entities.authentication-strategy',
  );

  /** Ends sessions, and has them judged anew, while people are connected. */
  export const SESSIONS = BindingKey.create<LiveSessions>('loopback4-live-entities.sessions');
}
