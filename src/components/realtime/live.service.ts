import type {Entity} from '@loopback/repository';
import type {AccessQuery, AccessRequest} from '../../core/access';
import {CRUDBlockedError, LiveEntityError} from '../../core/errors';
import type {Scope} from '../../core/scope';
import type * as wire from '../../protocol/messages';
import type {Row} from '../../protocol/page';
import {isRefusal} from '../authorization';
import {reportMistake} from './filter-mistakes';
import {accessRequest, enter, type LiveCall, type LiveSession} from './live-call';
import {PageRequests, type PageRequestOptions} from './page-requests';
import {RealtimeEntity, writeOptions, type LiveRepository} from './realtime-entity';
import type {RowValidator} from './validate';

export interface LiveServiceOptions extends PageRequestOptions {
  readonly entities: ReadonlyMap<string, RealtimeEntity>;
  readonly validator: RowValidator;
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
  private readonly pages: PageRequests;

  constructor(private readonly options: LiveServiceOptions) {
    this.pages = new PageRequests(options);
  }

  async subscribe(call: LiveCall, request: wire.SubscribeRequest): Promise<wire.SubscribeReply> {
    const {ref, resume, diverged} = request;
    const entity = this.entity(ref.type);
    if (diverged) entity.hub.diverged();
    const subscription = await this.pages.subscriptionFor(call, entity, ref, 'subscribe');
    const reply = await entity.hub.subscribe(call.session.member, subscription, resume);
    call.joined?.(reply.kind === 'snapshot' ? reply.snapshot.channel : reply.channel);
    return reply;
  }

  /** Takes a session out of a channel; false when it was not in it. */
  leave(session: LiveSession, channel: string): boolean {
    const hubs = [...this.options.entities.values()].map(entity => entity.hub);
    const hub = hubs.find(each => each.has(session.member, channel));
    hub?.unsubscribe(session.member, channel);
    return hub !== undefined;
  }

  async read(call: LiveCall, request: wire.ReadRequest): Promise<wire.ReadReply> {
    const entity = this.entity(request.type);
    if ('view' in request) {
      const subscription = await this.pages.subscriptionFor(call, entity, request, 'read');
      const reply = await entity.hub.peek(subscription);
      if (reply.kind !== 'snapshot') throw new Error('a peek answers a snapshot');
      const {rows, meta} = reply.snapshot;
      return {kind: 'page', rows, meta};
    }
    const {field} = request;
    if (field !== undefined) entity.checkField(field);
    const query: AccessQuery = {type: request.type, id: request.id, field};
    const access = await enter(this.options.guard, call, 'read', query);
    const fields = entity.fieldsFor(field === undefined ? request.fields : [field]);
    const found = await this.find(call, entity, request.id);
    const row = entity.project(await this.judged(entity, access, found), fields);
    return field === undefined ? {kind: 'row', row} : {kind: 'field', value: row[field]};
  }

  async create(call: LiveCall, request: wire.CreateRequest): Promise<wire.WriteReply> {
    const entity = this.entity(request.type);
    const {value} = request;
    const access = await enter(this.options.guard, call, 'create', {type: request.type, value});
    const data = await this.options.validator.check(entity, value, 'whole');
    await this.judged(entity, access, data);
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
    let made: Row = {};
    const onWritten = (stamp: Row) => void (made = entity.versionIn(stamp));
    const options = {...writeOptions(version, call.id), onWritten};
    return this.conflictAware(call, row, async () => {
      await repository.updateById(id, asEntityData({...data}), options);
      const found = await this.find(call, entity, id, repository);
      return {row: await this.shown(call, entity, {...found, ...made})};
    });
  }

  /** Asks the filters about a write: `pre` at once, `post` with the row as it is before it. */
  private async rowFor(
    call: LiveCall,
    action: 'update' | 'delete',
    query: AccessQuery & {readonly id: string | number},
  ): Promise<WritableRow> {
    const entity = this.entity(query.type);
    const id = entity.idOf(query.id);
    const access = await enter(this.options.guard, call, action, {...query, id});
    const {guard} = this.options;
    if (!guard.hasPost(entity.name) && !this.scopeOf(call, entity)) return {entity, id};
    const before = await this.found(call, entity, id);
    await this.judged(entity, access, entity.plainOf(before));
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

  /** A row as the caller may see it: what the filters of a read leave of it, or nothing. */
  private async shown(call: LiveCall, entity: RealtimeEntity, row: Row): Promise<Row | null> {
    const {name: type, shape: {ids}} = entity;
    // Of a composite id, one part would be taken for the row's.
    const query: AccessQuery = {type, ...(ids.length === 1 && {id: row[ids[0]] as string})};
    const access = accessRequest(call, 'read', query);
    try {
      // What the call was allowed to do is write: to be answered the row is to read it.
      await this.options.guard.beforeIncluding(access);
      return await this.judged(entity, access, row);
    } catch (error) {
      if (error instanceof CRUDBlockedError || isRefusal(error)) return null;
      throw error;
    }
  }

  /** What the `post` filters leave of a row; what only looks like a refusal is logged. */
  private async judged(entity: RealtimeEntity, access: AccessRequest, row: Row): Promise<Row> {
    const {guard, logger} = this.options;
    try {
      return await guard.after(access, row);
    } catch (error) {
      if (error instanceof CRUDBlockedError) reportMistake(logger, entity.name, error);
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
