import {isDeepStrictEqual} from 'node:util';
import {
  EntityNotFoundError,
  type Count,
  type Entity,
  type Filter,
  type Options,
  type Where,
} from '@loopback/repository';
import {visible} from '../behaviours/soft-delete';
import {InvalidWhereError} from '../errors';
import {openProperties, storable} from '../executors/juggler-values';
import {assertBindable} from '../executors/postgres-lists';
import {assertOnlyParts, assertSafeFilter, orderKeys, orderOf} from '../filter-check';
import {assertOwnTransaction, type JugglerModelClass} from '../juggler';
import {momentOf} from '../moment';
import {AS_OF, visibilityOf} from '../options';
import type {Condition, RevisionOperation, Row} from '../plan';
import {conjunction} from '../planner';
import type {RepositoryHost} from '../repository-host';
import {Secrets} from '../secrets';
import {assertPlainId, plainWhere} from '../where';
import {isOpen} from '../where-check';
import {pruneStates, type PruneOptions} from './prune';
import {selected} from '../selection';
import {statesAt} from './states-at';

/** A state that a row has had and has no more, and the write that ended it. */
export interface Revision<T> {
  entity: T;
  _modelId: unknown;
  /** 1, 2, … for each row. */
  _revision: number;
  /** When the state began, to the millisecond. */
  _validFrom: Date;
  /** When the next state began. */
  _validTo: Date;
  _operation: RevisionOperation;
  _by: string;
  _onBehalfOf?: string;
  _reason?: string;
  _requestId?: string;
}

/** One property that differs between two states. */
export interface PropertyChange {
  property: string;
  from: unknown;
  to: unknown;
}

/** A revision by its number, or the present state. */
export type RevisionRef = number | 'current';

/** What all filters of the past have. */
const PARTS = ['where', 'order', 'limit', 'offset', 'skip', 'fields'];

/** Reads and tends the states that rows have had. */
export class EntityHistory<T extends Entity> {
  private readonly secrets: Secrets;

  constructor(
    private readonly host: RepositoryHost<T>,
    private readonly model: JugglerModelClass,
  ) {
    this.secrets = new Secrets(host.live, host.surroundings);
  }

  async find(filter: Filter = {}, options: Options = {}): Promise<Revision<T>[]> {
    assertOwnTransaction(this.model, options);
    this.checkStates(filter);
    const {where, order, limit, skip, offset} = await this.secrets.filter(filter);
    const keys = orderKeys(order, this.model);
    const query = {
      where: plainWhere(where as Condition),
      order: keys.length ? orderOf(keys) : ['_modelId ASC', '_revision ASC'],
      limit,
      skip: skip ?? offset,
    };
    const found = await this.model.find(query, options);
    return Promise.all(
      found.map(async instance => {
        const revision = await this.revisionFrom(instance.toObject(true));
        selected(revision.entity, filter.fields as Filter<T>['fields']);
        return revision;
      }),
    );
  }

  /** The states that one row has had and has no more. */
  async of(id: unknown, filter: Filter = {}, options?: Options): Promise<Revision<T>[]> {
    this.checkStates(filter);
    const where = conjunction([this.byModelId(id), filter.where]) as Where;
    return this.find({order: ['_revision ASC'], ...filter, where}, options);
  }

  /** The rows as they were at a moment, those that are unchanged since then included. */
  async findAsOf(when: Date | string, filter: Filter<T> = {}, options: Options = {}): Promise<T[]> {
    const {live} = this.host;
    assertOwnTransaction(live.model, options);
    const moment = momentAfter(when);
    this.checkRows(filter);
    const asked = await this.secrets.filter(filter);
    const where = conjunction([plainWhere(asked.where as Condition), this.guard(options)]);
    const rows = await statesAt(live, this.model, moment, {...filter, where}, options);
    const opened = await this.secrets.open(rows.map(row => this.host.toStoredEntity(row)));
    const {include = []} = filter;
    const past = {...options, [AS_OF]: when};
    // The keys of relations may be among what the fields leave out.
    const entities = include.length ? await this.host.withRelated(opened, include, past) : opened;
    const relations = new Set(include.map(i => (typeof i === 'string' ? i : i.relation)));
    return entities.map(entity => selected(entity, filter.fields, relations));
  }

  async findByIdAsOf(
    id: unknown,
    when: Date | string,
    filter: Filter<T> = {},
    options?: Options,
  ): Promise<T> {
    this.checkRows(filter);
    const byId = {[this.host.live.idName]: assertPlainId(id)} as Where<T>;
    const where = {and: [byId, filter.where ?? {}]} as Where<T>;
    const [entity] = await this.findAsOf(when, {...filter, where, limit: 1}, options);
    if (!entity) throw new EntityNotFoundError(this.host.live.entityClass, id);
    return entity;
  }

  async diff(
    id: unknown,
    from: RevisionRef,
    to: RevisionRef,
    options: Options = {},
  ): Promise<PropertyChange[]> {
    const [before, after] = await Promise.all([
      this.state(id, from, options),
      this.state(id, to, options),
    ]);
    return this.ownProperties().flatMap((property): PropertyChange[] => {
      const [a, b] = [(before as Row)[property] ?? null, (after as Row)[property] ?? null];
      return isDeepStrictEqual(a, b) ? [] : [{property, from: a, to: b}];
    });
  }

  /** One state of a row, past or present. */
  async state(id: unknown, revision: RevisionRef, options: Options = {}): Promise<T> {
    const {live} = this.host;
    assertRevision(revision);
    const byModelId = this.byModelId(id);
    if (revision !== 'current') {
      const where = {...byModelId, _revision: revision} as Where;
      const [past] = await this.find({where}, options);
      if (past) return past.entity;
    }
    assertOwnTransaction(live.model, options);
    const where = conjunction([{[live.idName]: id}, this.guard(options)]);
    const [present] = await live.model.find({where, limit: 1}, options);
    const row = present?.toObject(true);
    if (row && (revision === 'current' || Number(row._revision ?? 1) === revision)) {
      return (await this.secrets.open([this.host.toStoredEntity(row)]))[0];
    }
    throw new EntityNotFoundError(`${live.name} revision`, `${String(id)}, ${revision}`);
  }

  /** The data of a past state, for writing it again. */
  async dataOf(id: unknown, revision: number, options?: Options): Promise<Row> {
    if ((revision as unknown) === 'current') assertRevision(undefined);
    const state = (await this.state(id, revision, options)) as Row;
    const {model} = this.host.live;
    const open = isOpen(model) ? Object.keys(openProperties(state, model)) : [];
    const names = [...this.ownProperties(), ...open];
    return Object.fromEntries(names.map(name => [name, storable(model, name, state[name])]));
  }

  async prune(which: PruneOptions, options: Options = {}): Promise<Count> {
    assertOwnTransaction(this.model, options);
    return pruneStates(this.host.live, this.model, which, options);
  }

  /** Empties properties in all kept states of a row, such as what a person asks to be forgotten. */
  async redact(id: unknown, fields: readonly string[], options: Options = {}): Promise<Count> {
    assertOwnTransaction(this.model, options);
    const allowed = this.ownProperties();
    if (!Array.isArray(fields) || fields.length === 0) {
      throw new InvalidWhereError('Say which properties to redact.');
    }
    const refused = fields.filter(field => !allowed.includes(field));
    if (refused.length) throw new InvalidWhereError(`Cannot redact ${refused.join(', ')}.`);
    const emptied = Object.fromEntries(
      fields.flatMap(field => this.host.live.columnsOf(field)).map(column => [column, null]),
    );
    return this.model.updateAll(this.byModelId(id), emptied, options);
  }

  /** Of a filter of states, before anything is added to it. */
  private checkStates(filter: Filter): void {
    const {entityClass, postgres} = this.host.live;
    assertSafeFilter(filter, this.model, entityClass.definition.properties);
    assertOnlyParts(filter, PARTS);
    if (postgres) assertBindable(this.model, filter.where as Condition, 'connector');
  }

  /** Of a filter of rows as they were. */
  private checkRows(filter: Filter<T>): void {
    const {entityClass, model, postgres} = this.host.live;
    assertSafeFilter(filter, model, entityClass.definition.properties);
    assertOnlyParts(filter, [...PARTS, 'include']);
    if (postgres) assertBindable(model, filter.where as Condition, 'us');
  }

  private byModelId(id: unknown): Condition {
    return {_modelId: this.host.live.typedId(assertPlainId(id))};
  }

  /** What the caller may see, of the present and of each past state. */
  private guard(options: Options): Condition | undefined {
    return this.host.live.has('softDelete') ? visible(visibilityOf(options)) : undefined;
  }

  /** The entity's properties without its id and those of behaviours. */
  private ownProperties(): string[] {
    const {live} = this.host;
    const added = new Set(live.behaviours.flatMap(b => Object.keys(b.properties)));
    return Object.keys(live.entityClass.definition.properties).filter(
      name => name !== live.idName && !added.has(name),
    );
  }

  private async revisionFrom(row: Row): Promise<Revision<T>> {
    const {_historyId, _modelId, _validTo, _operation, _by, ...state} = row;
    const {_onBehalfOf, _reason, _requestId, _revision, _validFrom, ...properties} = state;
    const entity = this.host.toStoredEntity(properties);
    await this.secrets.open([entity], () => _modelId);
    const note = {_operation, _by, _onBehalfOf, _reason, _requestId};
    const said = Object.entries(note).filter(([, v]) => v !== null && v !== undefined);
    return {
      entity,
      _modelId,
      _revision: Number(_revision),
      _validFrom,
      _validTo,
      ...Object.fromEntries(said),
    } as Revision<T>;
  }
}

/**
 * The end of the millisecond that a caller names. States begin at microseconds, JavaScript sees
 * milliseconds: with this, the `_validFrom` of a revision leads back to that revision.
 */
function momentAfter(when: Date | string): Date {
  return new Date(momentOf(when, 'The moment').getTime() + 1);
}

/** @throws InvalidWhereError: without a number, the first state that is found would be meant */
function assertRevision(revision: unknown): void {
  const isNumber = Number.isSafeInteger(revision) && (revision as number) > 0;
  if (isNumber || revision === 'current') return;
  throw new InvalidWhereError(`"${String(revision)}" is not the number of a revision.`);
}
