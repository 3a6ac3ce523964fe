/**
 * Compares two numbers given as JavaScript numbers or as decimal texts of any length, exactly as
 * PostgreSQL compares `numeric`: NaN equals itself and is above everything else.
 */
export function compareDecimals(a: number | string, b: number | string): number {
  const [x, y] = [toNumber(a), toNumber(b)];
  // Reading a decimal as a double never turns two of them around; it can only make them equal.
  if (x < y) return -1;
  if (x > y) return 1;
  if (x !== y) return compareDoubles(x, y);
  return isShort(a) && isShort(b) ? 0 : compareDigits(digitsOf(a), digitsOf(b));
}

/** Compares doubles as PostgreSQL does: `-0` is 0, NaN equals itself and is above all others. */
export function compareDoubles(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  return x < y ? -1 : x > y ? 1 : 0;
}

const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|NaN|-?Infinity)$/i;

/** Whether a value is a number, or the text of one as PostgreSQL or JavaScript writes it. */
export function isNumeric(value: unknown): value is number | string {
  return typeof value === 'number' || (typeof value === 'string' && NUMBER.test(value));
}

/** Finite or not, as a double: rounded where it has more digits than one holds. */
export function toNumber(value: number | string): number {
  return typeof value === 'number' ? value : Number(value);
}

/** Up to 15 characters are at most 15 digits, which a double tells apart. */
function isShort(value: number | string): boolean {
  return typeof value === 'number' || (value.length <= 15 && !/[en]/i.test(value));
}

/** A decimal as sign × 0.digits × 10^scale, without zeros at either end. */
interface Digits {
  readonly sign: number;
  readonly digits: string;
  readonly scale: number;
}

function digitsOf(value: number | string): Digits {
  const text = String(value);
  const match = /^([+-]?)0*(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text);
  // Infinity, which only equals itself: above any digits.
  if (!match) return {sign: text.startsWith('-') ? -1 : 1, digits: '1', scale: Infinity};
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  const all = whole + fraction;
  const digits = all.replace(/^0+/, '');
  const scale = whole.length - (all.length - digits.length) + Number(exponent);
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return {sign: 0, digits: '', scale: 0};
  return {sign: sign === '-' ? -1 : 1, digits: significant, scale};
}

function compareDigits(a: Digits, b: Digits): number {
  if (a.sign !== b.sign) return Math.sign(a.sign - b.sign);
  if (a.scale !== b.scale) return a.scale > b.scale ? a.sign : -a.sign;
  if (a.digits === b.digits) return 0;
  return a.digits > b.digits ? a.sign : -a.sign;
}
