import {randomUUID} from 'node:crypto';
import type {Options} from '@loopback/repository';
import type {Row} from '../plan';
import {CHILD_WRITE, type LiveOptions} from '../options';
import {Children, type ParentRepository} from './children';
import {EmbeddedWriteError, EmbeddingError} from './errors';
import type {EmbeddedModel} from './embedded-model';
import type {EmbeddedManyRepository, EmbeddedOneRepository} from './embedded-repository';

/** What embedded children add to the writes of their parents, and how they are reached. */
export class Embeddings {
  constructor(private readonly parents: ParentRepository) {}

  /** @throws EmbeddingError when a declaration does not fit the behaviours of the repository */
  check(): void {
    const {live} = this.parents;
    const stranded = live.embedded.find(({property}) => property.versioned);
    if (stranded && !live.has('version')) {
      throw new EmbeddingError(
        `${live.name}.${stranded.name} embeds ${stranded.childName}, which is versioned: the ` +
          `repository of ${live.name} has to be versioned, too.`,
      );
    }
  }

  /** Data of a new parent, with its children checked and stamped with the parent's own version. */
  async ofNew(data: object, options: Options = {}): Promise<object> {
    const {live, surroundings, entityClass} = this.parents;
    const present = live.embedded.filter(({name}) => (data as Row)[name] != null);
    if (present.length === 0) return data;
    this.check();
    const row: Row = {...data};
    const version = live.has('version')
      ? (row._newVersion as string | undefined) ?? randomUUID()
      : undefined;
    const stamp = {version, context: await surroundings.writeContext(options)};
    for (const model of present) {
      const children = await Promise.all(
        model.childrenOf(row[model.name]).map(child => model.fresh(child, stamp)),
      );
      row[model.name] = model.valueOf(children);
    }
    if (version !== undefined) row._newVersion = version;
    return new entityClass(row);
  }

  /**
   * Data of a write of a parent, without the children that it does not change.
   *
   * @throws EmbeddedWriteError for a child that has its own version, EmbeddedValidationError
   */
  async ofChange(id: unknown, data: object, options: Options = {}): Promise<object> {
    const {live} = this.parents;
    const given = live.embedded.filter(({name}) => (data as Row)[name] !== undefined);
    if (given.length === 0 || (options as LiveOptions)[CHILD_WRITE]) return data;
    this.check();
    const row: Row = {...data};
    const own = given.filter(({property}) => property.versioned);
    const present = own.length ? await this.parents.findById(id, undefined, options) : undefined;
    for (const model of own) {
      if (!sameChildren(model, row[model.name], present![model.name])) {
        this.assertStale(model, row, present!, options);
      }
      delete row[model.name];
    }
    for (const model of given.filter(({property}) => !property.versioned)) {
      row[model.name] = await checkedValue(model, row[model.name]);
    }
    return row;
  }

  /** @throws EmbeddedWriteError: a child that has its own version is not written with many rows */
  async ofMany(data: object): Promise<object> {
    const {live} = this.parents;
    const given = live.embedded.filter(({name}) => (data as Row)[name] !== undefined);
    if (given.length === 0) return data;
    const row: Row = {...data};
    for (const model of given) {
      if (model.property.versioned) throw new EmbeddedWriteError(live.name, model.name);
      row[model.name] = await checkedValue(model, row[model.name]);
    }
    return row;
  }

  /** The properties that a replacement leaves as they are, because its data does not have them. */
  kept(data: object): string[] {
    const absent = this.parents.live.embedded.filter(({name}) => (data as Row)[name] === undefined);
    return absent.map(({name}) => name);
  }

  /** @throws EmbeddingError for a property that embeds nothing */
  repository(
    property: string,
  ): EmbeddedOneRepository<never, unknown> | EmbeddedManyRepository<never, unknown> {
    const {live} = this.parents;
    const model = live.embedded.find(({name}) => name === property);
    if (!model) throw new EmbeddingError(`${live.name} embeds nothing as "${property}".`);
    this.check();
    const children = new Children(this.parents, model);
    return (model.property.kind === 'one' ? oneOf(children) : manyOf(children)) as never;
  }

  /** Who sends back a stale parent is told so by the write itself. */
  private assertStale({name}: EmbeddedModel, row: Row, present: Row, options: Options): void {
    const named = options.version !== undefined ? options.version : row._version;
    const isCurrent = named === (present._version ?? null) || options.bumpVersion === false;
    if (isCurrent) throw new EmbeddedWriteError(this.parents.live.name, name);
  }
}

function oneOf(children: Children) {
  return {
    get: (id: unknown, options?: Options) => children.one(id, undefined, options),
    create: (id: unknown, data: Row, options?: Options) => children.create(id, data, options),
    update: (id: unknown, data: Row, options?: Options) =>
      children.update(id, undefined, data, options),
    replace: (id: unknown, data: Row, options?: Options) =>
      children.replace(id, undefined, data, options),
    delete: (id: unknown, options?: Options) => children.delete(id, undefined, options),
  };
}

function manyOf(children: Children) {
  return {
    get: (id: unknown, childId?: string | number, options?: Options) =>
      childId === undefined ? children.all(id, options) : children.one(id, childId, options),
    create: (id: unknown, data: Row, options?: Options) => children.create(id, data, options),
    update: (...call: Parameters<Children['update']>) => children.update(...call),
    replace: (...call: Parameters<Children['replace']>) => children.replace(...call),
    delete: (...call: Parameters<Children['delete']>) => children.delete(...call),
  };
}

function sameChildren(model: EmbeddedModel, given: unknown, stored: unknown): boolean {
  const [a, b] = [model.childrenOf(given), model.childrenOf(stored)];
  return a.length === b.length && a.every((child, i) => model.isSame(child, b[i]));
}

async function checkedValue(model: EmbeddedModel, value: unknown): Promise<unknown> {
  if (value === null) return null;
  const children = model.childrenOf(value).map(child => model.writable(child));
  for (const child of children) await model.check(child);
  return model.valueOf(children);
}
