import type {Condition} from './plan';
import {isPlainObject} from './where';

/**
 * How many values a where has that a statement needs a parameter for.
 *
 * @param isOne - Whether a list of a property goes as one value
 */
export function bindingsIn(
  where: Condition | undefined,
  isOne: (property: string, list: readonly unknown[]) => boolean,
): number {
  let count = 0;
  for (const [key, operand] of Object.entries(where ?? {})) {
    const isClauses = (key === 'and' || key === 'or') && Array.isArray(operand);
    if (isClauses) for (const clause of operand) count += bindingsIn(clause as Condition, isOne);
    else if (!isPlainObject(operand)) count += 1;
    else for (const value of Object.values(operand)) count += valuesOf(key, value, isOne);
  }
  return count;
}

function valuesOf(
  key: string,
  value: unknown,
  isOne: (property: string, list: readonly unknown[]) => boolean,
): number {
  return Array.isArray(value) && !isOne(key, value) ? value.length : 1;
}
