import {InvalidWhereError} from './errors';
import type {Condition} from './plan';

/**
 * A copy of a where that means what it says on every connector.
 *
 * Connectors read only the first operator of `{gt: 1, lt: 5}`, so it becomes two conditions. They
 * leave what is always true out of an `or`, which then says less, so the `or` itself is left out;
 * and they do not know `exists`. Juggler coerces a where in place, so the caller's is never handed
 * on.
 */
export function plainWhere(where: Condition | undefined): Condition {
  if (!where) return {};
  const parts: Condition[] = [];
  for (const [key, operand] of Object.entries(where)) {
    const part = isLogical(key) ? combined(key, operand) : compared(key, operand);
    if (Object.keys(part).length > 0) parts.push(part);
  }
  return allOf(parts);
}

function combined(key: 'and' | 'or', clauses: readonly Condition[]): Condition {
  const plain = clauses.map(plainWhere);
  const telling = plain.filter(clause => Object.keys(clause).length > 0);
  if (key === 'and') return telling.length ? {and: telling} : {};
  return telling.length === plain.length && plain.length > 0 ? {or: telling} : {};
}

function compared(key: string, operand: unknown): Condition {
  const operators = operatorsOf(operand);
  if (operators.length === 0) return {[key]: own(operand)};
  const {options, ...all} = operand as Condition;
  return allOf(
    operators.flatMap((operator): Condition[] => {
      const value = own(all[operator]);
      if (operator === 'exists') return [{[key]: value ? {neq: null} : null}];
      if (operator === 'nin' && Array.isArray(value) && value.length === 0) return [];
      const said = {[operator]: value};
      return [{[key]: options !== undefined && PATTERNS.has(operator) ? {...said, options} : said}];
    }),
  );
}

/** Juggler types the values of a list in place. */
function own(value: unknown): unknown {
  return Array.isArray(value) ? [...(value as unknown[])] : value;
}

function allOf(parts: readonly Condition[]): Condition {
  return parts.length > 1 ? {and: parts} : (parts[0] ?? {});
}

/**
 * An id that means one row at most. An object would be read as an operator and a pattern as a
 * pattern: `{neq: 0}` means every row, and so does an id that is undefined.
 *
 * @throws {@link InvalidWhereError}
 */
export function assertPlainId(id: unknown): unknown {
  if (id === undefined) throw new InvalidWhereError('Invalid Argument: id cannot be undefined');
  const isValue =
    id !== null &&
    typeof id !== 'function' &&
    !Array.isArray(id) &&
    !(id instanceof RegExp) &&
    !(id instanceof Date && Number.isNaN(id.getTime())) &&
    !(typeof id === 'number' && Number.isNaN(id)) &&
    !isPlainObject(id);
  if (!isValue) throw new InvalidWhereError('An id must be a value.');
  return id;
}

export function isLogical(key: string): key is 'and' | 'or' {
  return key === 'and' || key === 'or';
}

/** An object without a class of its own: what operators, conditions and filters are. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export const PATTERNS: ReadonlySet<string> = new Set(
  'like nlike ilike nilike regexp'.split(' '),
);

/** Each stands for itself; `near` with `unit` and the like belong together. */
const INDEPENDENT: ReadonlySet<string> = new Set([
  ...'eq neq gt gte lt lte inq nin between exists'.split(' '),
  ...PATTERNS,
]);

/** `{gt: 1, lt: 5}` → `['gt', 'lt']`; anything else than a plain object of operators → `[]`. */
function operatorsOf(operand: unknown): string[] {
  if (!isPlainObject(operand)) return [];
  const names = Object.keys(operand).filter(name => name !== 'options');
  return names.every(name => INDEPENDENT.has(name)) ? names : [];
}
