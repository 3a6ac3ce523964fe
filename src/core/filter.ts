import {LiveEntityError} from './errors';
import {momentText} from './moments';
import type {Condition, Operator, SortKey} from './query';
import type {EntityShape} from './shape';

/** The parts of a LoopBack filter that a live view understands. */
export interface ViewFilter {
  readonly where?: object;
  readonly order?: string | readonly string[];
  readonly fields?: readonly string[] | Readonly<Record<string, boolean>>;
  readonly limit?: number;
  readonly offset?: number;
  readonly skip?: number;
  readonly include?: readonly (string | {readonly relation: string; readonly scope?: object})[];
}

const OPERATORS: ReadonlySet<string> = new Set<Operator>([
  'eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'between', 'inq', 'nin',
  'like', 'nlike', 'ilike', 'nilike', 'regexp', 'exists',
]);
const LISTS: ReadonlySet<string> = new Set(['between', 'inq', 'nin']);
const PATTERNS: ReadonlySet<string> = new Set(['like', 'nlike', 'ilike', 'nilike', 'regexp']);
const MAX_DEPTH = 20;
const MAX_PARTS = 1000;
const EMPTY_OR = "an empty 'or' in a where clause has no alternative that a row could meet";

/**
 * Reads a LoopBack where clause into a {@link Condition}: one comparison per operator, so that
 * `{qty: {gt: 1, lt: 5}}` keeps both (the SQL connectors keep only the first). A value that is
 * `undefined` counts as `null`, never as "no condition".
 *
 * @throws LiveEntityError `UNKNOWN_FIELD` for a property that the entity lacks,
 * `VIEW_QUERY_UNSUPPORTED` for an operator that views do not have, an empty `or`, or too deep
 * a nesting.
 */
export function parseWhere(where: unknown, shape: EntityShape): Condition {
  const budget = {parts: 0};
  const parse = (clause: unknown, depth: number): Condition => {
    if (depth > MAX_DEPTH) throw unsupported(`a where clause nests deeper than ${MAX_DEPTH}`);
    if (clause == null) return {kind: 'and', parts: []};
    if (typeof clause !== 'object' || Array.isArray(clause)) {
      throw unsupported('a where clause must be an object');
    }
    const parts = Object.entries(clause).flatMap(([name, value]) => {
      if (++budget.parts > MAX_PARTS) {
        throw unsupported(`a where clause has more than ${MAX_PARTS} parts`);
      }
      if ((name === 'and' || name === 'or') && Array.isArray(value)) {
        // Connectors take it for no condition at all, and so for every row.
        if (name === 'or' && value.length === 0) throw unsupported(EMPTY_OR);
        return [{kind: name, parts: value.map(part => parse(part, depth + 1))} as Condition];
      }
      return comparisons(name, value, shape);
    });
    return parts.length === 1 ? parts[0] : {kind: 'and', parts};
  };
  return parse(where, 0);
}

function comparisons(property: string, value: unknown, shape: EntityShape): Condition[] {
  const known = knownProperty(property, shape);
  if (known.encrypted && value != null) {
    throw unsupported(`${shape.name}.${property} is encrypted; a view cannot compare it`);
  }
  if (!isOperatorObject(value)) {
    return [{kind: 'compare', property, operator: 'eq', value: literal(value, property, shape)}];
  }
  return Object.entries(value).filter(([name]) => name !== 'options').map(([name, operand]) => {
    if (!OPERATORS.has(name)) {
      throw unsupported(`the operator '${name}' on ${shape.name}.${property} is not known to views`);
    }
    if (LISTS.has(name) && !Array.isArray(operand)) {
      throw unsupported(`the operator '${name}' on ${shape.name}.${property} takes a list`);
    }
    if (name === 'between' && (operand as unknown[]).length !== 2) {
      throw unsupported(`'between' on ${shape.name}.${property} takes two values`);
    }
    const operator = name as Operator;
    const value = operandOf(operator, operand, property, shape);
    return {kind: 'compare', property, operator, value} as Condition;
  });
}

/** What an operator takes: patterns are texts whatever the column, the others take its values. */
function operandOf(
  operator: Operator,
  operand: unknown,
  property: string,
  shape: EntityShape,
): unknown {
  if (operator === 'exists') return operand;
  if (!PATTERNS.has(operator)) return literal(operand, property, shape);
  if (operand === undefined || operand === null) return null;
  if (operand instanceof RegExp && operator === 'regexp') return operand;
  const isText = typeof operand === 'string' || typeof operand === 'number';
  if (isText && isUnicode(String(operand))) return String(operand);
  throw mistyped(`${shape.name}.${property}`, 'a text');
}

function isOperatorObject(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  // Dates, expressions, buffers and lists are values.
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.keys(value).length > 0;
}

/** A value as its column holds it, so that equal values are equal in Node too. */
function literal(value: unknown, property: string, shape: EntityShape): unknown {
  if (Array.isArray(value)) return value.map(item => literal(item, property, shape));
  if (value === undefined || value === null) return null;
  const name = `${shape.name}.${property}`;
  switch (shape.properties[property].kind) {
    case 'number':
    case 'double': {
      const text = String(value).trim();
      const isDecimal = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
      if (!isDecimal || !Number.isFinite(Number(text))) throw mistyped(name, 'a number');
      return text.length > 15 ? text : Number(text);
    }
    case 'boolean':
      if (typeof value === 'boolean') return value;
      if (value === 'true' || value === 'false') return value === 'true';
      throw mistyped(name, 'true or false');
    case 'uuid':
      if (typeof value !== 'string') throw mistyped(name, 'a UUID');
      return value.toLowerCase();
    case 'text':
    case 'collated':
      if (typeof value === 'object' || !isUnicode(String(value))) throw mistyped(name, 'a text');
      return String(value);
    case 'date':
    case 'timestamp':
      return dateLiteral(value, name);
    case 'opaque':
      return value;
  }
}

/** Half a surrogate pair is no text: on its way to the database it becomes another character. */
function isUnicode(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

function dateLiteral(value: unknown, name: string): string {
  const isDate = typeof value === 'string' || typeof value === 'number' || value instanceof Date;
  if (!isDate || Number.isNaN(new Date(value).getTime())) throw mistyped(name, 'a date');
  return momentText(value);
}

function mistyped(name: string, wanted: string): LiveEntityError {
  return unsupported(`${name} is compared with a value that is not ${wanted}`);
}

/** Reads LoopBack's order (`'name ASC'`, or a list) and ends it with the id properties. */
export function parseOrder(order: unknown, shape: EntityShape): SortKey[] {
  const given = order == null ? [] : Array.isArray(order) ? order : [order];
  const keys: SortKey[] = [];
  const seen = new Set<string>();
  for (const entry of given) {
    const match = typeof entry === 'string' && /^\s*(\S+?)(?:\s+(ASC|DESC))?\s*$/i.exec(entry);
    if (!match) throw unsupported(`'${String(entry)}' is not an order such as 'name ASC'`);
    if (knownProperty(match[1], shape).encrypted) {
      throw unsupported(`${shape.name}.${match[1]} is encrypted; a view cannot order by it`);
    }
    if (seen.has(match[1])) continue;
    seen.add(match[1]);
    keys.push({property: match[1], descending: match[2]?.toUpperCase() === 'DESC'});
  }
  for (const property of shape.ids) {
    if (!seen.has(property)) keys.push({property, descending: false});
  }
  return keys;
}

/** The properties that a LoopBack `fields` leaves, or undefined for all of them. */
export function parseFields(fields: unknown, shape: EntityShape): string[] | undefined {
  if (fields == null) return undefined;
  const list = Array.isArray(fields) ? fields : listOf(fields, shape);
  for (const name of list) knownProperty(name, shape);
  return list.length === 0 ? undefined : [...new Set(list as string[])];
}

function listOf(fields: unknown, shape: EntityShape): string[] {
  if (typeof fields !== 'object') throw unsupported('fields must be a list or an object');
  const entries = Object.entries(fields as object);
  const wanted = entries.filter(([, on]) => on).map(([name]) => name);
  if (wanted.length > 0) return wanted;
  const refused = new Set(entries.map(([name]) => name));
  return Object.keys(shape.properties).filter(name => !refused.has(name));
}

function knownProperty(name: unknown, shape: EntityShape) {
  const known = typeof name === 'string' && Object.hasOwn(shape.properties, name);
  if (!known) {
    throw new LiveEntityError('UNKNOWN_FIELD', `${shape.name} has no property '${String(name)}'`);
  }
  return shape.properties[name];
}

export function unsupported(message: string): LiveEntityError {
  return new LiveEntityError('VIEW_QUERY_UNSUPPORTED', message);
}
