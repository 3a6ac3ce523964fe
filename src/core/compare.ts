import type {RowImage} from './change';
import type {PropertyShape} from './shape';

/** Said where only the database can tell. */
export type Ask = 'ask';

const MAX_EXACT_DIGITS = 15;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Compares two values that are not null the way the database does: negative, zero or positive, or
 * `'ask'` where Node and PostgreSQL may differ.
 */
export function compareValues(a: unknown, b: unknown, kind: PropertyShape['kind']): number | Ask {
  switch (kind) {
    case 'number':
      return exactNumber(a) && exactNumber(b) ? Math.sign(Number(a) - Number(b)) : 'ask';
    case 'text':
      return typeof a === 'string' && typeof b === 'string' ? byCodePoint(a, b) : 'ask';
    case 'collated':
      return typeof a === 'string' && a === b ? 0 : 'ask';
    case 'boolean':
      return typeof a === 'boolean' && typeof b === 'boolean' ? Number(a) - Number(b) : 'ask';
    case 'uuid':
      return isUuid(a) && isUuid(b) ? (a < b ? -1 : a > b ? 1 : 0) : 'ask';
    case 'date':
      return compareDates(a, b);
    case 'opaque':
      return 'ask';
  }
}

/** Whether two values that are not null are equal, as the database says; or `'ask'`. */
export function equalValues(a: unknown, b: unknown, kind: PropertyShape['kind']): boolean | Ask {
  if (kind === 'collated') {
    return typeof a === 'string' && typeof b === 'string' ? a === b : 'ask';
  }
  const order = compareValues(a, b, kind);
  return order === 'ask' ? order : order === 0;
}

/**
 * What to compare of a row's property. Dates keep the database's own text when it is finer than a
 * millisecond, and numbers when they are longer than a double holds, so that a tie is noticed.
 */
export function comparable(image: RowImage, property: string, shape: PropertyShape): unknown {
  const value = image.values[property] ?? null;
  // NaN and infinity are null in JSON, and neither null nor comparable in Node.
  const isFiner = shape.kind === 'date' || shape.kind === 'number';
  return isFiner ? (image.raw[property] ?? value) : value;
}

function exactNumber(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && exactDigits(String(value));
  return typeof value === 'string' && /^-?\d/.test(value) && exactDigits(value);
}

function exactDigits(text: string): boolean {
  const match = /^-?0*(\d*)\.?(\d*)(?:e[+-]?\d{1,2})?$/i.exec(text);
  return match !== null && match[1].length + match[2].length <= MAX_EXACT_DIGITS;
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** UTF-16 code units and code points differ only where surrogates meet the end of the BMP. */
function byCodePoint(a: string, b: string): number {
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

function compareDates(a: unknown, b: unknown): number | Ask {
  const x = milliseconds(a);
  const y = milliseconds(b);
  if (x === undefined || y === undefined) return 'ask';
  if (x !== y) return x < y ? -1 : 1;
  return a === b || (isMillisecondExact(a) && isMillisecondExact(b)) ? 0 : 'ask';
}

const DATE_TEXT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)$/;

/** PostgreSQL writes `2026-01-31 12:00:00.5+00`, JSON `2026-01-31T12:00:00.500Z`. */
function milliseconds(value: unknown): number | undefined {
  if (typeof value !== 'string' || !DATE_TEXT.test(value)) return undefined;
  const iso = value
    .replace(' ', 'T')
    .replace(/(\.\d{3})\d+/, '$1')
    .replace(/([+-]\d\d)$/, '$1:00');
  const time = Date.parse(iso);
  return Number.isNaN(time) ? undefined : time;
}

function isMillisecondExact(value: unknown): boolean {
  return typeof value === 'string' && !/\.\d{4,}/.test(value);
}
