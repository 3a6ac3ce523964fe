import {isDeepStrictEqual} from 'node:util';
import type {Constructor} from '@loopback/core';
import type {
  Count,
  Entity,
  Filter,
  Options,
  Where,
} from '@loopback/repository';
import {HttpErrors, type RequestContext} from '@loopback/rest';
import type {AccessAction, AccessGuard, AccessQuery} from '../../core/access';
import type {Behaviour} from '../../mixins/behaviour';
import type {PropertyChange, Revision, RevisionRef} from '../../mixins/history/entity-history';
import {AccessGate} from './access-gate';
import {checkBody} from './body-check';
import {EmbeddedActions} from './embedded-actions';
import {type Engine, engineOf} from './engine';
import {
  checkedFilter,
  checkedHistoryFilter,
  checkedWhere,
  checkedWhereOfWrite,
} from './filter-check';
import {hiddenProperties} from './hidden';
import {
  entityTagOf,
  guarded,
  type IfMatch,
  ifMatchIn,
  isNamedBy,
  preconditionFailed,
  present,
} from './preconditions';
import {Replacement} from './replacement';
import {ScopedRows} from './scoped-rows';
import type {AnyEntity, ControllerEntity, EntityRepository, Row} from './types';
import {WrittenRow} from './written-row';

/**
 * Arguments that not every entity's route has carry a default value: LoopBack takes each argument
 * without one for an injection.
 */
type Header = string | undefined;

/**
 * What the routes of an entity do. A generated controller exposes those methods that the entity's
 * behaviours offer; a subclass may override any of them.
 */
export abstract class EntityActions {
  protected readonly gate: AccessGate | undefined;
  protected readonly rows: ScopedRows;
  private readonly engine: Engine;
  protected abstract readonly described: ControllerEntity;

  constructor(
    readonly repository: EntityRepository,
    protected readonly http: RequestContext,
    guard: AccessGuard | undefined,
    entity: typeof Entity,
  ) {
    this.engine = engineOf(repository);
    this.gate = guard && new AccessGate(guard, http, entity);
    this.rows = new ScopedRows(repository, entity, async target => this.gate?.scopeOf(target));
  }

  async create(body: Row): Promise<object> {
    const data = this.writable(body);
    await this.gate?.enter('create', {value: data});
    await this.gate?.allow('create', {value: data}, async () => data);
    await this.rows.keepNew(data);
    const row = await this.repository.create(data);
    this.sendTag(row);
    return this.written().answer(row);
  }

  async find(asked?: Filter): Promise<object[]> {
    const filter = checkedFilter(this.described.entity, asked, this.engine);
    await this.gate?.enter('read', {offset: filter?.offset, pageSize: filter?.limit}, filter);
    const rows = await this.rows.find(this.gate ? this.gate.complete(filter) : filter);
    return this.gate ? this.gate.showAll(rows, filter) : rows;
  }

  async count(asked?: Where): Promise<Count> {
    const where = checkedWhere(this.described.entity, asked, this.engine);
    await this.gate?.enter('read', {getCount: true});
    return this.rows.count(where);
  }

  async findById(
    id: unknown,
    asked?: Filter,
    asOf: Date | undefined = undefined,
  ): Promise<object> {
    const filter = checkedFilter(this.described.entity, asked, this.engine);
    await this.gate?.enter('read', {id: id as AccessQuery['id']}, filter);
    const complete = this.gate ? this.gate.complete(filter) : filter;
    if (asOf) {
      const past = await this.rows.findByIdAsOf(id, asOf, complete);
      return this.shown(past, filter);
    }
    const row = await this.rows.findById(id, complete);
    const shown = await this.shown(row, filter);
    this.http.response.set('Cache-Control', 'private, no-cache');
    // The version says nothing of related rows, nor of what filters let different people see.
    const tag = filter?.include?.length ? undefined : this.sendTag(row);
    const {'if-none-match': known} = this.http.request.headers;
    if (tag && !this.gate?.seesRows && isNamedBy(known, tag)) return this.notModified();
    return shown;
  }

  async updateById(id: unknown, body: Row, ifMatch: Header = undefined): Promise<void> {
    return this.writeById('updateById', id, body, ifMatch);
  }

  async replaceById(id: unknown, body: Row, ifMatch: Header = undefined): Promise<void> {
    return this.writeById('replaceById', id, body, ifMatch);
  }

  async updateAll(asked: Where | undefined, body: Row): Promise<Count> {
    const {entity} = this.described;
    const where = checkedWhereOfWrite(entity, asked, this.engine);
    const data = this.writable(body);
    const [idName] = entity.getIdProperties();
    if (data[idName] !== undefined) {
      throw idMismatch(`The ${idName} of rows cannot be changed.`);
    }
    await this.gate?.enter('update', {value: data});
    if (this.gate?.seesRows) {
      throw new HttpErrors.Forbidden('The access filters judge row by row: change them by id.');
    }
    // Connectors write an UPDATE that sets nothing, which databases cannot read.
    if (Object.keys(data).length === 0) return this.rows.count(where);
    return this.rows.updateAll(data, where);
  }

  async deleteById(id: unknown, header: Header = undefined): Promise<void> {
    const ifMatch = this.ifMatch(header);
    await present(ifMatch, this.mayWrite('delete', id));
    await guarded({
      ifMatch,
      write: version => this.repository.deleteById(id, naming(version)),
      find: () => this.rows.findById(id),
    });
  }

  async deleteVersion(id: unknown, version: string): Promise<Count> {
    await this.mayWrite('delete', id);
    await this.repository.deleteById(id, {version});
    return {count: 1};
  }

  async restoreById(id: unknown, header: Header = undefined): Promise<object> {
    const ifMatch = this.ifMatch(header);
    const deleted = {onlyDeleted: true};
    await present(ifMatch, this.mayWrite('update', id, {}, deleted));
    await guarded({
      ifMatch,
      write: version => this.repository.restoreById(id, naming(version)),
      find: () => this.rows.findById(id, undefined, deleted),
    });
    return this.current(id);
  }

  async findHistory(asked?: Filter): Promise<object[]> {
    const filter = checkedHistoryFilter(this.described.entity, asked, this.engine);
    await this.gate?.enter('read', {offset: filter?.offset, pageSize: filter?.limit});
    return this.shownRevisions(await this.rows.findHistory(filter));
  }

  async history(id: unknown, asked?: Filter): Promise<object[]> {
    const filter = checkedHistoryFilter(this.described.entity, asked, this.engine);
    await this.gate?.enter('read', {id: id as AccessQuery['id']});
    return this.shownRevisions(await this.rows.history(id, filter));
  }

  async diff(id: unknown, from: string, to: string): Promise<PropertyChange[]> {
    await this.gate?.enter('read', {id: id as AccessQuery['id']});
    const [before, after] = [from, to].map(ref => (ref === 'current' ? ref : Number(ref)));
    await this.rows.mustReach(id, [before, after]);
    const hidden = hiddenProperties(this.described.entity);
    const all = await this.repository.diff(id, before, after);
    const changes = all.filter(({property}) => !hidden.has(property));
    if (!this.gate?.seesRows) return changes;
    const a = await this.shown(await this.state(id, before)) as Row;
    const b = await this.shown(await this.state(id, after)) as Row;
    return changes
      .map(({property}) => ({property, from: a[property] ?? null, to: b[property] ?? null}))
      .filter(change => !isDeepStrictEqual(change.from, change.to));
  }

  async revertTo(id: unknown, revision: number, header: Header = undefined): Promise<object> {
    const ifMatch = this.ifMatch(header);
    await present(ifMatch, this.mayWrite('update', id));
    await present(ifMatch, this.rows.mustReach(id, [revision]));
    await guarded({
      ifMatch,
      write: version => this.repository.revertTo(id, revision, naming(version)),
      find: () => this.rows.findById(id),
    });
    return this.current(id);
  }

  /** The routes below a row that lead to what one of its properties embeds. */
  protected children(property: string): EmbeddedActions {
    const model = this.described.embedded.find(({name}) => name === property)!;
    const {repository, rows, gate, http} = this;
    const mayWrite = this.mayWrite.bind(this);
    const mayRead = (id: unknown) => this.written().mayRead(id);
    const ifMatch = this.ifMatch.bind(this);
    return new EmbeddedActions({repository, rows, gate, http, mayWrite, mayRead, ifMatch}, model);
  }

  private async writeById(
    method: 'updateById' | 'replaceById',
    id: unknown,
    body: Row,
    header: Header,
  ): Promise<void> {
    let ifMatch = this.ifMatch(header);
    let data = this.writable(body);
    this.settleId(id, data, method);
    const query = {value: data};
    const replacement = new Replacement(this.described, this.gate);
    const keeps = method === 'replaceById' && replacement.needsRow;
    const before = await present(ifMatch, this.mayWrite('update', id, query, {}, keeps));
    if (before && method === 'updateById') await this.rows.keepChanged(before, data);
    if (before && method === 'replaceById') {
      const made = this.serverMade();
      // The version above all is for the client to name, shown to it or not.
      data = {...without(await replacement.unseen(before), made), ...data};
      ifMatch = replacement.ofVersionRead(before, ifMatch, body);
      await this.rows.keepReplaced(before, data, made);
    }
    let written: object = {};
    const onWritten = (stamp: object) => void (written = stamp);
    await guarded({
      ifMatch,
      inBody: this.has('version') ? (body._version as string | null | undefined) : undefined,
      write: version => this.repository[method](id, data, {...naming(version), onWritten}),
      find: () => this.rows.findById(id),
    });
    this.sendTag(written);
  }

  private async mayWrite(
    action: AccessAction,
    id: unknown,
    more: Partial<AccessQuery> = {},
    options: Options = {},
    needsRow = false,
  ): Promise<AnyEntity | undefined> {
    const query = {...more, id: id as AccessQuery['id']};
    await this.gate?.enter(action, query);
    if (!needsRow && !this.gate?.seesRows && !(await this.rows.isScoped())) return undefined;
    const row = await this.rows.findById(id, undefined, options);
    await this.gate?.allow(action, query, async () => ({...row.toJSON()}));
    return row;
  }

  private async current(id: unknown): Promise<object> {
    const row = await this.rows.findById(id);
    this.sendTag(row);
    return this.written().answer(row);
  }

  /** A state for the access filters to see: what is not past any more is present. */
  private async state(id: unknown, revision: RevisionRef): Promise<AnyEntity> {
    const where = {_revision: revision} as Where;
    const [past] = revision === 'current' ? [] : await this.repository.history(id, {where});
    return past?.entity ?? this.repository.findById(id, undefined, {withDeleted: true});
  }

  private written(): WrittenRow {
    const controllerClass = this.constructor as Constructor<unknown>;
    return new WrittenRow(this.described.entity, this.http, this.gate, controllerClass);
  }

  private shown(row: Entity, filter?: Filter): Promise<object> | object {
    return this.gate ? this.gate.show(row, filter) : row;
  }

  private async shownRevisions(revisions: Revision<AnyEntity>[]): Promise<object[]> {
    const {gate} = this;
    if (!gate) return revisions;
    const shown = await Promise.all(
      revisions.map(async revision => {
        const [entity] = await gate.showAll([revision.entity]);
        return entity && {...revision, entity};
      }),
    );
    return shown.filter(revision => revision !== undefined);
  }

  /**
   * What a client may write: the properties without those that the server makes. The next version
   * is one of them: a client that named an old one would let stale writers pass.
   */
  private writable(body: Row): Row {
    checkBody(this.described.entity, body);
    const made = this.serverMade();
    made.delete('_version');
    return without(body, made);
  }

  private serverMade(): Set<string> {
    return new Set(this.described.behaviours.flatMap(b => Object.keys(b.properties)));
  }

  /** The path names the row: a change needs no id in its data, a whole row has that of the path. */
  private settleId(id: unknown, data: Row, method: 'updateById' | 'replaceById'): void {
    const [idName] = this.described.entity.getIdProperties();
    if (data[idName] !== undefined && String(data[idName]) !== String(id)) {
      throw idMismatch(`The body's ${idName} is not the one of the path.`);
    }
    delete data[idName];
    if (method === 'replaceById') data[idName] = id;
  }

  /** Of an entity without versions the header can only ask that a row is there. */
  private ifMatch(header: Header, versioned = this.has('version')): IfMatch | undefined {
    if (versioned || this.has('version')) return ifMatchIn(header);
    const ifMatch = ifMatchIn(this.http.request.headers['if-match']);
    if (ifMatch === undefined || ifMatch === '*') return ifMatch;
    throw preconditionFailed('This entity has no versions that If-Match could name.');
  }

  private has(name: Behaviour['name']): boolean {
    return this.described.behaviours.some(behaviour => behaviour.name === name);
  }

  private sendTag(row: object): string | undefined {
    const tag = entityTagOf((row as Row)._version);
    if (tag) this.http.response.set('ETag', tag);
    return tag;
  }

  private notModified(): object {
    this.http.response.status(304).end();
    return this.http.response;
  }
}

function naming(version: string | null | undefined): Options {
  return version === undefined ? {} : {version};
}

function without(row: Row | undefined, names: ReadonlySet<string>): Row {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([name]) => !names.has(name)));
}

function idMismatch(message: string): Error {
  return Object.assign(new HttpErrors.BadRequest(message), {code: 'ID_MISMATCH'});
}
