import {type Entity, EntityNotFoundError, type Options} from '@loopback/repository';
import type {RequestContext} from '@loopback/rest';
import type {AccessAction, AccessQuery} from '../../core/access';
import type {EmbeddedModel} from '../../mixins/embedded/embedded-model';
import type {AccessGate} from './access-gate';
import {checkBody} from './body-check';
import {hiddenProperties} from './hidden';
import {entityTagOf, guarded, type IfMatch, isNamedBy, present} from './preconditions';
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
    options?: Options,
    needsRow?: boolean,
  ): Promise<AnyEntity | undefined>;
  /** Whether the caller may read the row that a write has changed. */
  mayRead(id: unknown): Promise<boolean>;
  /** What the header asks for. */
  ifMatch(header: Header, versioned: boolean): IfMatch | undefined;
}

/** The repository of a property, without the difference between one child and many. */
interface AnyChildren {
  create(id: unknown, data: Row, options: Options): Promise<Row>;
  replace(...call: unknown[]): Promise<Row>;
  delete(...call: unknown[]): Promise<void>;
}

/** A write of a child, and what the precondition is about. */
interface ChildWrite {
  readonly id: unknown;
  readonly childId: ChildId;
  readonly body: Row;
  readonly ifMatch: IfMatch | undefined;
  readonly inBody?: string | null;
  run(version: string | null | undefined, options: Options): Promise<Row>;
  find(): Promise<unknown>;
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
  async create(id: unknown, body: Row, header: Header = undefined): Promise<object> {
    const ifMatch = this.ifMatch(header);
    const data = await present(ifMatch, this.allowed(id, undefined, body, 'create'));
    return this.write({
      id, childId: undefined, body, ifMatch,
      run: (version, options) =>
        this.children().create(id, data, {...options, ...named({version})}),
      find: () => this.parent.rows.findById(id),
    });
  }

  async replace(
    id: unknown,
    childId: ChildId,
    body: Row,
    header: Header = undefined,
  ): Promise<object> {
    const ifMatch = this.ifMatch(header);
    const data = await present(ifMatch, this.allowed(id, childId, body, 'replace'));
    const {versioned} = this.model.property;
    return this.write({
      id, childId, body, ifMatch,
      inBody: versioned ? (body._version as string | null | undefined) : undefined,
      run: (version, options) => {
        const {inData, inOptions} = this.placed(version);
        const whole = {...data, ...inData};
        const all = {...options, ...inOptions};
        return this.children().replace(...this.path(id, childId), whole, all);
      },
      find: () => this.stored(id, childId),
    });
  }

  async delete(
    id: unknown,
    childId: ChildId,
    version: string | undefined = undefined,
    parentVersion: string | undefined = undefined,
    header: Header = undefined,
  ): Promise<void> {
    const ifMatch = this.ifMatch(header);
    await present(ifMatch, this.allowed(id, childId, undefined, 'delete'));
    const given = named({_version: version, _parentVersion: parentVersion});
    await guarded({
      ifMatch,
      inBody: version,
      write: current => {
        const {inData, inOptions} = this.placed(current);
        const options = {...given, ...inData, ...inOptions};
        return this.children().delete(...this.path(id, childId), options);
      },
      find: () => this.stored(id, childId),
    });
  }

  private async read(id: unknown): Promise<AnyEntity> {
    const query = {id: id as AccessQuery['id'], field: this.model.name};
    await this.parent.gate?.enter('read', query);
    return this.parent.rows.findById(id);
  }

  private async stored(id: unknown, childId: ChildId): Promise<Row> {
    return this.find(await this.parent.rows.findById(id), id, childId);
  }

  private async write({id, childId, body, run, ...call}: ChildWrite): Promise<object> {
    let stamp: Row = {};
    const onWritten = (values: Row) => void (stamp = values);
    const child = await guarded({...call, write: version => run(version, {onWritten})});
    const {idName} = this.model.property;
    const newId = (idName && child[idName]) as ChildId;
    return this.answer(
      {child, id, childId: childId ?? newId, parentVersion: stamp._version},
      body._parentVersion,
    );
  }

  /** As the original did, the answer repeats the `_parentVersion` that was named. */
  private async answer(written: Written, _parentVersion: unknown) {
    const {versioned} = this.model.property;
    this.sendTag(versioned ? written.child! : {_version: written.parentVersion});
    const shown = await this.answered(written);
    return _parentVersion === undefined ? shown : {...json(shown), _parentVersion};
  }

  /** The child as a read would answer it: of one that the caller may not read, its id. */
  private async answered({child, id, childId}: Written): Promise<Row> {
    const {gate, rows} = this.parent;
    const {idName} = this.model.property;
    const mayRead = await this.parent.mayRead(id);
    if (!mayRead) return idName && childId !== undefined ? {[idName]: childId} : {};
    if (!gate?.seesRows) return child!;
    return this.find(await this.shown(await rows.findById(id)), id, childId);
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
    if (body) checkBody(property.target as typeof Entity, body);
    const query = {field: name, value: body};
    const keeps = action === 'replace' && this.hidden().size > 0;
    const before = await this.parent.mayWrite('update', id, query, {}, keeps);
    if (!before) return body ?? {};
    const children = this.model.childrenOf(before[name]);
    const current = action === 'create' && property.kind === 'many'
      ? undefined
      : this.among(children, childId);
    const unseen = action === 'replace' && current ? await this.unseen(before, current) : {};
    const data = {...unseen, ...body};
    const others = children.filter(child => child !== current);
    const after = this.model.valueOf(action === 'delete' ? others : [...others, data]);
    await this.parent.rows.keepChanged(before, {[name]: after});
    return data;
  }

  private async unseen(before: AnyEntity, child: Row): Promise<Row> {
    const held = Object.entries(this.model.writable(child));
    const hidden = this.hidden();
    const kept = Object.fromEntries(held.filter(([name]) => hidden.has(name)));
    if (!this.parent.gate?.seesRows) return kept;
    const children = this.model.childrenOf((await this.shown(before))[this.model.name]);
    const {idName} = this.model.property;
    const shown = this.among(children, idName && (child[idName] as ChildId)) ?? {};
    const masked = Object.fromEntries(held.filter(([name]) => shown[name] === undefined));
    return {...kept, ...masked};
  }

  private hidden(): ReadonlySet<string> {
    return hiddenProperties(this.model.property.target as typeof Entity);
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

  private ifMatch(header: Header): IfMatch | undefined {
    return this.parent.ifMatch(header, this.model.property.versioned);
  }

  /** `If-Match` names what `ETag` said: the child's version, or the parent's for want of one. */
  private placed(version: string | null | undefined): {inData: Row; inOptions: Options} {
    const {versioned} = this.model.property;
    return versioned
      ? {inData: named({_version: version}), inOptions: {}}
      : {inData: {}, inOptions: named({version})};
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
