import {EntityNotFoundError, type Options} from '@loopback/repository';
import type {RequestContext} from '@loopback/rest';
import type {AccessAction, AccessQuery} from '../../core/access';
import type {EmbeddedModel} from '../../mixins/embedded/embedded-model';
import type {AccessGate} from './access-gate';
import {asPrecondition, entityTagOf, isNamedBy, versionNamedBy} from './preconditions';
import type {ScopedRows} from './scoped-rows';
import type {AnyEntity, EntityRepository, Row} from './types';

type ChildId = string | number | undefined;
type Header = string | undefined;

/** What the routes of children need of the controller of their parents. */
export interface ParentActions {
  readonly repository: EntityRepository;
  readonly rows: ScopedRows;
  readonly gate: AccessGate | undefined;
  readonly http: RequestContext;
  /** Asks the access filters; answers the row when they, or a scope, had to see it. */
  mayWrite(
    action: AccessAction,
    id: unknown,
    more: Partial<AccessQuery>,
  ): Promise<AnyEntity | undefined>;
}

/** The repository of a property, without the difference between one child and many. */
interface AnyChildren {
  create(id: unknown, data: Row, options: Options): Promise<Row>;
  replace(...call: unknown[]): Promise<Row>;
  delete(...call: unknown[]): Promise<void>;
}

/** What a write answers. */
interface Written {
  readonly child?: Row;
  readonly id: unknown;
  readonly childId: ChildId;
  /** The parent's version after it. */
  readonly parentVersion: unknown;
}

/**
 * What the routes of embedded children do. They are reached through their parent: it is the
 * parent's access filters and scope that hold, and a write of a child is an update of its parent.
 */
export class EmbeddedActions {
  constructor(
    private readonly parent: ParentActions,
    private readonly model: EmbeddedModel,
  ) {}

  async get(id: unknown, childId: ChildId = undefined): Promise<object> {
    const row = await this.read(id);
    const {gate, http} = this.parent;
    const child = this.find(await this.shown(row), id, childId);
    const stored = this.find(row, id, childId);
    http.response.set('Cache-Control', 'private, no-cache');
    const tag = this.sendTag(this.model.property.versioned ? stored : row);
    const {'if-none-match': known} = http.request.headers;
    if (!tag || gate?.seesRows || !isNamedBy(known, tag)) return child;
    http.response.status(304).end();
    return http.response;
  }

  async list(id: unknown): Promise<object[]> {
    const row = await this.read(id);
    return this.model.childrenOf((await this.shown(row))[this.model.name]);
  }

  /** `If-Match` names the parent's version here: there is no child yet. */
  async create(id: unknown, body: Row, ifMatch: Header = undefined): Promise<object> {
    const version = versionNamedBy(ifMatch);
    const data = await this.allowed(id, undefined, body, 'create');
    return this.write(id, undefined, body, ifMatch, (children, options) =>
      children.create(id, data, {...options, ...named({version})}),
    );
  }

  async replace(
    id: unknown,
    childId: ChildId,
    body: Row,
    ifMatch: Header = undefined,
  ): Promise<object> {
    const versions = this.versionsOf(ifMatch);
    const data = {...(await this.allowed(id, childId, body, 'replace')), ...versions.data};
    return this.write(id, childId, body, ifMatch, (children, options) =>
      children.replace(...this.path(id, childId), data, {...options, ...versions.options}),
    );
  }

  async delete(
    id: unknown,
    childId: ChildId,
    version: string | undefined = undefined,
    parentVersion: string | undefined = undefined,
    ifMatch: Header = undefined,
  ): Promise<void> {
    const {data, options} = this.versionsOf(ifMatch);
    await this.allowed(id, childId, undefined, 'delete');
    const versions = {...named({_version: version, _parentVersion: parentVersion}), ...data};
    const children = this.children();
    const write = children.delete(...this.path(id, childId), {...versions, ...options});
    await asPrecondition(ifMatch, write);
  }

  private async read(id: unknown): Promise<AnyEntity> {
    const query = {id: id as AccessQuery['id'], field: this.model.name};
    await this.parent.gate?.enter('read', query);
    return this.parent.rows.findById(id);
  }

  private async write(
    id: unknown,
    childId: ChildId,
    body: Row,
    ifMatch: Header,
    run: (children: AnyChildren, options: Options) => Promise<Row>,
  ): Promise<object> {
    let stamp: Row = {};
    const onWritten = (values: Row) => void (stamp = values);
    const child = await asPrecondition(ifMatch, run(this.children(), {onWritten}));
    const {idName} = this.model.property;
    const newId = (idName && child[idName]) as ChildId;
    return this.answer(
      {child, id, childId: childId ?? newId, parentVersion: stamp._version},
      body._parentVersion,
    );
  }

  /** As the original did, the answer repeats the `_parentVersion` that was named. */
  private async answer({child, id, childId, parentVersion}: Written, named: unknown) {
    const {versioned} = this.model.property;
    this.sendTag(versioned ? child! : {_version: parentVersion});
    const {gate, rows} = this.parent;
    const shown = gate?.seesRows
      ? this.find(await this.shown(await rows.findById(id)), id, childId)
      : child!;
    return named === undefined ? shown : {...json(shown), _parentVersion: named};
  }

  /**
   * Asks whether the child may be written, and makes sure that the scope still holds afterwards.
   *
   * @returns The data to write; a replacement keeps what its sender was not shown of the child
   */
  private async allowed(
    id: unknown,
    childId: ChildId,
    body: Row | undefined,
    action: 'create' | 'replace' | 'delete',
  ): Promise<Row> {
    const {name, property} = this.model;
    const query = {field: name, value: body};
    const before = await this.parent.mayWrite('update', id, query);
    if (!before) return body ?? {};
    const children = this.model.childrenOf(before[name]);
    const present = action === 'create' && property.kind === 'many'
      ? undefined
      : this.among(children, childId);
    const unseen = action === 'replace' && present ? await this.unseen(before, present) : {};
    const data = {...unseen, ...body};
    const others = children.filter(child => child !== present);
    const after = this.model.valueOf(action === 'delete' ? others : [...others, data]);
    await this.parent.rows.keepChanged(before, {[name]: after});
    return data;
  }

  private async unseen(before: AnyEntity, child: Row): Promise<Row> {
    if (!this.parent.gate?.seesRows) return {};
    const children = this.model.childrenOf((await this.shown(before))[this.model.name]);
    const {idName} = this.model.property;
    const shown = this.among(children, idName && (child[idName] as ChildId)) ?? {};
    const held = Object.entries(this.model.writable(child));
    return Object.fromEntries(held.filter(([name]) => shown[name] === undefined));
  }

  private shown(row: AnyEntity): Promise<Row> | Row {
    const {gate} = this.parent;
    return gate ? gate.show(row) : row;
  }

  private find(row: Row, id: unknown, childId: ChildId): Row {
    const child = this.among(this.model.childrenOf(row[this.model.name]), childId);
    if (!child) throw new EntityNotFoundError(this.model.childName, childId ?? id);
    return child;
  }

  private among(children: readonly Row[], childId: ChildId): Row | undefined {
    const {kind, idName} = this.model.property;
    if (kind === 'one') return children[0];
    return children.find(child => String(child[idName!]) === String(childId));
  }

  /** `If-Match` names what `ETag` said: the child's version, or the parent's for want of one. */
  private versionsOf(ifMatch: Header): {data: Row; options: Options} {
    const version = versionNamedBy(ifMatch);
    const {versioned} = this.model.property;
    return versioned
      ? {data: named({_version: version}), options: {}}
      : {data: {}, options: named({version})};
  }

  private path(id: unknown, childId: ChildId): unknown[] {
    return this.model.property.kind === 'one' ? [id] : [id, childId];
  }

  private children(): AnyChildren {
    const {repository} = this.parent as unknown as {
      repository: {embedded(name: string): AnyChildren};
    };
    return repository.embedded(this.model.name);
  }

  private sendTag(row: Row): string | undefined {
    const tag = entityTagOf(row._version);
    if (tag) this.parent.http.response.set('ETag', tag);
    return tag;
  }
}

function named(versions: Row): Row {
  return Object.fromEntries(Object.entries(versions).filter(([, v]) => v !== undefined));
}

function json(child: Row): Row {
  return JSON.parse(JSON.stringify(child)) as Row;
}
