import {
  isScalarOf,
  jugglersBase,
  type JugglerInstance,
  type JugglerModelClass,
  type JugglerProperty,
} from './juggler';
import {readsPlainly} from './juggler-reads';
import type {Row} from './plan';

/** A new row: what it becomes an entity by, and its values as juggler hands them to a connector. */
export interface MadeRow {
  readonly instance: JugglerInstance;
  readonly values: Row;
}

/**
 * A new row as juggler's own `create` would make it, without an instance of juggler's: to make and
 * validate one is a sixth of what a create takes in Node.
 *
 * @param assigned - Values of behaviours, which have their types already; what is undefined there,
 *   the database assigns
 * @returns undefined where juggler does more than take the values as they are, or may refuse them:
 * then it has to be asked
 */
export function plainRow(
  model: JugglerModelClass,
  data: Row,
  assigned: Row,
): MadeRow | undefined {
  const {properties} = model.definition;
  if (!makesPlainly(model)) return undefined;
  for (const name of Object.keys(data)) if (!Object.hasOwn(properties, name)) return undefined;
  const values: Row = {};
  for (const name of Object.keys(properties)) {
    const isAssigned = Object.hasOwn(assigned, name) && assigned[name] !== undefined;
    const given = Object.hasOwn(data, name) ? data[name] : undefined;
    const value = isAssigned ? assigned[name] : storedValue(properties[name], given);
    if (value === UNLIKE) return undefined;
    if (value !== undefined) values[name] = value;
  }
  return isSurelyValid(model, values) ? {instance: instanceOf(model, values), values} : undefined;
}

/** Juggler calls these around a validation, where an application has set them. */
const HOOKS = [
  'beforeValidate', 'preValidate', 'beforeValidation',
  'afterValidate', 'postValidate', 'afterValidation',
];
/** Steps of a new row, which an application may have put its own in place of. */
const STEPS_OF_INSTANCE = ['isValid', 'toObject', 'trigger', '_initProperties'];
const STEPS_OF_MODEL = ['applyProperties', '_forDB'];

/** Whether juggler makes an instance of what it is given, and nothing besides. */
function makesPlainly(model: JugglerModelClass): boolean {
  const {persistUndefinedAsNull, strict} = model.settings;
  return (
    strict === true &&
    !persistUndefinedAsNull &&
    readsPlainly(model) &&
    isEmpty(model.setter) &&
    HOOKS.every(hook => !(model as unknown as Row)[hook]) &&
    areJugglers(model)
  );
}

/** Whether the model's steps are those of juggler, and not an application's. */
function areJugglers(model: JugglerModelClass): boolean {
  const own = model as unknown as Row;
  const instance = model.prototype as unknown as Row;
  const {DataAccessObject} = model.dataSource;
  return (
    own._sanitizeData === jugglersBase._sanitizeData &&
    STEPS_OF_MODEL.every(step => own[step] === DataAccessObject[step]) &&
    STEPS_OF_INSTANCE.every(step => instance[step] === jugglersBase.prototype[step]) &&
    instance.setAttributes === (DataAccessObject.prototype as Row).setAttributes
  );
}

function isEmpty(object: object | undefined): boolean {
  for (const _ in object) return false;
  return true;
}

const UNLIKE = Symbol('not the value that juggler would store');

/** A value of a scalar type, where juggler stores it as it is given. */
function storedValue(property: JugglerProperty, value: unknown): unknown {
  if (value === undefined) return defaultOf(property);
  if (value === null) return null;
  const {type} = property;
  if (type === Date && typeof value === 'string') return validDate(value);
  if (!isScalarOf(type, value)) return UNLIKE;
  if (value instanceof Date) return validDate(value);
  return typeof value !== 'number' || Number.isFinite(value) ? value : UNLIKE;
}

/** Juggler stores a default as it is; so it has to be a constant of the property's type. */
function defaultOf(property: JugglerProperty): unknown {
  const {default: given, defaultFn, type} = property;
  if (given === undefined && defaultFn === undefined) return undefined;
  const isMade = defaultFn !== undefined || typeof given === 'function' || type === Date;
  return isMade || 'applyDefaultOnWrites' in property ? UNLIKE : storedValue(property, given);
}

function validDate(value: string | Date): unknown {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? UNLIKE : date;
}

/** Whether the row meets every rule of the model, as far as that can be told without juggler. */
function isSurelyValid({validations}: JugglerModelClass, values: Row): boolean {
  for (const name in validations) {
    const value = values[name] ?? null;
    if (!validations[name].every(rule => isSurelyMet(rule, value))) return false;
  }
  return true;
}

function isSurelyMet({validation, if: when, unless}: Row, value: unknown): boolean {
  // Juggler gives generated ids a rule for new rows alone, and this is one.
  if (unless !== undefined || (when !== undefined && when !== 'isNewRecord')) return false;
  switch (validation) {
    case 'presence':
      return value !== null && value !== '';
    case 'absence':
      return value === null;
    case 'date':
      return value === null || (value instanceof Date && !Number.isNaN(value.getTime()));
    default:
      return false;
  }
}

/** What a juggler instance is asked for when it becomes an entity; in the order of the model. */
function instanceOf({definition}: JugglerModelClass, values: Row): JugglerInstance {
  const held = {...values};
  const toObject = () => {
    const row: Row = {};
    for (const name of Object.keys(definition.properties)) {
      if (held[name] !== undefined) row[name] = held[name];
    }
    return row;
  };
  return {__data: held, toObject} as unknown as JugglerInstance;
}
