import {setTimeout} from 'node:timers/promises';
import type {Row} from '../protocol/page';
import {CRUDBlockedError} from './errors';
import {scopeFor, type Scope, type ScopeRule} from './scope';

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
}

/** Milliseconds that a filter may take; one that hangs refuses. */
const PATIENCE = 5000;

/**
 * Runs one filter.
 *
 * @throws CRUDBlockedError when the filter does not let the call pass. An error of the filter's own
 * that carries a `statusCode` keeps it; its message is what the caller reads.
 */
export async function runFilter(
  type: 'pre' | 'post',
  filter: AccessFilter,
  request: AccessRequest,
  patience = PATIENCE,
): Promise<void> {
  let passed = false;
  let called = false;
  let failure: unknown;
  let settle: () => void = () => undefined;
  const nextCalled = new Promise<void>(resolve => (settle = resolve));
  const next: Next = error => {
    called = true;
    if (error) failure = error;
    else passed = true;
    settle();
  };
  const timer = new AbortController();
  try {
    const outcome = filter(request, next);
    // A filter in the callback style answers nothing and calls `next` when it is ready.
    const done = isThenable(outcome) ? outcome : called ? undefined : nextCalled;
    if (done) {
      await Promise.race([
        done,
        setTimeout(patience, undefined, {signal: timer.signal, ref: false}).catch(() => undefined),
      ]);
    }
  } catch (error) {
    failure = error ?? new Error('the access filter threw nothing');
  } finally {
    timer.abort();
  }
  if (failure) throw blockedBy(type, failure);
  if (!passed) throw new CRUDBlockedError(type, `the ${type} filter did not let this pass`);
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
   * Runs the `post` filters on a row and answers what may be seen of it; the row that came in is
   * not touched.
   * @throws CRUDBlockedError
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
    for (const filter of filters) await runFilter('pre', filter, request);
  }

  async after(request: AccessRequest, row: Row): Promise<Row> {
    const filters = this.options.filters.get(request.query.type)?.post ?? [];
    if (filters.length === 0 && this.options.blockPostByDefault) {
      throw new CRUDBlockedError('post', `${request.query.type} has no filter that allows this`);
    }
    if (filters.length === 0) return row;
    const asked: AccessRequest = {...request, resource: structuredClone({...row})};
    for (const filter of filters) await runFilter('post', filter, asked);
    return asked.resource ?? {};
  }

  hasPost(entity: string): boolean {
    const filters = this.options.filters.get(entity)?.post ?? [];
    return filters.length > 0 || Boolean(this.options.blockPostByDefault);
  }

  scope(entity: string, principal: unknown): Scope | undefined {
    const rule = this.options.scopes?.get(entity);
    return rule && scopeFor(rule, principal);
  }
}
