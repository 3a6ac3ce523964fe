import {
  EntityNotFoundError,
  type Count,
  type Entity,
  type Filter,
  type Options,
  type Where,
} from '@loopback/repository';
import {CRUDBlockedError} from '../../core/errors';
import type {Scope} from '../../core/scope';
import type {Revision, RevisionRef} from '../../mixins/history/entity-history';
import {conjunction} from '../../mixins/planner';
import {inclusionsOf} from './relations';
import type {AnyEntity, EntityRepository, Row} from './types';

/** The scope of whoever makes the call, for any entity. */
export type ScopeOf = (entity: typeof Entity) => Promise<Scope | undefined>;

/**
 * The rows of an entity as the caller's scope lets them be reached: what is outside is not found,
 * not counted and not changed. Included relations are cut to the scopes of their own entities.
 */
export class ScopedRows {
  constructor(
    private readonly repository: EntityRepository,
    private readonly entity: typeof Entity,
    private readonly scopeOf: ScopeOf,
  ) {}

  async isScoped(): Promise<boolean> {
    return (await this.scope()) !== undefined;
  }

  async find(filter?: Filter): Promise<AnyEntity[]> {
    return this.repository.find(await this.within(filter));
  }

  async count(where?: Where): Promise<Count> {
    return this.repository.count(await this.both(where));
  }

  /** @throws EntityNotFoundError for a row that is absent or outside */
  async findById(id: unknown, filter?: Filter, options?: Options): Promise<AnyEntity> {
    const scope = await this.scope();
    const related = await this.withRelations(filter, this.entity);
    if (!scope) return this.repository.findById(id, related, options);
    const where = conjunction([this.byId(id), scope.where]) as Where<AnyEntity>;
    const row = await this.repository.findOne({...related, where}, options);
    if (!row) throw new EntityNotFoundError(this.entity, id);
    return row;
  }

  /** @throws EntityNotFoundError for a state that is absent or outside */
  async findByIdAsOf(id: unknown, when: Date, filter?: Filter): Promise<AnyEntity> {
    // The order of one row is none, and SQL cannot order a union by what it computes.
    const {order: _, ...rest} = filter ?? {};
    return this.repository.findByIdAsOf(id, when, await this.within(rest));
  }

  async updateAll(data: Row, where: Where | undefined): Promise<Count> {
    if ((await this.scope())?.dependsOn(data)) {
      throw new CRUDBlockedError('pre', 'what decides who may reach a row is changed by id alone');
    }
    return this.repository.updateAll(data, await this.both(where));
  }

  async findHistory(filter?: Filter): Promise<Revision<AnyEntity>[]> {
    return this.repository.findHistory({...filter, where: await this.both(filter?.where)});
  }

  async history(id: unknown, filter?: Filter): Promise<Revision<AnyEntity>[]> {
    await this.mustReach(id);
    return this.repository.history(id, {...filter, where: await this.both(filter?.where)});
  }

  /**
   * Makes sure that a row is within, deleted or not, and so are the states of it that are named.
   *
   * @throws EntityNotFoundError
   */
  async mustReach(id: unknown, states: readonly RevisionRef[] = []): Promise<void> {
    const scope = await this.scope();
    if (!scope) return;
    await this.findById(id, undefined, {withDeleted: true});
    const past = states.filter(state => state !== 'current');
    if (past.length === 0) return;
    const named = {_revision: {inq: past}} as Where;
    const all = await this.repository.history(id, {where: named});
    const within = await this.repository.history(id, {where: await this.both(named)});
    if (within.length < all.length) throw new EntityNotFoundError(this.entity, id);
  }

  /** @throws CRUDBlockedError (403) for a new row that would be outside */
  async keepNew(data: Row): Promise<void> {
    (await this.scope())?.keepNew(data);
  }

  /** @throws CRUDBlockedError (403) for a change that would move the row out */
  async keepChanged(before: Entity, data: Row): Promise<void> {
    const scope = await this.scope();
    if (scope?.dependsOn(data)) scope.keep({...before.toObject(), ...data});
  }

  /**
   * @param kept - Names of properties that a replacement leaves as they are
   * @throws CRUDBlockedError (403) for a replacement that would be outside
   */
  async keepReplaced(before: Entity, data: Row, kept: ReadonlySet<string>): Promise<void> {
    const scope = await this.scope();
    if (!scope) return;
    const stays = Object.entries(before.toObject()).filter(([name]) => kept.has(name));
    const row = {...Object.fromEntries(stays), ...data};
    // What is left out becomes null or, on some connectors, its default.
    scope.keep(row);
    scope.keep({...scope.newRow(data), ...row});
  }

  private scope(): Promise<Scope | undefined> {
    return this.scopeOf(this.entity);
  }

  private byId(id: unknown): Where {
    return {[this.entity.getIdProperties()[0]]: id} as Where;
  }

  private async both(where: Where | undefined): Promise<Where<AnyEntity> | undefined> {
    const scope = await this.scope();
    return scope ? conjunction([where, scope.where]) as Where<AnyEntity> : where;
  }

  private async within(filter: Filter | undefined, entity = this.entity) {
    const scope = await this.scopeOf(entity);
    const related = await this.withRelations(filter, entity);
    if (!scope) return related;
    return {...related, where: conjunction([filter?.where, scope.where])} as Filter<AnyEntity>;
  }

  private async withRelations(filter: Filter | undefined, entity: typeof Entity) {
    const inclusions = inclusionsOf(entity, filter);
    if (inclusions.length === 0) return filter;
    const include = await Promise.all(
      inclusions.map(async ({relation, target, scope: asked}): Promise<object> => {
        const scope: Filter | undefined = await this.within(asked, target);
        return scope ? {relation, scope} : {relation};
      }),
    );
    return {...filter, include} as Filter<AnyEntity>;
  }
}
