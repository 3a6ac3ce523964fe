import type {RowImage} from './change';
import {compareDecimals, compareDoubles, isNumeric, toNumber} from './decimals';
import {compareMoments, localMomentOf, momentOf, type Moment} from './moments';
import type {PropertyKind, PropertyShape} from './shape';

/** Said where only the database can tell. */
export type Ask = 'ask';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Compares two values that are not null the way the database does: negative, zero or positive, or
 * `'ask'` where Node and PostgreSQL may differ.
 */
export function compareValues(a: unknown, b: unknown, kind: PropertyKind): number | Ask {
  switch (kind) {
    case 'number':
      return isNumeric(a) && isNumeric(b) ? compareDecimals(a, b) : 'ask';
    case 'double':
      return isNumeric(a) && isNumeric(b) ? compareDoubles(toNumber(a), toNumber(b)) : 'ask';
    case 'text':
      return typeof a === 'string' && typeof b === 'string' ? byCodePoint(a, b) : 'ask';
    case 'collated':
      return typeof a === 'string' && a === b ? 0 : 'ask';
    case 'boolean':
      return typeof a === 'boolean' && typeof b === 'boolean' ? Number(a) - Number(b) : 'ask';
    case 'uuid':
      return isUuid(a) && isUuid(b) ? (a < b ? -1 : a > b ? 1 : 0) : 'ask';
    case 'date':
      return compareWhere(momentOf(a), momentOf(b));
    case 'timestamp':
      return compareWhere(localMomentOf(a), localMomentOf(b));
    case 'opaque':
      return 'ask';
  }
}

/** Whether two values that are not null are equal, as the database says; or `'ask'`. */
export function equalValues(a: unknown, b: unknown, kind: PropertyKind): boolean | Ask {
  if (kind === 'collated') {
    return typeof a === 'string' && typeof b === 'string' ? a === b : 'ask';
  }
  const order = compareValues(a, b, kind);
  return order === 'ask' ? order : order === 0;
}

/** Kinds of which JSON tells less than the database's own text: digits, NaN, infinity. */
const FINER_IN_TEXT: ReadonlySet<PropertyKind> =
  new Set<PropertyKind>(['number', 'double', 'date', 'timestamp']);

/**
 * What to compare of a row's property; null where it is NULL, and only there: some values that are
 * not, such as NaN and JSON's null, have no other JSON.
 */
export function comparable(image: RowImage, property: string, {kind}: PropertyShape): unknown {
  const value = image.values[property] ?? null;
  return FINER_IN_TEXT.has(kind) || value === null ? (image.raw[property] ?? value) : value;
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

function compareWhere(a: Moment | undefined, b: Moment | undefined): number | Ask {
  return a && b ? compareMoments(a, b) : 'ask';
}

/** UTF-16 code units and code points differ only where surrogates meet the end of the BMP. */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rankOf(x) - rankOf(y) < 0 ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

function rankOf(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
