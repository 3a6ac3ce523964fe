import type {IncomingMessage} from 'node:http';
import type {Filter} from '@loopback/repository';
import type {UserProfile} from '@loopback/security';
import type {
  AccessFilter as CoreFilter,
  AccessRequest as CoreRequest,
  LoginService as CoreLoginService,
} from '../../core/access';
import type {ChangeFeed} from '../../core/ports';
import type {ViewContext} from '../../core/view';

/** What an access filter is asked to judge; see {@link AccessFilter}. */
export type AccessRequest = CoreRequest<UserProfile>;

/** An access filter in LoopBack's interceptor shape; the principal is LoopBack's user profile. */
export type AccessFilter = CoreFilter<UserProfile>;

/** A view's parameters: those of the entity's properties that a client gives, or null. */
export type ViewParams<T extends object> = {readonly [K in keyof T]?: T[K] | null};

/**
 * A named, parameterised, ordered part of an entity's rows that clients can watch.
 *
 * @example
 * ```ts
 * const lowStockView: RealtimeView<Product> = {
 *   paramFields: ['category', 'qty'],
 *   primaryKeys: ['category'],
 *   transform: ({category, qty}) => ({where: {category, qty: {lte: qty}}, order: ['qty ASC']}),
 * };
 * ```
 */
export interface RealtimeView<T extends object> {
  /** Parameters that a client gives. Others are dropped, missing ones are null. Default: none. */
  readonly paramFields?: readonly (keyof T & string)[];
  /** Further properties that decide about rows or order. Checked at start-up when given. */
  readonly affectingFields?: readonly (keyof T & string)[];
  /** Parameters that the view's rows share by equality. Checked at start-up when given. */
  readonly primaryKeys?: readonly (keyof T & string)[];
  /** Makes the view's filter: where, order, fields, limit, offset, include. */
  // A method, so that a literal such as `{qty: {lte: qty}}` with a nullable parameter is accepted.
  transform(params: Required<ViewParams<T>>, context: ViewContext): ViewFilterOf<T>;
  /** Read, but not kept live. Default false. */
  readonly disableRealtime?: boolean;
}

/** LoopBack's filter, with null allowed where a parameter may be missing. */
export type ViewFilterOf<T extends object> = Pick<
  Filter<T>,
  'order' | 'fields' | 'limit' | 'offset' | 'skip' | 'include'
> & {readonly where?: object};

/**
 * What makes an entity live: its views, and who may see and do what.
 *
 * @typeParam T - The entity
 */
export interface RealtimeDefinition<T extends object> {
  readonly views?: Readonly<Record<string, RealtimeView<T>>>;
  readonly filters?: {
    /** Before anything is fetched. */
    readonly pre?: AccessFilter | readonly AccessFilter[];
    /** With the row concerned; for reads it may change what is sent. */
    readonly post?: AccessFilter | readonly AccessFilter[];
  };
  /**
   * Names those who see the same rows. Default: everybody without a post filter; with one, each
   * connection for itself.
   */
  audience?(who: UserProfile | undefined): string;
  /**
   * The rows that somebody may reach, as a where: it is and-ed with every query, view and count,
   * over sockets and the generated REST controllers alike, included relations too. Undefined stands
   * for all rows. What the application itself does with the repository is not concerned.
   *
   * - A scope needs to know who asks: nobody signed in, nothing done (`NOT_AUTHENTICATED`, 401).
   * - A condition without a value, as when `who.tenantId` is missing, refuses the call
   *   (`CRUD_BLOCKED`, 403), and so does an empty condition. A property that the entity lacks is an
   *   error.
   * - A row outside the scope does not exist: reading, writing or restoring it by id, its history
   *   and its differences are answered by 404. Of a row within, past states that are outside do not
   *   exist either: lists of history leave them out, and they cannot be reverted to.
   * - A write whose row would be outside is refused (403), a create included, which therefore has
   *   to name what the scope compares, unless a behaviour or a default sets it. Where only the
   *   database could tell (order of text, JSON), the write is refused, too. A bulk change
   *   may not name what the scope compares.
   *
   * The row is looked at before it is written: where entities have no version, one that changes
   * hands in that very moment can still be written by those who had it.
   */
  scope?(who: UserProfile): object | undefined;
}

/**
 * Checks credentials for the socket's `login`.
 *
 * Bind a class that implements it at `LiveEntitiesBindings.LOGIN_SERVICE`.
 */
export type LoginService = CoreLoginService<UserProfile>;

/** Limits; a call beyond them is refused with `LIMIT_EXCEEDED` unless it says otherwise. */
export interface RealtimeLimits {
  /** Pages and rows watched on one connection. Default 100. */
  readonly subscriptionsPerSocket?: number;
  /**
   * Rows up to the end of each page watched on one connection, all together: the server holds those
   * before a page, too. Default 100,000.
   */
  readonly rowsPerSocket?: number;
  /** Calls of one connection; beyond, they are refused with `RATE_LIMITED`. Default 200. */
  readonly opsPerSecond?: number;
  /** Calls of one connection that wait for their answer; `RATE_LIMITED` beyond. Default 500. */
  readonly callsAtOnce?: number;
  /** Bytes of one message from a client; a longer one ends the connection. Default 100,000. */
  readonly payloadBytes?: number;
  /** Levels that a request nests. Default 32. */
  readonly depth?: number;
  /** Characters of a view's parameters, as JSON. Default 10,000. */
  readonly viewParams?: number;
  /** Rows before a page. Default 10,000. */
  readonly offset?: number;
  /** Bytes that may wait for a client that does not read; beyond, it is cut off. Default 4 MiB. */
  readonly bufferedBytes?: number;
  /**
   * Bytes waiting for a client from which on its changes are put together: it gets nothing until it
   * has read what waits, and then one message with what is new. Default 64 KiB.
   */
  readonly slowBytes?: number;
  /** Connections from one address; `TOO_MANY_CONNECTIONS` beyond. Default: no limit. */
  readonly connectionsPerAddress?: number;
  /**
   * Failed logins in five minutes of one connection, and of one name from one address; ten times
   * as many of one address and of one name. `TOO_MANY_ATTEMPTS` beyond. Those that are under
   * way count too, and attempts beyond wait until these are answered. Default 10.
   */
  readonly loginAttempts?: number;
  /** Views kept live at the same time, for all clients; `SERVER_BUSY` beyond. Default 50,000. */
  readonly windows?: number;
  /**
   * Rows held for all views together, included ones too. Beyond it, a new view is refused with
   * `SERVER_BUSY` unless one that nobody watches can make room; those that are watched go on.
   * Default 1,000,000.
   */
  readonly rows?: number;
}

/** The page of `@socket.io/admin-ui`, which shows connections, rooms and events. */
export interface AdminUiConfig {
  /** Who may look. The password is a bcrypt hash. */
  readonly auth: {readonly username: string; readonly password: string};
  /** The namespace that the page connects to. Default `/admin`. */
  readonly namespace?: string;
  /** False: the page may disconnect clients and move them between rooms. Default true. */
  readonly readonly?: boolean;
  /** `'development'` sends every event to the page. Default `'production'`: counts alone. */
  readonly mode?: 'development' | 'production';
}

/** Configuration of `LiveEntitiesBindings.REALTIME`. */
export interface RealtimeConfig {
  /** Path of the socket on the REST server's port. Default `/realtime`. */
  readonly path?: string;
  /** Origins that browsers may connect from. Default: the server's own. */
  readonly cors?: {readonly origin: string | string[] | boolean; readonly credentials?: boolean};
  readonly logger?: {
    warn(message: string, error?: unknown): void;
    error(message: string, error?: unknown): void;
    info?(message: string): void;
  };
  /** Rows of a page when the client says nothing. Default 10. */
  readonly defaultPageSize?: number;
  /** Default 1000. */
  readonly maxPageSize?: number;
  /** True: a page that nobody watches any more is forgotten at once. Default false. */
  readonly cacheDisabled?: boolean;
  /** Milliseconds that an unwatched page is kept live for those who come back. Default 10,000. */
  readonly cacheDuration?: number;
  /** Refuse what no `pre` filter allows. Default false. */
  readonly blockPreByDefault?: boolean;
  /** Refuse what no `post` filter allows. Default false. */
  readonly blockPostByDefault?: boolean;
  /**
   * Where changes come from.
   *
   * - `'postgres'`: the log of the database. It has everything, whoever wrote it; where the server
   *   or the role does not allow it, the application does not start.
   * - `'repository'`: the repositories of this process, on any connector.
   * - `'auto'`: the feed bound at `LiveEntitiesBindings.CHANGE_FEED` if there is one; else
   *   `'postgres'` where it is possible and `'repository'` where it is not, as with operation hooks
   *   that see reads, which is logged.
   * - A feed of your own.
   *
   * Default `'auto'`.
   */
  readonly feed?: 'auto' | 'repository' | 'postgres' | ChangeFeed;
  readonly limits?: RealtimeLimits;
  /** Milliseconds that one access filter may take; one that hangs refuses. Default 5,000. */
  readonly filterTimeout?: number;
  /**
   * The address of a client, for limits by address. Behind a proxy that can be trusted, for
   * instance `request => String(request.headers['x-real-ip'])`. Default: that of the connection.
   */
  addressOf?(request: IncomingMessage): string;
  /** Lets `@socket.io/admin-ui` look at the sockets. Default: off. */
  readonly adminUi?: AdminUiConfig;
  /** For the default token service: signs and checks the tokens of `login`. */
  readonly jwt?: {
    readonly secret: string;
    /** Seconds, or a text such as `'8h'`. Default `'8h'`. */
    readonly expiresIn?: string | number;
  };
  /**
   * Compares kept pages with the database, one each `interval` milliseconds, by reading it again at
   * a snapshot. One that is wrong is counted, logged and read anew. For the `postgres` feed.
   * Default: off.
   */
  readonly audit?: {readonly interval: number};
  /** False: no socket at all, for instance in a process that only writes. Default true. */
  readonly enabled?: boolean;
}
