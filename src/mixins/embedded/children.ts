import {randomUUID} from 'node:crypto';
import {EntityNotFoundError, type Entity, type Model, type Options} from '@loopback/repository';
import type {LiveEntity} from '../live-entity';
import {CHILD_WRITE} from '../options';
import type {Row} from '../plan';
import type {Surroundings} from '../surroundings';
import type {ChildStamp, EmbeddedModel} from './embedded-model';
import {EmbeddedExistsError, EmbeddedValidationError} from './errors';
import {withLockedRow} from './locked-row';
import {expectedParentVersion, type EmbeddedVersions} from './versions';

/** The parent's repository, as the children in its rows need it. */
export interface ParentRepository {
  readonly entityClass: typeof Entity;
  readonly live: LiveEntity;
  readonly surroundings: Surroundings;
  findById(id: unknown, filter?: undefined, options?: Options): Promise<Row>;
  updateById(id: unknown, data: Row, options?: Options): Promise<void>;
}

type ChildId = string | number | undefined;

/** The children of one parent, in the middle of a write. */
interface Present {
  readonly children: readonly Row[];
  /** Checks the versions that are named against a child, or against its absence. */
  stamp(child?: Row): ChildStamp;
}

/** What a write makes of the children, and of the one that it is about unless that is gone. */
interface Outcome {
  readonly children: readonly Row[];
  readonly child?: Row;
}

/**
 * Reads and writes the children that one property embeds. A write reads the parent, makes its new
 * value and updates the row on condition that the parent's version is still the one that was read;
 * a parent without versions is locked meanwhile, where the database can.
 */
export class Children {
  constructor(
    private readonly parents: ParentRepository,
    private readonly model: EmbeddedModel,
  ) {}

  async all(parentId: unknown, options?: Options): Promise<Model[]> {
    const parent = await this.parents.findById(parentId, undefined, options);
    return this.childrenOf(parent).map(child => this.model.instance(child));
  }

  /** @throws EntityNotFoundError */
  async one(parentId: unknown, childId: ChildId, options?: Options): Promise<Model> {
    const parent = await this.parents.findById(parentId, undefined, options);
    const children = this.childrenOf(parent);
    return this.model.instance(children[this.indexOf(children, parentId, childId)]);
  }

  async create(parentId: unknown, data: Row, options: Options = {}): Promise<Model> {
    const {versions, rest} = this.named(data, options);
    return this.writeOne(parentId, versions, options, async ({children, stamp}) => {
      const [only] = children;
      if (this.model.property.kind === 'one' && only) {
        if (versions._version === undefined) {
          throw new EmbeddedExistsError(this.model.childName, parentId);
        }
        return this.changed(children, 0, {...only, ...rest}, stamp(only));
      }
      const child = await this.model.fresh(rest, stamp());
      this.assertNew(children, parentId, child);
      return {children: [...children, child], child};
    });
  }

  async update(
    parentId: unknown,
    childId: ChildId,
    data: Row,
    options: Options = {},
  ): Promise<Model> {
    return this.put(parentId, childId, data, options, before => before);
  }

  async replace(
    parentId: unknown,
    childId: ChildId,
    data: Row,
    options: Options = {},
  ): Promise<Model> {
    const {idName} = this.model.property;
    return this.put(parentId, childId, data, options, before =>
      idName ? {[idName]: before[idName]} : {},
    );
  }

  async delete(parentId: unknown, childId: ChildId, options: Options = {}): Promise<void> {
    const {_version, _parentVersion, ...rest} = options;
    const {versions} = this.named({_version, _parentVersion}, rest);
    await this.write(parentId, versions, rest, async ({children, stamp}) => {
      const at = this.indexOf(children, parentId, childId);
      stamp(children[at]);
      return {children: children.filter((_, i) => i !== at)};
    });
  }

  private put(
    parentId: unknown,
    childId: ChildId,
    data: Row,
    options: Options,
    kept: (before: Row) => Row,
  ): Promise<Model> {
    const {versions, rest} = this.named(data, options);
    return this.writeOne(parentId, versions, options, async ({children, stamp}) => {
      const at = this.indexOf(children, parentId, childId);
      const before = children[at];
      const {idName, kind} = this.model.property;
      // The call names a child of a list, and its data cannot make another one of it.
      const id = kind === 'many' ? {[idName!]: before[idName!]} : {};
      return this.changed(children, at, {...kept(before), ...rest, ...id}, stamp(before));
    });
  }

  private async changed(
    children: readonly Row[],
    at: number,
    data: Row,
    stamp: ChildStamp,
  ): Promise<Outcome> {
    const child = await this.model.changed(children[at], this.model.writable(data), stamp);
    return {children: children.map((other, i) => (i === at ? child : other)), child};
  }

  private async writeOne(...write: Parameters<Children['write']>): Promise<Model> {
    return this.model.instance((await this.write(...write))!);
  }

  private async write(
    parentId: unknown,
    named: EmbeddedVersions,
    options: Options,
    change: (present: Present) => Promise<Outcome>,
  ): Promise<Row | undefined> {
    const {live, surroundings} = this.parents;
    const checked = live.has('version') && options.bumpVersion !== false;
    const context = await surroundings.writeContext(options);
    const run = async (within: Options) => {
      const parent = await this.parents.findById(parentId, undefined, within);
      const version = checked ? randomUUID() : undefined;
      let expected: string | null | undefined;
      const stamp = (child?: Row): ChildStamp => {
        const {model: {property}} = this;
        const parentName = live.name;
        if (checked) {
          expected = expectedParentVersion({property, parentName, parentId, parent, child, named});
        }
        const unmoved = child ? undefined : (parent._version as string | undefined);
        return {version: version ?? unmoved, context};
      };
      const {children, child} = await change({children: this.childrenOf(parent), stamp});
      const versions = checked ? {_version: expected, _newVersion: version} : {};
      const {version: _, ...rest} = within;
      const data = {[this.model.name]: this.model.valueOf(children), ...versions};
      await this.parents.updateById(parentId, data, {...rest, [CHILD_WRITE]: true});
      return child;
    };
    return checked ? run(options) : withLockedRow(live, parentId, options, run);
  }

  private childrenOf(parent: Row): Row[] {
    return this.model.childrenOf(parent[this.model.name]).map(child => ({...child}));
  }

  /** Versions are a child's to carry only where it has them; elsewhere they are unknown to it. */
  private named(data: Row, {version}: Options): {versions: EmbeddedVersions; rest: Row} {
    if (!this.model.property.versioned) {
      this.refuseVersions(data);
      return {versions: {_parentVersion: version}, rest: data};
    }
    const {_version, _parentVersion = version, ...rest} = data;
    return {versions: {_version, _parentVersion} as EmbeddedVersions, rest};
  }

  private refuseVersions(data: Row): void {
    const unknown = ['_version', '_parentVersion'].filter(name => data[name] !== undefined);
    if (unknown.length === 0) return;
    const problems = unknown.map(name => ({
      path: `/${this.model.name}/${name}`,
      message: 'is unknown: the model has no versions',
    }));
    throw new EmbeddedValidationError(this.model.childName, problems);
  }

  private indexOf(children: readonly Row[], parentId: unknown, childId: ChildId): number {
    const {idName, kind} = this.model.property;
    const at =
      kind === 'one'
        ? children.length - 1
        : children.findIndex(child => String(child[idName!]) === String(childId));
    if (at < 0) throw new EntityNotFoundError(this.model.childName, childId ?? parentId);
    return at;
  }

  private assertNew(children: readonly Row[], parentId: unknown, child: Row): void {
    const {idName, kind} = this.model.property;
    if (kind === 'one') return;
    const id = child[idName!];
    if (children.some(other => String(other[idName!]) === String(id))) {
      throw new EmbeddedExistsError(this.model.childName, parentId, id);
    }
  }
}
