import type {AnyObject, juggler, Options, PropertyDefinition, Transaction} from '@loopback/repository';
import {juggler as jugglerModule} from '@loopback/repository';
import {ForeignTransactionError} from './errors';

type Row = Record<string, unknown>;
type Condition = AnyObject;

/**
 * The part of juggler's model class that is used here beyond its published types. The underscored
 * methods are what juggler's own create and updateAll run data and wheres through.
 */
export interface JugglerModelClass {
  new (data: Row, options?: Row): JugglerInstance;
  readonly modelName: string;
  readonly dataSource: juggler.DataSource & {
    defineProperty(model: string, property: string, definition: PropertyDefinition): void;
  };
  readonly definition: {
    readonly properties: Record<string, JugglerProperty>;
    readonly settings: Row;
    idName(): string;
  };
  readonly settings: Row;
  readonly _observers?: Record<string, unknown[]>;
  applyScope(query: {where?: Condition}): void;
  applyProperties(data: Row, instance?: JugglerInstance): void;
  _sanitizeData(data: Row, options: Options): Row;
  _sanitizeQuery(where: Condition, options: Options): Condition;
  _coerce(where: Condition, options: Options): Condition;
  _forDB(data: Row): Row;
  create(data: Row, options?: Options): Promise<JugglerInstance>;
  createAll(data: Row[], options?: Options): Promise<JugglerInstance[]>;
  find(filter: Row, options?: Options): Promise<JugglerInstance[]>;
  count(where: Condition, options?: Options): Promise<number>;
  updateAll(where: Condition, data: Row, options?: Options): Promise<{count: number}>;
  deleteAll(where: Condition, options?: Options): Promise<{count: number}>;
}

export type JugglerProperty = PropertyDefinition & Row;

export interface JugglerInstance {
  readonly __data: Row;
  readonly __unknownProperties?: string[];
  toObject(onlySchema?: boolean): Row;
  setAttributes(data: Row): void;
  isValid(done: (valid: boolean) => void, data: Row, options?: Options): void;
}

/** The operation hooks that see writes: with one of them, writes go through juggler. */
const WRITE_HOOKS = [
  'before save',
  'persist',
  'after save',
  'loaded',
  'before delete',
  'after delete',
  'access',
];

export function hasWriteHooks(model: JugglerModelClass): boolean {
  const observers = model._observers;
  return !!observers && WRITE_HOOKS.some(hook => (observers[hook]?.length ?? 0) > 0);
}

/** A new row, as juggler's own `create` would hand it to the connector. Throws when invalid. */
export async function instanceForInsert(model: JugglerModelClass, data: Row, options: Options) {
  const instance = new model(data);
  const enforced: Row = {};
  model.applyProperties(enforced, instance);
  instance.setAttributes(enforced);
  const settled = options.validate ?? model.settings.automaticValidation;
  if (settled !== false) await validate(instance, instance.toObject(true), options);
  return instance;
}

/** The values of a partial update, as juggler's own `updateAll` would hand them on. */
export async function valuesForUpdate(model: JugglerModelClass, data: Row, options: Options) {
  const values = {...data};
  model.applyProperties(values);
  const {validateUpdate, automaticValidation} = model.settings;
  if (options.validate ?? validateUpdate ?? automaticValidation ?? false) {
    await validate(new model(values, {applyDefaultValues: false}), values, options);
  }
  return model._coerce(model._sanitizeData(values, options), options) as Row;
}

/** All values of a replaced row, as juggler's own `replaceById` would hand them on. */
export async function valuesForReplace(model: JugglerModelClass, data: Row, options: Options) {
  const instance = new model(data, {persisted: true});
  const enforced: Row = {};
  model.applyProperties(enforced, instance);
  instance.setAttributes(enforced);
  const values = model._sanitizeData(instance.toObject(true), options);
  const settled = options.validate ?? model.settings.automaticValidation;
  if (settled !== false) await validate(instance, values, options);
  return values;
}

/** A caller's where, scoped and coerced as juggler does it. May change what it is given. */
export function coercedWhere(model: JugglerModelClass, where: Condition, options: Options) {
  const query = {where};
  model.applyScope(query);
  return model._coerce(model._sanitizeQuery(query.where, options), options);
}

function validate(instance: JugglerInstance, data: Row, options: Options): Promise<void> {
  return new Promise((resolve, reject) => {
    instance.isValid(valid => (valid ? resolve() : reject(validationError(instance))), data, options);
  });
}

/** Juggler's own error class; its published types leave it out. */
function validationError(instance: JugglerInstance): Error {
  const {ValidationError} = jugglerModule as unknown as {
    ValidationError: new (instance: JugglerInstance) => Error;
  };
  return new ValidationError(instance);
}

/** Refuses a transaction that the repository's datasource would silently ignore. */
export function assertOwnTransaction(model: JugglerModelClass, options: Options | undefined) {
  const transaction = options?.transaction as (Transaction & {connector?: unknown}) | undefined;
  if (transaction?.connector && transaction.connector !== model.dataSource.connector) {
    throw new ForeignTransactionError(model.modelName);
  }
}
