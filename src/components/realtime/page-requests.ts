import {Context} from '@loopback/core';
import {SecurityBindings, type UserProfile} from '@loopback/security';
import type {AccessGuard, AccessQuery, AccessRequest} from '../../core/access';
import {audienceOf, queryKey, sharedRequest} from '../../core/audience';
import type {Audience} from '../../core/channel';
import {CRUDBlockedError, LiveEntityError} from '../../core/errors';
import {parseWhere} from '../../core/filter';
import type {Subscription} from '../../core/hub';
import {restrictIncludes} from '../../core/include';
import type {Include, ViewQuery} from '../../core/query';
import {resolveRow, resolveView, type ResolvedView, type ViewDefinition} from '../../core/view';
import type {LiveRef, ViewPageRef} from '../../protocol/messages';
import type {Row} from '../../protocol/page';
import {reportMistake} from './filter-mistakes';
import {accessRequest, enter, type LiveCall} from './live-call';
import type {RealtimeEntity} from './realtime-entity';
import {withRelated, type RelatedAudience} from './related-audience';

export interface PageRequestOptions {
  readonly entities: ReadonlyMap<string, RealtimeEntity>;
  readonly guard: AccessGuard;
  readonly defaultPageSize: number;
  readonly maxPageSize: number;
  readonly maxOffset: number;
  readonly viewParamsBytes: number;
  /** Of the application; what is pushed is rendered in a context of its own below it. */
  readonly context: Context;
  readonly logger: {warn(message: string, error?: unknown): void};
}

/** Makes of what a client asks for what the hub keeps: checked, scoped, for one audience. */
export class PageRequests {
  constructor(private readonly options: PageRequestOptions) {}

  /** Checks who asks and for what, and says what the hub shall keep for them. */
  async subscriptionFor(
    call: LiveCall,
    entity: RealtimeEntity,
    ref: LiveRef,
    action: 'subscribe' | 'read',
  ): Promise<Subscription> {
    const isView = 'view' in ref;
    const page = isView ? this.pageOf(ref) : {offset: 0, size: 1};
    const counts = isView && Boolean(ref.getCount);
    const query = isView ? this.viewQuery(entity, ref, page, counts) : rowQuery(entity, ref);
    const access = await enter(this.options.guard, call, action, query);
    const view = this.resolve(call, entity, query, action);
    const fields = entity.fieldsFor(ref.fields, view.fields);
    const span = {base: view.base, cap: view.cap, ...page};
    // A row on a page is read, whether the page is watched or asked for once.
    const own = this.audienceFor(call, entity, {...access, action: 'read'}, fields);
    const audience = withRelated(own, await this.relatedFor(call, view.query.includes));
    return {query: this.scoped(call, view.query), span, counts, fields, audience};
  }

  /** Included rows are read as their own entity's, through its filters. */
  private async relatedFor(
    call: LiveCall,
    includes: readonly Include[] = [],
  ): Promise<readonly RelatedAudience[]> {
    const related: RelatedAudience[] = [];
    for (const include of includes) {
      const entity = this.options.entities.get(include.query.entity)!;
      const access = accessRequest(call, 'read', {type: entity.name});
      await this.options.guard.beforeIncluding(access);
      const own = this.audienceFor(call, entity, access, entity.fieldsFor(include.fields));
      const inner = await this.relatedFor(call, include.query.includes);
      related.push({include, audience: withRelated(own, inner)});
    }
    return related;
  }

  /** Included rows are those within the scope of their entity. */
  private scoped(call: LiveCall, query: ViewQuery): ViewQuery {
    return restrictIncludes(query, name => {
      const scope = this.options.guard.scope(name, call.session.principal);
      return scope && parseWhere(scope.where, this.options.entities.get(name)!.shape);
    });
  }

  private viewQuery(
    entity: RealtimeEntity,
    ref: ViewPageRef,
    {offset, size}: {offset: number; size: number},
    getCount: boolean,
  ): AccessQuery {
    const viewParams = this.paramsOf(entity, ref);
    return {type: ref.type, view: ref.view, viewParams, offset, pageSize: size, getCount};
  }

  /**
   * The declared parameters, missing ones null. An object would be taken for an operator: who may
   * ask for `{category: 'c1'}` must not get `{category: {neq: 'c1'}}`.
   */
  private paramsOf(entity: RealtimeEntity, {view, viewParams = {}}: ViewPageRef): Row {
    const {viewParamsBytes} = this.options;
    if (JSON.stringify(viewParams).length > viewParamsBytes) {
      const message = `the parameters of a view have at most ${viewParamsBytes} characters`;
      throw new LiveEntityError('LIMIT_EXCEEDED', message);
    }
    const params: Record<string, unknown> = {};
    for (const name of (entity.view(view) as ViewDefinition).paramFields ?? []) {
      const value = Object.hasOwn(viewParams, name) ? (viewParams[name] ?? null) : null;
      if (!isPlainValue(value)) {
        const message = `the parameter ${name} of ${entity.name}.${view} is a value or a list`;
        throw new LiveEntityError('VIEW_QUERY_UNSUPPORTED', message);
      }
      params[name] = value;
    }
    return params;
  }

  private resolve(
    call: LiveCall,
    entity: RealtimeEntity,
    query: AccessQuery,
    action: 'subscribe' | 'read',
  ): ResolvedView {
    const scope = this.options.guard.scope(entity.name, call.session.principal)?.where;
    if (query.view === undefined) return resolveRow(entity.shape, query.id!, scope);
    const view = entity.view(query.view);
    if (action === 'subscribe' && view.disableRealtime) {
      const message = `${entity.name}.${query.view} is not live`;
      throw new LiveEntityError('VIEW_QUERY_UNSUPPORTED', message);
    }
    return resolveView(entity.shape, view, query.viewParams, scope, new Date());
  }

  private pageOf({pageOffset = 0, pageSize}: ViewPageRef): {offset: number; size: number} {
    const {defaultPageSize, maxPageSize, maxOffset} = this.options;
    const size = pageSize ?? defaultPageSize;
    if (size < 1 || size > maxPageSize) {
      throw new LiveEntityError('LIMIT_EXCEEDED', `a page has 1 to ${maxPageSize} rows`);
    }
    if (pageOffset > maxOffset) {
      throw new LiveEntityError('LIMIT_EXCEEDED', `a page begins by row ${maxOffset}`);
    }
    return {offset: pageOffset, size};
  }

  /** Those with the same key share a room, so the key says everything that rendering depends on. */
  private audienceFor(
    {session}: LiveCall,
    entity: RealtimeEntity,
    access: AccessRequest,
    fields: readonly string[] | undefined,
  ): Audience {
    const rule = entity.definition.audience;
    if (!this.options.guard.hasPost(entity.name)) {
      const key = `audience ${rule?.(session.principal) ?? ''}`;
      return {key, isPrivate: false, render: image => entity.revealed(image, fields)};
    }
    if (!rule) {
      const render = this.filtered(entity, access, fields);
      // A filter can go by the view, too: two views of one query are rendered each for itself.
      const key = `connection ${session.id} ${queryKey(access.query)}`;
      return {key, isPrivate: true, render};
    }
    const {key, principal} = audienceOf(who => rule(who), session.principal);
    const render = this.filtered(entity, sharedRequest(access, principal), fields);
    return {key: `audience ${key} ${queryKey(access.query)}`, isPrivate: false, render};
  }

  /** Rows as the `post` filters leave them, on behalf of the given request. */
  private filtered(
    entity: RealtimeEntity,
    access: AccessRequest,
    fields: readonly string[] | undefined,
  ): Audience['render'] {
    const {guard, logger} = this.options;
    // Rows are pushed long after the call is over, and its context with it.
    const context = new Context(this.options.context, 'live-channel');
    const principal = access.principal as UserProfile | undefined;
    if (principal) context.bind(SecurityBindings.USER).to(principal);
    const pushed = {...access, context};
    return async image => {
      try {
        const row = await guard.after(pushed, await entity.revealed(image, undefined));
        return entity.project(row, fields);
      } catch (error) {
        if (!(error instanceof CRUDBlockedError)) throw error;
        reportMistake(logger, entity.name, error);
        return undefined;
      }
    };
  }
}

function rowQuery(entity: RealtimeEntity, ref: {type: string; id: string | number}): AccessQuery {
  return {type: ref.type, id: entity.idOf(ref.id)};
}

function isPlainValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(item => item === null || typeof item !== 'object');
  return value === null || typeof value !== 'object';
}
