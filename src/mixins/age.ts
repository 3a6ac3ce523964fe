import {InvalidWhereError} from './errors';
import {momentOf} from './moment';
import {isPlainObject} from './where';

/**
 * The limits by which rows or states are thrown away, checked: one that is there but says nothing
 * would throw away all of them.
 *
 * @param known - Which limits there are
 * @throws {@link InvalidWhereError}
 */
export function checkedAge(
  given: unknown,
  known: readonly ('olderThan' | 'keepLast')[],
): {olderThan?: Date; keepLast?: number} {
  if (!isPlainObject(given)) throw new InvalidWhereError('Say which may go in an object.');
  const age: {olderThan?: Date; keepLast?: number} = {};
  for (const [name, value] of Object.entries(given)) {
    if (!(known as readonly string[]).includes(name)) {
      throw new InvalidWhereError(`"${name}" does not say which may go.`);
    }
    if (name === 'olderThan') age.olderThan = momentOf(value, 'olderThan');
    else age.keepLast = wholeNumber(value);
  }
  return age;
}

function wholeNumber(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new InvalidWhereError(`keepLast: "${String(value)}" is not a number of states.`);
}
