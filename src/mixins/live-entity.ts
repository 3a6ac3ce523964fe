import type {Entity} from '@loopback/repository';
import type {Behaviour, BehaviourName} from './behaviour';
import type {Executor, PlanTarget} from './executors/executor';
import {JugglerExecutor} from './executors/juggler';
import {PostgresExecutor} from './executors/postgres';
import {isPostgresConnector} from './executors/postgres-connector';
import {coercedValue, hasWriteHooks, readsPlainly, type JugglerModelClass} from './juggler';
import {encryptedProperties, has, idIsMadeByApplication} from './model-definition';

/** An entity class, as repositories take it. */
export type EntityClass = typeof Entity & {prototype: Entity};

/** What is the same for all repositories of one entity on one datasource. */
export class LiveEntity implements PlanTarget {
  readonly name: string;
  readonly idName: string;
  /** The encrypted properties; empty without the behaviour. */
  readonly encrypted: ReturnType<typeof encryptedProperties>;
  /** Whether the id of a row is known before the row is written. */
  readonly idIsOurs: boolean;
  /** Stored, but not shown. */
  readonly internal: readonly string[];

  constructor(
    readonly entityClass: EntityClass,
    readonly behaviours: readonly Behaviour[],
    readonly model: JugglerModelClass,
    readonly history: JugglerModelClass | undefined,
  ) {
    const {definition} = entityClass;
    this.name = definition.name;
    this.idName = model.definition.idName();
    this.encrypted = has(behaviours, 'crypto') ? encryptedProperties(definition) : {};
    this.idIsOurs = idIsMadeByApplication(definition.properties[this.idName]);
    this.internal = behaviours.flatMap(b => Object.keys(b.internal));
  }

  has(name: BehaviourName): boolean {
    return has(this.behaviours, name);
  }

  knows(property: string): boolean {
    return property in this.model.definition.properties;
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

  /** An id as the model types it, so that `'7'` and `7` are one row. */
  typedId(id: unknown): unknown {
    return coercedValue(this.model, this.idName, id);
  }
}

const viaJuggler = new JugglerExecutor();
const executors = new WeakMap<object, PostgresExecutor>();
