import type {Context} from '@loopback/core';
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
import {BehaviourMissingError, VersionConflictError} from './errors';
import {EntityHistory, type RevisionRef} from './history/entity-history';
import type {PruneOptions} from './history/prune';
import type {JugglerInstance, JugglerModelClass} from './juggler';
import {LiveEntity, type EntityClass} from './live-entity';
import {
  addProperties,
  completeStoredModel,
  has,
  historyDefinition,
  storedDefinition,
  withDefinition,
} from './model-definition';
import type {Row} from './plan';
import {behavioursNamed, conjunction} from './planner';
import {EntityReader} from './reader';
import type {RepositoryHost} from './repository-host';
import {Surroundings} from './surroundings';
import {EntityWriter} from './writer';

/* eslint-disable @typescript-eslint/no-explicit-any -- a mixin of LoopBack repositories needs it */

/** A repository class that behaviours can be given to. */
export type RepositoryClass = abstract new (...args: any[]) => DefaultCrudRepository<any, any, any>;

type AnyEntity = Entity & Row;

/**
 * Puts all behaviours between a repository class of LoopBack and its subclasses. Which of them are
 * active, the constructed class says; without any, every method is LoopBack's own.
 */
export function liveLayer(superClass: RepositoryClass): RepositoryClass {
  abstract class LiveEntityRepository extends superClass implements RepositoryHost<AnyEntity> {
    /** Undefined in a repository without behaviours. */
    live!: LiveEntity;
    surroundings!: Surroundings;
    private context?: Context;
    private reader!: EntityReader<AnyEntity>;
    private writer!: EntityWriter<AnyEntity>;
    private stamps: WeakMap<object, Row>;

    constructor(entityClass: EntityClass, dataSource: juggler.DataSource, ...rest: unknown[]) {
      const names = behavioursOf(new.target, entityClass.definition);
      addProperties(entityClass, behavioursNamed(names));
      super(entityClass, dataSource, ...rest);
      this.stamps = new WeakMap();
      this.goLive(names);
    }

    /** Given by dependency injection: it knows the user, the keys, the clock and the defaults. */
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

    toData(entity: object, options: Options | undefined): Promise<Row> {
      return this.entityToData(entity as AnyEntity, options) as Promise<Row>;
    }

    toLiveEntity(instance: JugglerInstance): AnyEntity {
      return this.toEntity(instance as never);
    }

    toStoredEntity(row: Row): AnyEntity {
      const asStored = {applySetters: false, applyDefaultValues: false, persisted: true};
      return this.toEntity(new (this.modelClass as any)(row, asStored));
    }

    // ---- Writes

    override async create(entity: DataObject<AnyEntity>, options?: Options): Promise<any> {
      if (!this.live) return super.create(entity, options);
      return (await this.writer.create([entity], options))[0];
    }

    override async createAll(entities: DataObject<AnyEntity>[], options?: Options): Promise<any[]> {
      if (!this.live) return super.createAll(entities, options);
      return this.writer.create(entities, options);
    }

    override async save(entity: AnyEntity, options?: Options): Promise<any> {
      if (!this.live || this.entityClass.getIdOf(entity) == null) {
        return super.save(entity, options);
      }
      await this.replaceById(entity.getId(), entity, options);
      this.writeBack(entity);
      return new this.entityClass(entity.toObject());
    }

    override async update(entity: AnyEntity, options?: Options): Promise<void> {
      await super.update(entity, options);
      if (this.live) this.writeBack(entity);
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
      const input = await this.writer.inputFrom(data, options);
      return this.countOf(this.writer.change('update', {where: where ?? {}}, input, options));
    }

    override async delete(entity: AnyEntity, options?: Options): Promise<void> {
      if (!this.live) return super.delete(entity, options);
      const version = options?.version ?? entity._version;
      return super.delete(entity, version === undefined ? options : {...options, version});
    }

    override async deleteById(id: any, options?: Options): Promise<void> {
      if (!this.live) return super.deleteById(id, options);
      await this.writer.change('delete', {id}, {}, options);
    }

    override async deleteAll(where?: Where<any>, options?: Options): Promise<Count> {
      if (!this.live) return super.deleteAll(where, options);
      return this.countOf(this.writer.change('delete', {where: where ?? {}}, {}, options));
    }

    // ---- Reads

    override async find(filter?: Filter<any>, options?: Options): Promise<any[]> {
      if (!this.live) return super.find(filter, options);
      return this.reader.read(filter, options, f => super.find(f, options));
    }

    override async findOne(filter?: Filter<any>, options?: Options): Promise<any> {
      if (!this.live) return super.findOne(filter, options);
      const run = async (f: Filter<any>) => [await super.findOne(f, options)].filter(Boolean);
      return (await this.reader.read(filter, options, run))[0] ?? null;
    }

    override async findById(id: any, filter?: FilterExcludingWhere<any>, options?: Options) {
      if (!this.live) return super.findById(id, filter, options);
      const run = async (f: Filter<any>) => [await super.findOne(f, options)].filter(Boolean);
      const byId = {...filter, where: this.reader.byId(id)};
      const [found] = await this.reader.read(byId, options, run);
      if (!found) throw new EntityNotFoundError(this.entityClass, id);
      return found;
    }

    override async count(where?: Where<any>, options?: Options): Promise<Count> {
      if (!this.live) return super.count(where, options);
      return super.count(await this.reader.checkedWhere(where, options), options);
    }

    override async exists(id: any, options?: Options): Promise<boolean> {
      if (!this.live) return super.exists(id, options);
      return (await super.count(this.reader.where(this.reader.byId(id), options), options)).count > 0;
    }

    // ---- Added by behaviours

    async withRetry(id: any, work: (entity: any) => Promise<any>, options: Options = {}) {
      this.need('version');
      const {attempts = 5, ...rest} = options;
      for (let left = attempts; ; left--) {
        try {
          return await work(await this.findById(id, undefined, rest));
        } catch (error) {
          if (!(error instanceof VersionConflictError) || left <= 1) throw error;
        }
      }
    }

    async restoreById(id: any, options?: Options): Promise<void> {
      this.need('softDelete');
      await this.writer.change('restore', {id}, {}, options);
    }

    async restoreAll(where?: Where<any>, options?: Options): Promise<Count> {
      this.need('softDelete');
      return this.countOf(this.writer.change('restore', {where: where ?? {}}, {}, options));
    }

    async purge(where?: Where<any>, {olderThan}: {olderThan?: Date} = {}, options?: Options) {
      this.need('softDelete');
      const aged = conjunction([where, olderThan && {_deletedOn: {lt: olderThan}}]);
      return this.countOf(this.writer.change('purge', {where: aged}, {}, options));
    }

    async history(id: any, filter?: Filter<any>, options?: Options) {
      const where = conjunction([{_modelId: id}, filter?.where]);
      return this.past().find({...filter, where}, options);
    }

    async findHistory(filter?: Filter<any>, options?: Options) {
      return this.past().find(filter, options);
    }

    async findAsOf(when: Date | string, filter?: Filter<any>, options?: Options) {
      return this.past().findAsOf(when, filter, options);
    }

    async findByIdAsOf(id: any, when: Date | string, filter?: Filter<any>, options?: Options) {
      return this.past().findByIdAsOf(id, when, filter, options);
    }

    async diff(id: any, from: RevisionRef, to: RevisionRef, options?: Options) {
      return this.past().diff(id, from, to, options);
    }

    async revertTo(id: any, revision: number, options?: Options): Promise<void> {
      const data = await this.past().dataOf(id, revision, options);
      await this.writer.change('replace', {id}, data, options, 'revert');
    }

    async pruneHistory(options: PruneOptions): Promise<Count> {
      return this.past().prune(options);
    }

    async redactHistory(id: any, fields: readonly string[], options?: Options): Promise<Count> {
      return this.past().redact(id, fields, options);
    }

    // ---- Inside

    /** The persisted model has columns that the entity hides, and lacks what is input only. */
    protected override definePersistedModel(entityClass: typeof Model) {
      if (entityClass !== this.entityClass) return super.definePersistedModel(entityClass);
      const behaviours = behavioursNamed(
        behavioursOf(this.constructor, entityClass.definition),
      );
      const stored = storedDefinition(entityClass.definition, behaviours);
      return super.definePersistedModel(withDefinition(stored));
    }

    protected override toEntity<R extends AnyEntity>(model: juggler.PersistedModel): R {
      const entity = super.toEntity<R>(model);
      this.live?.internal.forEach(name => delete (entity as Row)[name]);
      return entity;
    }

    private async writeById(
      kind: 'update' | 'replace',
      id: unknown,
      data: DataObject<AnyEntity>,
      options?: Options,
    ): Promise<void> {
      const input = await this.writer.inputFrom(data, options);
      const {stamp} = await this.writer.change(kind, {id}, input, options);
      this.stamps.set(data, stamp);
    }

    /** An entity that was saved can be saved again: it knows the version that it now has. */
    private writeBack(entity: AnyEntity): void {
      Object.assign(entity, this.stamps.get(entity));
    }

    private async countOf(write: Promise<{count: number}>): Promise<Count> {
      return {count: (await write).count};
    }

    private past(): EntityHistory<AnyEntity> {
      this.need('history');
      return new EntityHistory(this, this.live.history!);
    }

    private need(name: BehaviourName): void {
      if (this.live?.has(name)) return;
      throw new BehaviourMissingError(this.entityClass.modelName, name);
    }

    private goLive(names: Set<BehaviourName>): void {
      if (names.size === 0) return;
      this.live = liveEntityOf(this.entityClass, this.modelClass, names, definition =>
        super.definePersistedModel(withDefinition(definition)),
      );
      this.surroundings = new Surroundings(this.live, this.context);
      this.reader = new EntityReader(this);
      this.writer = new EntityWriter(this);
    }
  }
  return LiveEntityRepository;
}

type Definer = (definition: ReturnType<typeof storedDefinition>) => unknown;

/** What repositories of one entity share, by the juggler model and the behaviours. */
const liveEntities = new WeakMap<object, Map<string, LiveEntity>>();

function liveEntityOf(
  entityClass: EntityClass,
  modelClass: unknown,
  names: Set<BehaviourName>,
  define: Definer,
): LiveEntity {
  const model = modelClass as JugglerModelClass;
  const behaviours = behavioursNamed(names);
  const key = behaviours.map(b => b.name).join();
  const known = liveEntities.get(model) ?? new Map<string, LiveEntity>();
  liveEntities.set(model, known);
  let live = known.get(key);
  if (!live) {
    addProperties(entityClass, behaviours);
    const stored = storedDefinition(entityClass.definition, behaviours);
    completeStoredModel(model, stored);
    const history = has(behaviours, 'history') ? historyModel(model, stored, define) : undefined;
    live = new LiveEntity(entityClass, behaviours, model, history);
    known.set(key, live);
  }
  return live;
}

function historyModel(
  {dataSource, definition}: JugglerModelClass,
  stored: ReturnType<typeof storedDefinition>,
  define: Definer,
): JugglerModelClass {
  const history = historyDefinition(stored, definition.idName());
  return (dataSource.getModel(history.name) ?? define(history)) as unknown as JugglerModelClass;
}
