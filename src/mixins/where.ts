import {InvalidWhereError} from './errors';
import type {Condition} from './plan';

/**
 * A copy of a where that means what it says on every connector.
 *
 * Connectors read only the first operator of `{gt: 1, lt: 5}`, so it becomes two conditions; and
 * juggler coerces a where in place, so the caller's is never handed on.
 */
export function plainWhere(where: Condition | undefined): Condition {
  if (!where) return {};
  const parts = Object.entries(where).map(([key, operand]) => {
    if (isLogical(key) && Array.isArray(operand)) return {[key]: operand.map(plainWhere)};
    const operators = operatorsOf(operand);
    if (operators.length < 2) return {[key]: operators.length ? {...operand} : operand};
    return {and: operators.map(operator => ({[key]: {[operator]: operand[operator]}}))};
  });
  return parts.length > 1 ? {and: parts} : (parts[0] ?? {});
}

/**
 * Refuses a where that would touch more rows than its author meant: an undefined value and an
 * unknown property are silently dropped by juggler and connectors.
 */
export function assertSafeWhere(
  where: Condition | undefined,
  known: (name: string) => boolean,
): void {
  for (const [key, operand] of Object.entries(where ?? {})) {
    if (isLogical(key) && Array.isArray(operand)) {
      operand.forEach(clause => assertSafeWhere(clause, known));
    } else if (operand === undefined || operatorsOf(operand).some(o => operand[o] === undefined)) {
      throw new InvalidWhereError(`The value of "${key}" in the where is undefined.`);
    } else if (!known(key.split('.')[0])) {
      throw new InvalidWhereError(`"${key}" in the where is not a property.`);
    }
  }
}

/** An object as an id would be read as an operator: `{neq: 0}` means every row. */
export function assertPlainId(id: unknown): unknown {
  if (id === undefined) throw new Error('Invalid Argument: id cannot be undefined');
  if (id === null || (typeof id === 'object' && id.constructor === Object)) {
    throw new InvalidWhereError('An id must be a value.');
  }
  return id;
}

function isLogical(key: string): boolean {
  return key === 'and' || key === 'or' || key === 'nor';
}

/** Each stands for itself; `like` with `options` or `near` with `unit` belong together. */
const INDEPENDENT = new Set(
  'eq neq gt gte lt lte inq nin between like nlike ilike nilike regexp exists'.split(' '),
);

/** `{gt: 1, lt: 5}` → `['gt', 'lt']`; anything else than a plain object of operators → `[]`. */
function operatorsOf(operand: unknown): string[] {
  if (operand === null || typeof operand !== 'object' || operand.constructor !== Object) return [];
  const names = Object.keys(operand);
  return names.every(name => INDEPENDENT.has(name)) ? names : [];
}
