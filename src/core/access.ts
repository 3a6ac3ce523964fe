import {setTimeout} from 'node:timers/promises';
import type {Row} from '../protocol/page';
import {CRUDBlockedError} from './errors';
import {scopeFor, type Scope, type ScopeRule} from './scope';
import {travelling} from './travelling';

export type AccessAction = 'create' | 'read' | 'update' | 'delete' | 'subscribe';

/** What a call is about. Which properties are there depends on the call. */
export interface AccessQuery {
  readonly type: string;
  readonly id?: string | number;
  readonly field?: string;
  readonly view?: string;
  readonly viewParams?: Row;
  readonly offset?: number;
  readonly pageSize?: number;
  readonly getCount?: boolean;
  readonly value?: unknown;
}

/** What an access filter is asked to judge. */
export interface AccessRequest<P = unknown> {
  /** Who asks; undefined when nobody is signed in. */
  readonly principal: P | undefined;
  readonly source: 'rest' | 'socketio';
  /** The Socket.IO socket, for calls over a socket. */
  readonly socket?: unknown;
  /** The LoopBack context of the call. */
  readonly context: unknown;
  readonly action: AccessAction;
  readonly query: AccessQuery;
  /**
   * For `post` filters: the row concerned. For reads it is a copy that the filter may change or
   * cut; for writes it is the row before the write (for a create, the row to be).
   */
  resource?: Record<string, unknown>;
}

/** Lets the call pass; with an error, blocks it. */
export type Next = (error?: unknown) => unknown;

/**
 * An access filter. `next()` lets the call pass; throwing, `next(error)`, or not calling `next`
 * blocks it.
 *
 * @example
 * ```ts
 * const mustBeLoggedIn: AccessFilter = (req, next) => {
 *   if (!req.principal) throw new Error('Please sign in first.');
 *   return next();
 * };
 * ```
 */
export type AccessFilter<P = unknown> = (req: AccessRequest<P>, next: Next) => unknown;

/** Checks the credentials of a login. */
export interface LoginService<P = unknown> {
  /**
   * Answers who it is. The profile goes into the token, so keep it small and without secrets.
   * Throw an error with `statusCode` 401 for wrong credentials.
   */
  login(credentials: Row): Promise<P>;
  /**
   * Who that is by now, asked whenever a token is taken: at a handshake, `authenticate` and
   * `renew`, by REST's bearer token, and at `LiveSessions.refresh`. What it answers is who calls;
   * `undefined` refuses the token. Without it, a profile is worth as long as its token.
   */
  current?(who: P): Promise<P | undefined>;
}

/** Whose sessions are meant: all of a person's, or the one of a token. */
export type SessionRef = {readonly userId: string} | {readonly token: string};

/** A session as its person is told of it. */
export interface SessionPass {
  readonly token: string;
  readonly user: Row;
  /** Milliseconds since 1970; absent when the token does not say. */
  readonly expiresAt?: number;
}

/** The sessions of this process, as an application begins, ends and changes them. */
export interface LiveSessions {
  /**
   * Signs in by the bound `LoginService`, for instance in a REST controller: failed attempts count
   * together with those over sockets.
   *
   * @param from Where the attempt comes from, such as `request.ip`
   * @throws LiveEntityError `LOGIN_FAILED` (401), or `TOO_MANY_ATTEMPTS` (429)
   */
  login(credentials: Row, from: {readonly address: string}): Promise<SessionPass>;
  /**
   * Ends sessions at once: what is watched is taken away, and the clients are asked to log in. The
   * tokens, all that the person has had until now, are refused from here on by this process, over
   * sockets and REST. What must outlive it is for the token service or `LoginService.current`.
   */
  revoke(whose: SessionRef): void;
  /**
   * Asks anew who the person is by now, after a change of role for instance. Connections whose
   * profile has changed go on as the new one, what was watched is taken away first; those whose
   * token is not valid any more end. Resolves when all have been judged.
   *
   * @param userId whose connections; everybody's when left out
   */
  refresh(userId?: string): Promise<void>;
}

/** Milliseconds that a filter may take unless the application says otherwise. */
export const FILTER_TIMEOUT = 5000;

/**
 * Runs one filter.
 *
 * @param patience Milliseconds that it may take. One that hangs refuses, even if it has called
 * `next` already: what it was about to mask is not masked yet.
 * @throws CRUDBlockedError when the filter does not let the call pass. An error of the filter's own
 * that carries a `statusCode` keeps it; its message is what the caller reads.
 */
export async function runFilter(
  type: 'pre' | 'post',
  filter: AccessFilter,
  request: AccessRequest,
  patience = FILTER_TIMEOUT,
): Promise<void> {
  let passed = false;
  let failure: unknown;
  let settle: () => void = () => undefined;
  const nextCalled = new Promise<void>(resolve => (settle = resolve));
  const next: Next = error => {
    if (error) failure = error;
    else passed = true;
    settle();
  };
  try {
    const outcome = filter(request, next);
    const isSettled = passed || failure !== undefined;
    // A filter in the callback style answers nothing and calls `next` when it is ready.
    const done = isThenable(outcome) ? outcome : isSettled ? undefined : nextCalled;
    if (done && (await isLate(done, patience))) {
      throw new Error(`the ${type} filter did not answer in time`);
    }
  } catch (error) {
    failure = error ?? new Error('the access filter threw nothing');
  }
  if (failure) throw blockedBy(type, failure);
  if (!passed) throw new CRUDBlockedError(type, `the ${type} filter did not let this pass`);
}

async function isLate(done: PromiseLike<unknown>, patience: number): Promise<boolean> {
  const timer = new AbortController();
  const late = setTimeout(patience, true, {signal: timer.signal, ref: false}).catch(() => true);
  try {
    return await Promise.race([done.then(() => false), late]);
  } finally {
    timer.abort();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}

function blockedBy(type: 'pre' | 'post', failure: unknown): CRUDBlockedError {
  if (failure instanceof CRUDBlockedError) return failure;
  const {message, statusCode, status} = failure as {
    message?: unknown;
    statusCode?: unknown;
    status?: unknown;
  };
  const code = Number(statusCode ?? status);
  const isHttp = Number.isInteger(code) && code >= 400 && code < 600;
  const text = typeof message === 'string' && message ? message : 'this is not allowed';
  const blocked = new CRUDBlockedError(type, text, isHttp ? code : 403);
  blocked.cause = failure;
  return blocked;
}

/** The access filters and scopes of all entities, as REST and socket calls ask for them. */
export interface AccessGuard {
  /**
   * Runs the `pre` filters, before anything is fetched.
   * @throws CRUDBlockedError
   * @throws LiveEntityError `NOT_AUTHENTICATED` (401) when the entity has a scope and nobody is
   * signed in
   */
  before(request: AccessRequest): Promise<void>;
  /**
   * The same for an entity whose rows a call includes, although it is not the one that was called:
   * what stands before its own calls stands here too.
   * @throws what {@link before} throws, and the error by which LoopBack's own guards refuse
   */
  beforeIncluding(request: AccessRequest): Promise<void>;
  /**
   * Runs the `post` filters on a row and answers what may be seen of it, as JSON carries it; the
   * row that came in is not touched.
   * @throws CRUDBlockedError also where the filters leave something that JSON cannot carry
   */
  after(request: AccessRequest, row: Row): Promise<Row>;
  /** Whether `post` filters (or their being demanded) concern this entity at all. */
  hasPost(entity: string): boolean;
  /**
   * The part of the entity's rows that a person may reach; undefined when they may reach all.
   * @throws LiveEntityError `NOT_AUTHENTICATED` (401) when there is a scope and nobody is signed in
   * @throws CRUDBlockedError when the person lacks what the scope needs
   */
  scope(entity: string, principal: unknown): Scope | undefined;
}

export interface EntityFilters {
  readonly pre: readonly AccessFilter[];
  readonly post: readonly AccessFilter[];
}

export interface GuardOptions {
  readonly filters: ReadonlyMap<string, EntityFilters>;
  readonly scopes?: ReadonlyMap<string, ScopeRule>;
  readonly blockPreByDefault?: boolean;
  readonly blockPostByDefault?: boolean;
  /** Milliseconds that one filter may take. Default 5,000. */
  readonly filterTimeout?: number;
  /** Refuses, by throwing, what a call of the entity itself would be refused before any filter. */
  readonly authorize?: (request: AccessRequest) => Promise<void>;
}

/** The guard over fixed tables. Where a filter is demanded and missing, it refuses. */
export class FilterGuard implements AccessGuard {
  constructor(private readonly options: GuardOptions) {}

  async before(request: AccessRequest): Promise<void> {
    this.scope(request.query.type, request.principal);
    const filters = this.options.filters.get(request.query.type)?.pre ?? [];
    if (filters.length === 0 && this.options.blockPreByDefault) {
      throw new CRUDBlockedError('pre', `${request.query.type} has no filter that allows this`);
    }
    for (const filter of filters) await this.run('pre', filter, request);
  }

  async beforeIncluding(request: AccessRequest): Promise<void> {
    await this.options.authorize?.(request);
    await this.before(request);
  }

  async after(request: AccessRequest, row: Row): Promise<Row> {
    const filters = this.options.filters.get(request.query.type)?.post ?? [];
    if (filters.length === 0 && this.options.blockPostByDefault) {
      throw new CRUDBlockedError('post', `${request.query.type} has no filter that allows this`);
    }
    if (filters.length === 0) return row;
    const asked: AccessRequest = {...request, resource: structuredClone({...row})};
    for (const filter of filters) {
      await this.run('post', filter, asked);
      // Taking all of it away is another way to say that it may not be seen.
      if (!asked.resource) throw new CRUDBlockedError('post', 'the post filter leaves nothing');
    }
    try {
      return travelling(asked.resource);
    } catch (cause) {
      throw blockedBy('post', new TypeError('a post filter leaves what cannot travel', {cause}));
    }
  }

  /** Whether there is anything that could refuse a call of the entity. */
  mayRefuse(entity: string): boolean {
    const {filters, blockPreByDefault} = this.options;
    const pre = filters.get(entity)?.pre ?? [];
    const refuses = pre.length > 0 || Boolean(blockPreByDefault) || this.hasPost(entity);
    return refuses || this.hasScope(entity);
  }

  hasScope(entity: string): boolean {
    return Boolean(this.options.scopes?.has(entity));
  }

  hasPost(entity: string): boolean {
    const filters = this.options.filters.get(entity)?.post ?? [];
    return filters.length > 0 || Boolean(this.options.blockPostByDefault);
  }

  private run(type: 'pre' | 'post', filter: AccessFilter, request: AccessRequest): Promise<void> {
    return runFilter(type, filter, request, this.options.filterTimeout);
  }

  scope(entity: string, principal: unknown): Scope | undefined {
    const rule = this.options.scopes?.get(entity);
    return rule && scopeFor(rule, principal);
  }
}
