import {InvalidWhereError} from './errors';

/**
 * A moment as callers name it. Null is none, though `new Date(null)` is in 1970.
 *
 * @param what - What it is for, as the error says it
 * @throws {@link InvalidWhereError}
 */
export function momentOf(given: unknown, what: string): Date {
  const isMoment = given instanceof Date || typeof given === 'string' || typeof given === 'number';
  const moment = new Date(isMoment ? given : NaN);
  if (!Number.isNaN(moment.getTime())) return moment;
  throw new InvalidWhereError(`${what}: "${String(given)}" is not a time.`);
}
