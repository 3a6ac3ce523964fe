import {InvalidWhereError} from './errors';
import type {JugglerModelClass, JugglerProperty} from './juggler';
import type {Condition} from './plan';
import {isLogical, isPlainObject, PATTERNS} from './where';

/** What an empty `and` says: nothing, to a read; to a write, that its conditions have got lost. */
export type WhereUse = 'read' | 'write';

const LISTS: ReadonlySet<string> = new Set(
  'inq nin between contains containedBy containsAnyOf'.split(' '),
);
/** A number that is none is greater than all others to PostgreSQL: less than it is every row. */
const EQUALITIES: ReadonlySet<string> = new Set(['eq', 'inq']);
/** Belong to an operator and are none. */
const MODIFIERS: ReadonlySet<string> = new Set('options unit maxDistance minDistance'.split(' '));
const OPERATORS: ReadonlySet<string> = new Set([
  ...'eq neq gt gte lt lte exists near match matchnl matchqe matchnlqe matchbool'.split(' '),
  ...LISTS,
  ...PATTERNS,
]);
const SCALARS: readonly unknown[] = [String, Number, Boolean, Date];

/** What a value in a where is compared with. */
interface Compared {
  readonly key: string;
  /** Of a scalar. */
  readonly type: unknown;
  /** Whether the database holds to the type. */
  readonly isTyped: boolean;
}

/**
 * Refuses a where that would not mean what it says. Juggler and connectors silently drop what is
 * undefined or unknown, `nor`, and an `or` of nothing, so that the rest means more rows, or all.
 *
 * @throws {@link InvalidWhereError}
 */
export function assertSafeWhere(
  where: unknown,
  model: JugglerModelClass,
  use: WhereUse = 'write',
): void {
  if (where === undefined || where === null) return;
  if (!isCondition(where)) throw new InvalidWhereError('A where must be an object of conditions.');
  for (const key of Object.keys(where)) {
    const operand = where[key];
    if (isLogical(key)) {
      assertClauses(key, operand, use).forEach(clause => assertSafeWhere(clause, model, use));
    } else if (key === 'nor') {
      throw new InvalidWhereError('Databases have no "nor": say what must hold instead.');
    } else {
      assertComparison(key, operand, model);
    }
  }
}

function assertClauses(key: 'and' | 'or', clauses: unknown, use: WhereUse): readonly Condition[] {
  if (!Array.isArray(clauses) || !clauses.every(isCondition)) {
    throw new InvalidWhereError(`"${key}" in the where must be a list of conditions.`);
  }
  if (clauses.length === 0 && (key === 'or' || use === 'write')) {
    throw new InvalidWhereError(`"${key}" in the where is empty.`);
  }
  return clauses;
}

/** An instance of a class has its properties for conditions; one without any is no where at all. */
function isCondition(where: unknown): where is Condition {
  if (where === null || typeof where !== 'object' || Array.isArray(where)) return false;
  return isPlainObject(where) || Object.keys(where).length > 0;
}

function assertComparison(key: string, operand: unknown, model: JugglerModelClass): void {
  const property = comparedProperty(key, model);
  if (operand === undefined) return refuse(key, 'is undefined');
  // Ciphertext is a text, what it was made of need not be one: encryption judges its comparisons.
  const isSealed = property?.ciphertext === true;
  const isScalar = !isSealed && !key.includes('.') && SCALARS.includes(property?.type);
  const of: Compared = {
    key,
    type: isScalar ? property?.type : undefined,
    // Elsewhere an id that is said to be a number can be a text.
    isTyped: isRelational(model),
  };
  if (isPlainObject(operand)) {
    if (!isSealed) assertOperators(key, operand, isScalar, model);
    const known = Object.keys(operand).filter(name => OPERATORS.has(name));
    for (const operator of known) assertOperand(of, operator, operand[operator]);
  } else {
    if (isScalar && Array.isArray(operand)) refuse(key, 'is a list: compare it with "inq"');
    assertValue(of, operand);
  }
}

function assertOperators(
  key: string,
  operand: Readonly<Record<string, unknown>>,
  isScalar: boolean,
  model: JugglerModelClass,
): void {
  const operators = Object.keys(operand);
  // A connector's own, which juggler lets pass or not, as it is set up.
  if (!isRelational(model) && operators.some(name => name.startsWith('$'))) return;
  const isCompared = operators.some(name => OPERATORS.has(name));
  // Elsewhere an object may be the value that is looked for.
  if (!isScalar && !isCompared && !isRelational(model)) return;
  if (!isCompared) refuse(key, 'is compared with nothing');
  const odd = operators.find(name => !OPERATORS.has(name) && !MODIFIERS.has(name));
  if (odd !== undefined) refuse(key, `has no operator "${odd}"`);
}

/** The property that a key means; `undefined` in a model that is open to any. */
function comparedProperty(key: string, model: JugglerModelClass): JugglerProperty | undefined {
  if (!isKnown(key, model)) throw new InvalidWhereError(`"${key}" in the where is not a property.`);
  const [name] = key.split('.', 1);
  const {properties} = model.definition;
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** Whether rows can have properties that the model does not name, and the connector keeps them. */
export function isOpen(model: JugglerModelClass): boolean {
  return model.settings.strict === false && !isRelational(model);
}

/** Whether the connector will know what a property, or a path into one, is. */
export function isKnown(key: string, model: JugglerModelClass): boolean {
  const [name] = key.split('.', 1);
  const {properties} = model.definition;
  if (!Object.hasOwn(properties, name)) {
    return isOpen(model);
  }
  if (name === key || !isRelational(model) || properties[name].ciphertext === true) return true;
  // Of the SQL connectors, only PostgreSQL's looks into a property; the others drop such a path.
  return connectorOf(model).name === 'postgresql' && !SCALARS.includes(properties[name].type);
}

function assertOperand(of: Compared, operator: string, value: unknown): void {
  const {key, type} = of;
  if (value === undefined) refuse(key, 'is undefined');
  if (LISTS.has(operator)) return assertList(of, operator, value);
  if (PATTERNS.has(operator)) return assertPattern(key, operator, value);
  if (operator === 'exists') {
    if (typeof value !== 'boolean') refuse(key, '"exists" takes true or false');
    return;
  }
  if (type !== undefined && (Array.isArray(value) || isPlainObject(value))) {
    refuse(key, `"${operator}" takes one value`);
  }
  if (isNoNumber(value) && !EQUALITIES.has(operator)) refuse(key, 'is compared with no number');
  assertValue(of, value);
}

function assertList(of: Compared, operator: string, list: unknown): void {
  const {key} = of;
  if (!Array.isArray(list)) return refuse(key, `"${operator}" takes a list`);
  if (operator === 'between' && list.length !== 2) refuse(key, '"between" takes two values');
  // Not `forEach`, which passes by what a list has never been given.
  for (const item of list) {
    if (item === undefined) refuse(key, 'has an undefined value in its list');
    if (isNoNumber(item) && !EQUALITIES.has(operator)) refuse(key, 'is compared with no number');
    assertValue(of, item);
  }
}

function assertPattern(key: string, operator: string, pattern: unknown): void {
  if (pattern instanceof RegExp) return;
  if (typeof pattern !== 'string') return refuse(key, `"${operator}" takes a text`);
  if (operator !== 'regexp') return;
  try {
    new RegExp(pattern);
  } catch {
    refuse(key, 'is compared with an expression that cannot be read');
  }
}

function assertValue({key, type, isTyped}: Compared, value: unknown): void {
  if (value === null) return;
  if (value instanceof Date || type === Date) {
    if (Number.isNaN(new Date(value as string).getTime())) refuse(key, 'is not a time');
  } else if (type === Boolean) {
    // Juggler takes any other value for true.
    if (!TRUTHS.has(String(value))) refuse(key, 'is neither true nor false');
  } else if (type === Number && isTyped && !isNumeric(value)) {
    refuse(key, 'is not a number');
  }
}

const TRUTHS: ReadonlySet<string> = new Set('true false 1 0'.split(' '));

/** MySQL and MariaDB read `'7 days'` as 7, and a text that begins with no number as 0. */
export function isNumeric(value: unknown): boolean {
  return typeof value !== 'string' || (value.trim() !== '' && !Number.isNaN(Number(value)));
}

function isNoNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isNaN(value);
}

export function isRelational(model: JugglerModelClass): boolean {
  return connectorOf(model).relational === true;
}

function connectorOf({dataSource}: JugglerModelClass): {name?: string; relational?: boolean} {
  return (dataSource.connector ?? {}) as {name?: string; relational?: boolean};
}

function refuse(key: string, because: string): void {
  throw new InvalidWhereError(`"${key}" in the where ${because}.`);
}
