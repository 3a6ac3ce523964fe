import {Context} from '@loopback/core';
import type {Entity} from '@loopback/repository';
import {SecurityBindings, type UserProfile} from '@loopback/security';
import type {AccessAction, AccessGuard, AccessQuery, AccessRequest} from '../../core/access';
import type {Audience} from '../../core/channel';
import {CRUDBlockedError, LiveEntityError} from '../../core/errors';
import type {Member, Subscription} from '../../core/hub';
import type {Scope} from '../../core/scope';
import {resolveRow, resolveView, type ResolvedView} from '../../core/view';
import type * as wire from '../../protocol/messages';
import type {Row} from '../../protocol/page';
import {RealtimeEntity, writeOptions, type LiveRepository} from './realtime-entity';
import type {RowValidator} from './validate';

/** One connection and who is signed in on it. */
export interface LiveSession {
  readonly id: string;
  readonly member: Member;
  readonly socket: unknown;
  readonly principal: UserProfile | undefined;
}

/** One call of a session: its context has the user bound and lives as long as the call. */
export interface LiveCall {
  /** Kept in the history as the request's id. */
  readonly id: string;
  readonly session: LiveSession;
  readonly context: Context;
}

export interface LiveServiceOptions {
  readonly entities: ReadonlyMap<string, RealtimeEntity>;
  readonly guard: AccessGuard;
  readonly validator: RowValidator;
  readonly defaultPageSize: number;
  readonly maxPageSize: number;
  readonly maxOffset: number;
  /** Of the application; what is pushed is rendered in a context of its own below it. */
  readonly context: Context;
}

interface WritableRow {
  readonly entity: RealtimeEntity;
  readonly id: string | number;
  /** As it is before the write; there where filters or a scope ask for it. */
  readonly before?: Entity;
}

/**
 * What a client can do, apart from how it is transported: subscribe, read, create, update, delete.
 * Each call passes the access filters before anything is fetched, and again with the row.
 */
export class LiveService {
  constructor(private readonly options: LiveServiceOptions) {}

  async subscribe(call: LiveCall, request: wire.SubscribeRequest): Promise<wire.SubscribeReply> {
    const {ref, resume} = request;
    const {hub} = this.entity(ref.type);
    const subscription = await this.subscriptionFor(call, ref, 'subscribe');
    return hub.subscribe(call.session.member, subscription, resume);
  }

  /** Takes a session out of a channel; false when it was not in it. */
  leave(session: LiveSession, channel: string): boolean {
    const hubs = [...this.options.entities.values()].map(entity => entity.hub);
    const hub = hubs.find(each => each.has(session.member, channel));
    hub?.unsubscribe(session.member, channel);
    return hub !== undefined;
  }

  async read(call: LiveCall, request: wire.ReadRequest): Promise<wire.ReadReply> {
    if ('view' in request) {
      const {hub} = this.entity(request.type);
      const reply = await hub.peek(await this.subscriptionFor(call, request, 'read'));
      if (reply.kind !== 'snapshot') throw new Error('a peek answers a snapshot');
      const {rows, meta} = reply.snapshot;
      return {kind: 'page', rows, meta};
    }
    const entity = this.entity(request.type);
    const {field} = request;
    if (field !== undefined) entity.checkField(field);
    const query: AccessQuery = {type: request.type, id: request.id, field};
    const access = await this.enter(call, 'read', query);
    const fields = entity.fieldsFor(field === undefined ? request.fields : [field]);
    const found = await this.find(call, entity, request.id);
    const row = entity.project(await this.options.guard.after(access, found), fields);
    return field === undefined ? {kind: 'row', row} : {kind: 'field', value: row[field]};
  }

  async create(call: LiveCall, request: wire.CreateRequest): Promise<wire.WriteReply> {
    const entity = this.entity(request.type);
    const {value} = request;
    const access = await this.enter(call, 'create', {type: request.type, value});
    const data = await this.options.validator.check(entity, value, 'whole');
    await this.options.guard.after(access, data);
    this.scopeOf(call, entity)?.keepNew(data);
    const repository = await entity.repositoryIn(call.context);
    const created = await repository.create(asEntityData(data), writeOptions(undefined, call.id));
    return {row: await this.shown(call, entity, entity.plainOf(created))};
  }

  async update(call: LiveCall, request: wire.UpdateRequest): Promise<wire.WriteReply> {
    const {type, field, value, version} = request;
    const patch = field === undefined ? value : {[field]: value};
    const row = await this.rowFor(call, 'update', {type, id: request.id, field, value});
    return this.change(call, row, patch, version);
  }

  async delete(call: LiveCall, request: wire.DeleteRequest): Promise<wire.WriteReply> {
    const {type, field, version} = request;
    const row = await this.rowFor(call, 'delete', {type, id: request.id, field});
    if (field !== undefined) return this.change(call, row, {[field]: null}, version);
    const {entity, id} = row;
    const repository = await entity.repositoryIn(call.context);
    return this.conflictAware(call, row, async () => {
      await repository.deleteById(id, writeOptions(version, call.id));
      return {row: null};
    });
  }

  private async change(
    call: LiveCall,
    row: WritableRow,
    patch: unknown,
    version: string | null | undefined,
  ): Promise<wire.WriteReply> {
    const {entity, id, before} = row;
    const data = await this.options.validator.check(entity, patch, 'part');
    const scope = this.scopeOf(call, entity);
    if (scope?.dependsOn(data)) scope.keep({...before?.toObject(), ...data});
    const repository = await entity.repositoryIn(call.context);
    // The row is read after the write, when somebody else may have written it again; its version
    // must be the one that this write made, or the client's next edit would overwrite theirs.
    const made = entity.newVersion();
    return this.conflictAware(call, row, async () => {
      const input = asEntityData({...data, ...made.input});
      await repository.updateById(id, input, writeOptions(version, call.id));
      const found = await this.find(call, entity, id, repository);
      return {row: await this.shown(call, entity, {...found, ...made.output})};
    });
  }

  /** Checks who asks and for what, and says what the hub shall keep for them. */
  async subscriptionFor(
    call: LiveCall,
    ref: wire.LiveRef,
    action: 'subscribe' | 'read',
  ): Promise<Subscription> {
    const entity = this.entity(ref.type);
    const isView = 'view' in ref;
    const page = isView ? this.pageOf(ref) : {offset: 0, size: 1};
    const query: AccessQuery = isView
      ? {
          type: ref.type,
          view: ref.view,
          viewParams: ref.viewParams,
          offset: page.offset,
          pageSize: page.size,
          getCount: ref.getCount ?? false,
        }
      : {type: ref.type, id: entity.idOf(ref.id)};
    const access = await this.enter(call, action, query);
    const view = this.resolve(call, entity, ref, action);
    const fields = entity.fieldsFor(ref.fields ?? view.fields);
    const span = {base: view.base, cap: view.cap, ...page};
    const audience = this.audienceFor(call, entity, access, fields);
    const counts = isView && Boolean(ref.getCount);
    return {query: view.query, span, counts, fields, audience};
  }

  private resolve(
    call: LiveCall,
    entity: RealtimeEntity,
    ref: wire.LiveRef,
    action: 'subscribe' | 'read',
  ): ResolvedView {
    const scope = this.scopeOf(call, entity)?.where;
    if (!('view' in ref)) return resolveRow(entity.shape, entity.idOf(ref.id), scope);
    const view = entity.view(ref.view);
    if (action === 'subscribe' && view.disableRealtime) {
      throw new LiveEntityError('VIEW_QUERY_UNSUPPORTED', `${entity.name}.${ref.view} is not live`);
    }
    return resolveView(entity.shape, view, ref.viewParams, scope, new Date());
  }

  private pageOf({pageOffset = 0, pageSize}: wire.ViewPageRef): {offset: number; size: number} {
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
    const {guard} = this.options;
    const isMasked = guard.hasPost(entity.name);
    const named = entity.definition.audience?.(session.principal);
    const isPrivate = isMasked && named === undefined;
    const key = isPrivate ? `connection ${session.id}` : `audience ${named ?? ''}`;
    if (!isMasked) return {key, isPrivate, render: image => entity.revealed(image, fields)};
    // Rows are pushed long after this call is over, and its context with it.
    const context = new Context(this.options.context, 'live-channel');
    if (session.principal) context.bind(SecurityBindings.USER).to(session.principal);
    const pushed = {...access, context};
    const render: Audience['render'] = async image => {
      try {
        const row = await guard.after(pushed, await entity.revealed(image, undefined));
        return entity.project(row, fields);
      } catch (error) {
        if (error instanceof CRUDBlockedError) return undefined;
        throw error;
      }
    };
    return {key, isPrivate, render};
  }

  private async enter(
    {session, context}: LiveCall,
    action: AccessAction,
    query: AccessQuery,
  ): Promise<AccessRequest> {
    const {principal, socket} = session;
    const request: AccessRequest = {principal, source: 'socketio', socket, context, action, query};
    await this.options.guard.before(request);
    return request;
  }

  /** Asks the filters about a write: `pre` at once, `post` with the row as it is before it. */
  private async rowFor(
    call: LiveCall,
    action: 'update' | 'delete',
    query: AccessQuery & {readonly id: string | number},
  ): Promise<WritableRow> {
    const entity = this.entity(query.type);
    const id = entity.idOf(query.id);
    const access = await this.enter(call, action, {...query, id});
    const {guard} = this.options;
    if (!guard.hasPost(entity.name) && !this.scopeOf(call, entity)) return {entity, id};
    const before = await this.found(call, entity, id);
    await guard.after(access, entity.plainOf(before));
    return {entity, id, before};
  }

  private async find(
    call: LiveCall,
    entity: RealtimeEntity,
    id: string | number,
    repository?: LiveRepository,
  ): Promise<Row> {
    return entity.plainOf(await this.found(call, entity, id, repository));
  }

  /** The row within the caller's scope; a row outside of it does not exist for them. */
  private async found(
    call: LiveCall,
    entity: RealtimeEntity,
    id: string | number,
    repository?: LiveRepository,
  ): Promise<Entity> {
    const from = repository ?? (await entity.repositoryIn(call.context));
    const [property] = entity.shape.ids;
    const scope = this.scopeOf(call, entity);
    const byId = {[property]: entity.idOf(id)};
    const where = scope ? {and: [byId, scope.where]} : byId;
    const [found] = await from.find({where, limit: 1} as object);
    if (found) return found;
    throw new LiveEntityError('ENTITY_NOT_FOUND', `there is no ${entity.name} with that id`, 404);
  }

  private scopeOf({session}: LiveCall, entity: RealtimeEntity): Scope | undefined {
    return this.options.guard.scope(entity.name, session.principal);
  }

  /** A row as the caller may see it: what a post filter of reads leaves of it. */
  private async shown(call: LiveCall, entity: RealtimeEntity, row: Row): Promise<Row | null> {
    const {principal, socket} = call.session;
    const query: AccessQuery = {type: entity.name, id: row[entity.shape.ids[0]] as string};
    try {
      return await this.options.guard.after(
        {principal, socket, source: 'socketio', context: call.context, action: 'read', query},
        row,
      );
    } catch (error) {
      if (error instanceof CRUDBlockedError) return null;
      throw error;
    }
  }

  /** Gives a version conflict the row as it is now, for the person to compare. */
  private async conflictAware(
    call: LiveCall,
    {entity, id}: WritableRow,
    write: () => Promise<wire.WriteReply>,
  ): Promise<wire.WriteReply> {
    try {
      return await write();
    } catch (error) {
      if ((error as {code?: unknown}).code === 'VERSION_CONFLICT') {
        const current = await this.find(call, entity, id).then(
          row => this.shown(call, entity, row),
          () => null,
        );
        Object.defineProperty(error, 'current', {value: current});
      }
      throw error;
    }
  }

  private entity(type: string): RealtimeEntity {
    const entity = this.options.entities.get(type);
    if (entity) return entity;
    throw new LiveEntityError('UNKNOWN_TYPE', `there is no live entity '${type}'`, 404);
  }
}

function asEntityData(row: Row): Partial<Entity> {
  return row as Partial<Entity>;
}
