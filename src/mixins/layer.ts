import type {Context, Getter} from '@loopback/core';
import {
  EntityNotFoundError,
  InvalidBodyError,
  type Count,
  type DataObject,
  type DefaultCrudRepository,
  type Entity,
  type Filter,
  type FilterExcludingWhere,
  type juggler,
  type Model,
  type Options,
  type Where,
} from '@loopback/repository';
import {LiveEntitiesBindings} from '../keys';
import type {BehaviourName} from './behaviour';
import {behavioursOf, isDeclarative, type MixinSettings} from './behaviours-of';
import {Cascade, type RelatedGetter} from './cascade';
import {knowConversionsOf} from './conversions';
import {embedsChildren} from './embedded/definition';
import {Embeddings} from './embedded/embeddings';
import type {PostgresExecutor} from './executors/postgres';
import type {JugglerInstance} from './juggler';
import {liveEntityOf} from './live-entities';
import type {EntityClass, LiveEntity} from './live-entity';
import {addProperties, storedDefinition, withDefinition} from './model-definition';
import type {Row} from './plan';
import {behavioursNamed} from './planner';
import {EntityReader} from './reader';
import type {RepositoryHost} from './repository-host';
import {Surroundings} from './surroundings';
import {EntityWriter} from './writer';

/* eslint-disable @typescript-eslint/no-explicit-any -- a mixin of LoopBack repositories needs it */

/** A repository class that behaviours can be given to. */
export type RepositoryClass = abstract new (...args: any[]) => DefaultCrudRepository<any, any, any>;

export type AnyEntity = Entity & Row;

/** What the layer has for those who build on it. */
export interface LiveRepository extends RepositoryHost<AnyEntity> {
  liveContext: Context | undefined;
  readonly reader: EntityReader<AnyEntity>;
  readonly writer: EntityWriter<AnyEntity>;
  readonly embeddings: Embeddings;
  readonly cascade: Cascade;
}

export type LiveRepositoryClass = abstract new (
  ...args: any[]
) => DefaultCrudRepository<any, any, any> & LiveRepository;

/**
 * Puts all behaviours between a repository class of LoopBack and its subclasses. Which of them are
 * active, the constructed class says; without any, every method is LoopBack's own.
 */
// eslint-disable-next-line max-lines-per-function -- the function is a class
export function liveLayer(superClass: RepositoryClass): LiveRepositoryClass {
  abstract class LiveEntityRepository extends superClass implements LiveRepository {
    /** Undefined in a repository without behaviours. */
    live!: LiveEntity;
    surroundings!: Surroundings;
    private context?: Context;
    reader!: EntityReader<AnyEntity>;
    writer!: EntityWriter<AnyEntity>;
    embeddings!: Embeddings;
    cascade!: Cascade;
    readonly related: Map<string, RelatedGetter>;

    constructor(entityClass: EntityClass, dataSource: juggler.DataSource, ...rest: unknown[]) {
      const names = behavioursOf(new.target, entityClass.definition);
      addProperties(entityClass, behavioursNamed(names));
      super(entityClass, dataSource, ...rest);
      this.related = new Map();
      this.goLive(names);
    }

    /** Given by dependency injection: it knows the user, the keys, the clock and the defaults. */
    get liveContext(): Context | undefined {
      return this.context;
    }

    set liveContext(context: Context | undefined) {
      this.context = context;
      if (context && isDeclarative(this.constructor)) {
        const key = LiveEntitiesBindings.COMPONENT;
        const config = context.getConfigSync<{mixins?: MixinSettings}>(key);
        const {definition} = this.entityClass;
        this.goLive(behavioursOf(this.constructor, definition, config?.mixins));
      } else if (this.live) {
        this.goLive(behavioursOf(this.constructor, this.entityClass.definition));
      }
    }

    // ---- RepositoryHost

    get makesEntitiesPlainly(): boolean {
      return (
        this.toEntity === LiveEntityRepository.prototype.toEntity &&
        this.toEntities === superClass.prototype.toEntities
      );
    }

    toData(entity: object, options: Options | undefined): Promise<Row> {
      return this.entityToData(entity as AnyEntity, options) as Promise<Row>;
    }

    toLiveEntity(instance: JugglerInstance): AnyEntity {
      return this.toEntity(instance as never);
    }

    toStoredEntity(row: Row): AnyEntity {
      const asStored = {applySetters: false, applyDefaultValues: false, persisted: true};
      return this.toLiveEntity(new this.live.model(row, asStored));
    }

    withRelated(entities: AnyEntity[], include: Filter['include'], options: Options) {
      return this.includeRelatedModels(entities, include, options);
    }

    // ---- Writes

    override async create(entity: DataObject<AnyEntity>, options?: Options): Promise<any> {
      if (!this.live) return super.create(entity, options);
      const complete = await this.embeddings.ofNew(entity, options);
      const toEntities = ([instance]: JugglerInstance[]) => [this.toLiveEntity(instance)];
      return (await this.writer.create([complete], toEntities, options))[0];
    }

    override async createAll(entities: DataObject<AnyEntity>[], options?: Options): Promise<any[]> {
      if (!this.live) return super.createAll(entities, options);
      const complete = entities.map(entity => this.embeddings.ofNew(entity, options));
      const toEntities = (all: JugglerInstance[]) => this.toEntities<AnyEntity>(all as never);
      return this.writer.create(await Promise.all(complete), toEntities, options);
    }

    override async save(entity: AnyEntity, options?: Options): Promise<any> {
      if (!this.live || this.entityClass.getIdOf(entity) == null) {
        return super.save(entity, options);
      }
      await this.replaceById(entity.getId(), entity, this.writingBack(entity, options));
      return new this.entityClass(entity.toObject());
    }

    override async update(entity: AnyEntity, options?: Options): Promise<void> {
      await super.update(entity, this.live ? this.writingBack(entity, options) : options);
    }

    override async updateById(id: any, data: DataObject<AnyEntity>, options?: Options) {
      if (!this.live) return super.updateById(id, data, options);
      if (Object.keys(data).length === 0) throw new InvalidBodyError(this.entityClass, id);
      return this.writeById('update', id, data, options);
    }

    override async replaceById(id: any, data: DataObject<AnyEntity>, options?: Options) {
      if (!this.live) return super.replaceById(id, data, options);
      return this.writeById('replace', id, data, options);
    }

    override async updateAll(data: DataObject<AnyEntity>, where?: Where<any>, options?: Options) {
      if (!this.live) return super.updateAll(data, where, options);
      const input = await this.writer.inputFrom(await this.embeddings.ofMany(data), options);
      return countOf(this.writer.change('update', {where: where ?? {}}, input, options));
    }

    override async delete(entity: AnyEntity, options?: Options): Promise<void> {
      if (!this.live) return super.delete(entity, options);
      const version = options?.version ?? entity._version;
      return super.delete(entity, version === undefined ? options : {...options, version});
    }

    override async deleteById(id: any, options?: Options): Promise<void> {
      if (!this.live) return super.deleteById(id, options);
      await this.cascade.run('delete', {id}, options);
    }

    override async deleteAll(where?: Where<any>, options?: Options): Promise<Count> {
      if (!this.live) return super.deleteAll(where, options);
      return countOf(this.cascade.run('delete', {where: where ?? {}}, options));
    }

    // ---- Reads

    override async find(filter?: Filter<any>, options?: Options): Promise<any[]> {
      if (!this.live) return super.find(filter, options);
      const {directReads} = this;
      const found = directReads && (await this.reader.readDirectly(directReads, filter, options));
      return found ?? this.reader.read(filter, options, f => super.find(f, options));
    }

    override async findOne(filter?: Filter<any>, options?: Options): Promise<any> {
      if (!this.live) return super.findOne(filter, options);
      const {directReads} = this;
      const first = {limit: 1} as const;
      const direct = directReads && this.reader.readDirectly(directReads, filter, options, first);
      const found = await direct;
      if (found) return found[0] ?? null;
      const run = async (f: Filter<any>) => [await super.findOne(f, options)].filter(Boolean);
      return (await this.reader.read(filter, options, run))[0] ?? null;
    }

    override async findById(id: any, filter?: FilterExcludingWhere<any>, options?: Options) {
      if (!this.live) return super.findById(id, filter, options);
      const run = async (f: Filter<any>) => [await super.findOne(f, options)].filter(Boolean);
      const byId = {...filter, where: this.reader.byId(id)};
      const direct = filter && Object.keys(filter).length ? undefined : this.directReads;
      const [found] = direct
        ? await this.reader.readById(direct, id, options)
        : await this.reader.read(byId, options, run);
      if (!found) throw new EntityNotFoundError(this.entityClass, id);
      return found;
    }

    override async count(where?: Where<any>, options?: Options): Promise<Count> {
      if (!this.live) return super.count(where, options);
      return {count: await this.countRows(where, options)};
    }

    override async exists(id: any, options?: Options): Promise<boolean> {
      if (!this.live) return super.exists(id, options);
      return (await this.countRows(this.reader.byId(id), options)) > 0;
    }

    // ---- Relations

    protected override createHasManyRepositoryFactoryFor(name: string, getter: Getter<any>): any {
      this.related.set(name, getter);
      return super.createHasManyRepositoryFactoryFor(name, getter);
    }

    protected override createHasOneRepositoryFactoryFor(name: string, getter: any): any {
      if (typeof getter === 'function') this.related.set(name, getter);
      return super.createHasOneRepositoryFactoryFor(name, getter);
    }

    // ---- Inside

    /** The persisted model has columns that the entity hides, and lacks what is input only. */
    protected override definePersistedModel(entityClass: typeof Model) {
      if (entityClass !== this.entityClass) return super.definePersistedModel(entityClass);
      const behaviours = behavioursNamed(
        behavioursOf(this.constructor, entityClass.definition),
      );
      const stored = storedDefinition(entityClass.definition, behaviours, this.dataSource);
      return super.definePersistedModel(withDefinition(stored));
    }

    protected override toEntity<R extends AnyEntity>(model: juggler.PersistedModel): R {
      const entity = super.toEntity<R>(model);
      this.live?.hidden.forEach(name => name in entity && delete (entity as Row)[name]);
      this.live?.hydrateChildren(entity);
      return entity;
    }

    /** PostgreSQL, where a read needs nothing of juggler and none of its steps is another's. */
    private get directReads(): PostgresExecutor | undefined {
      const {normalizeFilter, includeRelatedModels} = superClass.prototype;
      const isOurs =
        this.makesEntitiesPlainly &&
        this.normalizeFilter === normalizeFilter &&
        this.includeRelatedModels === includeRelatedModels;
      return isOurs ? this.live.directReads : undefined;
    }

    private async countRows(where?: Where<any>, options?: Options): Promise<number> {
      const {directReads} = this.live;
      if (directReads) return this.reader.countDirectly(directReads, where, options);
      return (await super.count(await this.reader.checkedWhere(where, options), options)).count;
    }

    private async writeById(
      kind: 'update' | 'replace',
      id: unknown,
      data: DataObject<AnyEntity>,
      options?: Options,
    ): Promise<void> {
      const own = await this.embeddings.ofChange(id, data, options);
      const input = await this.writer.inputFrom(own, options);
      await this.writer.change(kind, {id}, input, options);
    }

    /** An entity that was saved can be saved again: it knows the version that it now has. */
    private writingBack(entity: AnyEntity, options?: Options): Options {
      const onWritten = (stamp: Row) => {
        Object.assign(entity, stamp);
        options?.onWritten?.(stamp);
      };
      return {...options, onWritten};
    }

    private goLive(names: Set<BehaviourName>): void {
      if (names.size === 0 && !embedsChildren(this.entityClass.definition)) return;
      this.live = liveEntityOf(this.entityClass, this.modelClass, names, definition =>
        super.definePersistedModel(withDefinition(definition)),
      );
      this.surroundings = new Surroundings(this.live, this.context);
      this.reader = new EntityReader(this);
      this.writer = new EntityWriter(this);
      this.embeddings = new Embeddings(this);
      this.cascade = new Cascade(this);
    }
  }
  knowConversionsOf(LiveEntityRepository.prototype);
  return LiveEntityRepository;
}

/** The count of a write of many rows, whose values nobody waits for. */
export async function countOf(write: Promise<{count: number}>): Promise<Count> {
  return {count: (await write).count};
}
