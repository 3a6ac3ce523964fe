import type {Entity} from '@loopback/repository';
import type {Behaviour, BehaviourName} from './behaviour';
import type {SearchableProperty} from './crypto/searchable';
import {comparesExactly, isUuid} from './column-types';
import {embeddedProperties} from './embedded/definition';
import {EmbeddedModel} from './embedded/embedded-model';
import {InvalidWhereError} from './errors';
import {encryptedProperties, searchableIn} from './encrypted-columns';
import type {Executor, PlanTarget} from './executors/executor';
import {guardConnector} from './executors/guarded-connector';
import {JugglerExecutor} from './executors/juggler';
import {PostgresExecutor} from './executors/postgres';
import {isPostgresConnector} from './executors/postgres-connector';
import {coercedValue, hasWriteHooks, type JugglerModelClass} from './juggler';
import {readsPlainly} from './juggler-reads';
import {isNumeric, isRelational} from './where-check';
import {has, idIsMadeByApplication} from './model-definition';
import type {Row} from './plan';

/** An entity class, as repositories take it. */
export type EntityClass = typeof Entity & {prototype: Entity};

/** What is the same for all repositories of one entity on one datasource. */
export class LiveEntity implements PlanTarget {
  readonly name: string;
  readonly idName: string;
  /** The encrypted properties; empty without the behaviour. */
  readonly encrypted: ReturnType<typeof encryptedProperties>;
  /** The encrypted properties that can be found. */
  readonly searchable: readonly SearchableProperty[];
  /** The properties that hold children of other models. */
  readonly embedded: readonly EmbeddedModel[];
  /** Whether the id of a row is known before the row is written. */
  readonly idIsOurs: boolean;
  /** Stored, but not shown. */
  readonly internal: readonly string[];
  /** The entity's own properties that are dates, without those of behaviours. */
  readonly dates: readonly string[];
  /** What no entity shows: those, and those of other repositories of the entity. */
  hidden: readonly string[] = [];

  constructor(
    readonly entityClass: EntityClass,
    readonly behaviours: readonly Behaviour[],
    readonly model: JugglerModelClass,
    readonly history: JugglerModelClass | undefined,
  ) {
    const {definition} = entityClass;
    guardConnector(model.dataSource.connector);
    this.name = definition.name;
    this.idName = model.definition.idName();
    const encrypts = has(behaviours, 'crypto');
    this.encrypted = encrypts ? encryptedProperties(definition) : {};
    this.searchable = encrypts ? searchableIn(definition) : [];
    this.embedded = embeddedProperties(definition).map(p => new EmbeddedModel(p));
    const added = new Set(behaviours.flatMap(b => Object.keys(b.properties)));
    this.dates = Object.entries(definition.properties)
      .filter(([name, {type}]) => !added.has(name) && (type === Date || type === 'date'))
      .map(([name]) => name);
    this.idIsOurs = idIsMadeByApplication(definition.properties[this.idName]);
    this.internal = [
      ...behaviours.flatMap(b => Object.keys(b.internal)),
      ...this.searchable.map(({column}) => column),
    ];
  }

  has(name: BehaviourName): boolean {
    return has(this.behaviours, name);
  }

  /** The embedded properties that a row lacks. */
  absentChildren(row: Row): string[] {
    return this.embedded.map(({name}) => name).filter(name => row[name] === undefined);
  }

  /** A row to be stored: with data for children, not with instances of their models. */
  withPlainChildren(row: Row): Row {
    for (const model of this.embedded) {
      if (row[model.name] != null) row[model.name] = model.plainValue(row[model.name]);
    }
    return row;
  }

  /** Puts instances of their models into an entity that was read, where its children are. */
  hydrateChildren(entity: Row): void {
    for (const model of this.embedded) {
      if (model.name in entity) entity[model.name] = model.hydrated(entity[model.name]);
    }
  }

  /** Where a property is stored: with its blind index, if it has one. */
  columnsOf(property: string): string[] {
    const searched = this.searchable.filter(each => each.property === property);
    return [property, ...searched.map(({column}) => column)];
  }

  /** Hooks of juggler see writes only when juggler makes them. */
  get executor(): Executor {
    return hasWriteHooks(this.model) ? viaJuggler : (this.postgres ?? viaJuggler);
  }

  /** The executor of PostgreSQL, where the datasource is one. */
  get postgres(): PostgresExecutor | undefined {
    const {connector} = this.model.dataSource;
    if (!isPostgresConnector(connector)) return undefined;
    let executor = executors.get(connector);
    if (!executor) executors.set(connector, (executor = new PostgresExecutor(connector)));
    return executor;
  }

  /** PostgreSQL, where a read by id needs nothing of juggler. */
  get directReads(): PostgresExecutor | undefined {
    return readsPlainly(this.model) ? this.postgres : undefined;
  }

  /**
   * Whether ciphertext is bound to the id of its row: only where the id is known before the row is
   * written, and stays as it was spelt. PostgreSQL pads a char(n) and shortens a bigint's '007'.
   */
  get bindsIds(): boolean {
    return this.idIsOurs && (!this.postgres || this.comparesIdsExactly);
  }

  /** Whether the database takes two spellings of an id for two ids, UUIDs aside. */
  get comparesIdsExactly(): boolean {
    const {dataSource, definition} = this.model;
    const property = definition.properties[this.idName];
    if (this.postgres) return isUuid(property) || comparesExactly(property);
    const isRelational = (dataSource.connector as {relational?: boolean}).relational;
    return property.type !== String || !isRelational;
  }

  /**
   * An id as the model types it, so that `'7'` and `7` are one row.
   *
   * @throws InvalidWhereError for `'7 days'`, which MySQL and MariaDB would take for 7
   */
  typedId(id: unknown): unknown {
    const {type} = this.model.definition.properties[this.idName];
    if (type === Number && isRelational(this.model) && !isNumeric(id)) {
      throw new InvalidWhereError(`An id of ${this.name} is a number.`);
    }
    return coercedValue(this.model, this.idName, id);
  }
}

const viaJuggler = new JugglerExecutor();
const executors = new WeakMap<object, PostgresExecutor>();
