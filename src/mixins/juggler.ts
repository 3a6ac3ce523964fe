import {createRequire} from 'node:module';
import {isDeepStrictEqual} from 'node:util';
import type {
  AnyObject,
  juggler,
  Options,
  PropertyDefinition,
  Transaction,
} from '@loopback/repository';
import {ForeignTransactionError, InactiveTransactionError} from './errors';

type Row = Record<string, unknown>;
type Condition = AnyObject;

/**
 * The part of juggler's model class that is used here beyond its published types. The underscored
 * methods are what juggler's own create and updateAll run data and wheres through.
 */
export interface JugglerModelClass {
  new (data: Row, options?: Row): JugglerInstance;
  readonly prototype: JugglerInstance;
  readonly modelName: string;
  readonly dataSource: juggler.DataSource & {
    readonly DataAccessObject: Row;
    defineProperty(model: string, property: string, definition: PropertyDefinition): void;
  };
  readonly definition: {
    readonly name: string;
    readonly properties: Record<string, JugglerProperty>;
    readonly settings: Row;
    idName(): string;
  };
  readonly settings: Row;
  readonly _observers?: Record<string, unknown[]>;
  readonly getter?: Row;
  readonly setter?: Row;
  /** What must hold of a property's value, by the property's name. */
  readonly validations?: Record<string, readonly Row[]>;
  readonly afterInitialize?: unknown;
  readonly postInitialize?: unknown;
  readonly lookupModel: unknown;
  readonly defaultScope: unknown;
  readonly findOne: unknown;
  applyScope(query: {where?: Condition}): void;
  applyProperties(data: Row, instance?: JugglerInstance): void;
  _sanitizeData(data: Row, options: Options): Row;
  _sanitizeQuery(where: Condition, options: Options): Condition;
  _coerce(where: Condition, options: Options): Condition;
  _forDB(data: Row): Row;
  _normalize(filter: Row, options: Options): void;
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

/** Loads of the copies that LoopBack's repositories use. */
export const requireOfRepository = createRequire(require.resolve('@loopback/repository'));
const {ModelBaseClass, ValidationError} = requireOfRepository('loopback-datasource-juggler') as {
  ModelBaseClass: Row & {prototype: Row};
  ValidationError: new (instance: JugglerInstance) => Error;
};

/** What all of juggler's models inherit, and their instances. */
export const jugglersBase: Readonly<Row & {prototype: Readonly<Row>}> = ModelBaseClass;

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

/**
 * A value as a property types it. Juggler's own coercion throws and catches an error for every
 * scalar that it looks at, so it is asked only where the type is not right already.
 */
export function coercedValue(model: JugglerModelClass, name: string, value: unknown): unknown {
  const type: unknown = model.definition.properties[name]?.type;
  const fits =
    value === null ||
    isScalarOf(type, value) ||
    // Juggler takes bytes for a list of numbers.
    (type === Buffer && Buffer.isBuffer(value));
  return fits ? value : model._coerce({[name]: value}, {})[name];
}

/** Whether a value has one of the scalar types that juggler knows by their constructors. */
export function isScalarOf(type: unknown, value: unknown): boolean {
  switch (type) {
    case String:
      return typeof value === 'string';
    case Number:
      return typeof value === 'number';
    case Boolean:
      return typeof value === 'boolean';
    case Date:
      return value instanceof Date;
    default:
      return false;
  }
}

/** Whether two values of a property would be stored as one. */
export function sameValue(a: unknown, b: unknown): boolean {
  const [x, y] = [a ?? null, b ?? null];
  return x === y || isDeepStrictEqual(plain(x), plain(y));
}

/** A value without the classes that juggler gives to lists and models. */
function plain(value: unknown): unknown {
  return typeof value === 'object' ? JSON.parse(JSON.stringify(value)) : value;
}

/** Data without what is undefined and not deeper than juggler allows. */
function sanitized(model: JugglerModelClass, data: Row, options: Options): Row {
  const values: Row = {};
  for (const name of Object.keys(data)) {
    const value = data[name];
    if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
      return model._sanitizeData(data, options);
    }
    if (value !== undefined) values[name] = value;
  }
  return values;
}

/**
 * A new row, as juggler's own `create` makes and checks it, and its values as that would hand them
 * to the connector. Throws when invalid.
 *
 * @param assigned - Values of behaviours, which have their types already
 */
export async function rowForInsert(
  model: JugglerModelClass,
  data: Row,
  assigned: Row,
  options: Options,
): Promise<{instance: JugglerInstance; values: Row}> {
  const instance = new model(data);
  const enforced: Row = {};
  model.applyProperties(enforced, instance);
  instance.setAttributes(enforced);
  Object.assign(instance.__data, assigned);
  const values = instance.toObject(true);
  const settled = options.validate ?? model.settings.automaticValidation;
  if (settled !== false) await validate(instance, values, options);
  return {instance, values: model._forDB(sanitized(model, values, options))};
}

/** The values of a partial update, as juggler's own `updateAll` would hand them on. */
export async function valuesForUpdate(
  model: JugglerModelClass,
  data: Row,
  options: Options,
): Promise<Row> {
  const values = {...data};
  model.applyProperties(values);
  const {validateUpdate, automaticValidation} = model.settings;
  if (options.validate ?? validateUpdate ?? automaticValidation ?? false) {
    await validate(new model(values, {applyDefaultValues: false}), values, options);
  }
  const plain = sanitized(model, values, options);
  for (const name of Object.keys(plain)) plain[name] = coercedValue(model, name, plain[name]);
  return plain;
}

/** All values of a replaced row, as juggler's own `replaceById` would hand them on. */
export async function valuesForReplace(
  model: JugglerModelClass,
  data: Row,
  options: Options,
): Promise<Row> {
  const instance = new model(data, {persisted: true});
  const enforced: Row = {};
  model.applyProperties(enforced, instance);
  instance.setAttributes(enforced);
  const values = sanitized(model, instance.toObject(true), options);
  const settled = options.validate ?? model.settings.automaticValidation;
  if (settled !== false) await validate(instance, values, options);
  return values;
}

/** A caller's where, scoped and coerced as juggler does it. May change what it is given. */
export function coercedWhere(
  model: JugglerModelClass,
  where: Condition,
  options: Options,
): Condition {
  const query = {where};
  model.applyScope(query);
  return model._coerce(model._sanitizeQuery(query.where, options), options);
}

function validate(instance: JugglerInstance, data: Row, options: Options): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (valid: boolean) => (valid ? resolve() : reject(new ValidationError(instance)));
    instance.isValid(done, data, options);
  });
}

/**
 * Refuses a transaction that the repository's datasource would silently ignore.
 *
 * @throws ForeignTransactionError, InactiveTransactionError
 */
export function assertOwnTransaction(
  model: JugglerModelClass,
  options: Options | undefined,
): void {
  const transaction = options?.transaction as ConnectorTransaction | undefined;
  if (!transaction?.connector) return;
  if (transaction.connector !== model.dataSource.connector) {
    throw new ForeignTransactionError(model.modelName);
  }
  const {connection} = transaction;
  if (connection === null || (connection && connection.txId !== transaction.txId)) {
    throw new InactiveTransactionError();
  }
}

/** What the SQL connectors' transactions have; one that has ended has let its connection go. */
type ConnectorTransaction = Transaction & {
  readonly connector?: unknown;
  readonly txId?: unknown;
  readonly connection?: {readonly txId?: unknown} | null;
};

/**
 * A value of a plain type as juggler's instance would have it: columns of text can hold JSON, and
 * the items of a list get the type of the property.
 */
export function plainValue(model: JugglerModelClass, name: string, value: unknown): unknown {
  const type: unknown = model.definition.properties[name].type;
  const isList = Array.isArray(type);
  if (value === null || (type !== Object && !isList)) return value;
  const parsed = typeof value === 'string' ? parsedOr(value) : value;
  if (!isList || !Array.isArray(parsed)) return parsed;
  const [itemType] = type as unknown[];
  return parsed.every(item => isOfType(item, itemType)) ? parsed : typedList(model, name, parsed);
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const SCALARS: readonly unknown[] = [String, Number, Boolean, Date];

function isOfType(item: unknown, type: unknown): boolean {
  if (SCALARS.includes(type)) return isScalarOf(type, item);
  return typeof item === 'object' && item !== null;
}

function typedList(model: JugglerModelClass, name: string, items: unknown[]): unknown {
  const asStored = {applySetters: false, applyDefaultValues: false, persisted: true};
  return new model({[name]: items}, asStored).toObject(true)[name];
}
