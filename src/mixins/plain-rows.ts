import type {JugglerInstance, JugglerModelClass, JugglerProperty} from './juggler';
import {readsPlainly} from './juggler-reads';
import type {Row} from './plan';

/** A new row: what it becomes an entity by, and its values as juggler hands them to a connector. */
export interface MadeRow {
  readonly instance: JugglerInstance;
  readonly values: Row;
}

/**
 * A new row as juggler's own `create` would make it, without an instance of juggler's: most of what
 * a create takes in Node is spent on that.
 *
 * @param assigned - Values of behaviours, which have their types already
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
    const isAssigned = assigned[name] !== undefined;
    const value = isAssigned ? assigned[name] : plainValue(properties[name], data[name]);
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
/** The steps of a new instance, which an application may have put its own in place of. */
const STEPS = ['isValid', 'setAttributes', 'toObject', 'trigger', '_initProperties'];

/** Whether juggler makes an instance of what it is given, and nothing besides. */
function makesPlainly(model: JugglerModelClass): boolean {
  const {persistUndefinedAsNull, strict} = model.settings;
  return (
    strict === true &&
    !persistUndefinedAsNull &&
    readsPlainly(model) &&
    isEmpty(model.setter) &&
    HOOKS.every(hook => !(model as unknown as Row)[hook]) &&
    STEPS.every(step => isJugglers(model, step))
  );
}

/** A datasource copies some of the steps into its models. */
function isJugglers({prototype, dataSource}: JugglerModelClass, step: string): boolean {
  const own = prototype as unknown as Row;
  const copied = dataSource.DataAccessObject.prototype as Row;
  return !Object.hasOwn(own, step) || own[step] === copied[step];
}

function isEmpty(object: object | undefined): boolean {
  for (const _ in object) return false;
  return true;
}

const UNLIKE = Symbol('not the value that juggler would store');

/** A value of a scalar type, where juggler stores it as it is given. */
function plainValue(property: JugglerProperty, value: unknown): unknown {
  if (value === undefined) return defaultOf(property);
  if (value === null) return null;
  switch (property.type) {
    case String:
      return typeof value === 'string' ? value : UNLIKE;
    case Number:
      return Number.isFinite(value) ? value : UNLIKE;
    case Boolean:
      return typeof value === 'boolean' ? value : UNLIKE;
    case Date:
      return typeof value === 'string' || value instanceof Date ? validDate(value) : UNLIKE;
    default:
      return UNLIKE;
  }
}

/** Juggler stores a default as it is; so it has to be a constant of the property's type. */
function defaultOf(property: JugglerProperty): unknown {
  const {default: given, defaultFn, type} = property;
  if (given === undefined && defaultFn === undefined) return undefined;
  const isMade = defaultFn !== undefined || typeof given === 'function' || type === Date;
  return isMade || 'applyDefaultOnWrites' in property ? UNLIKE : plainValue(property, given);
}

function validDate(value: string | Date): unknown {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? UNLIKE : date;
}

/** Whether all that the model wants of a row is that it has values, and it has them. */
function isSurelyValid({validations}: JugglerModelClass, values: Row): boolean {
  for (const name in validations) {
    for (const rule of validations[name]) {
      if (rule.if !== undefined || rule.unless !== undefined) return false;
      // A date that is one has been made of it.
      if (rule.validation === 'date') continue;
      const value = values[name] ?? '';
      if (rule.validation !== 'presence' || value === '') return false;
    }
  }
  return true;
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
