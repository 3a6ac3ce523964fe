import type {Interval, Place} from './intervals';
import {localMomentOf, momentOf} from './moments';
import {isNumeric, toNumber} from './decimals';
import type {Condition} from './query';
import type {EntityShape, PropertyKind} from './shape';

/**
 * Where a window is filed: under each of `keys`, which are the values that `properties` must have,
 * and there within the interval that another property must lie in.
 */
export interface Filing {
  readonly properties: readonly string[];
  readonly keys: readonly string[];
  readonly range?: {readonly property: string; readonly interval: Interval};
}

type Comparison = Extract<Condition, {kind: 'compare'}>;

/** Keys of one window; past it, the longest lists of values are left to its own condition. */
const MAX_KEYS = 100;

/** Values of one property alone, as the links of a page with its related rows. */
const MAX_VALUES = 5000;

/** The common name of dates that JavaScript does not have. */
const UNPLACED = '?';

/** What no row can escape: filed under nothing. */
const RESIDUE: readonly Filing[] = [{properties: [], keys: ['[]']}];

/**
 * Where to file a window with this condition, so that every row that may match it is found there:
 * by the properties that it demands to be equal to something, and by the narrowest range. Nowhere
 * when no row can ever match; an `or` is filed under each of its parts.
 */
export function filingsOf(condition: Condition, shape: EntityShape): readonly Filing[] {
  const parts = conjuncts(condition);
  const comparisons = parts.filter((part): part is Comparison => part.kind === 'compare');
  if (comparisons.some(isNever)) return [];
  const equal = equalities(comparisons, shape);
  const range = narrowest(comparisons, [...equal.keys()], shape);
  if (equal.size > 0 || range) {
    const properties = [...equal.keys()].sort();
    const keys = combinations(properties.map(property => equal.get(property)!));
    return [{properties, keys, ...(range && {range})}];
  }
  for (const part of parts) {
    if (part.kind !== 'or' || part.parts.length === 0) continue;
    const either = part.parts.map(each => filingsOf(each, shape));
    if (!either.includes(RESIDUE)) return either.flat();
  }
  return RESIDUE;
}

/** The key under which to look for windows that a row with these values may concern. */
export function keyFor(values: readonly string[]): string {
  return JSON.stringify(values);
}

/** Equal values must share a name; it does no harm when others share it too. */
export function nameOf(value: unknown, kind: PropertyKind): string {
  if (value === null || value === undefined) return '';
  const place = placeOf(value, kind);
  if (place !== undefined) return String(place);
  if (kind === 'date' || kind === 'timestamp') return UNPLACED;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * Where a value lies among others of its kind; undefined where only the database knows. A greater
 * value is never placed lower, but different ones can share a place.
 */
export function placeOf(value: unknown, kind: PropertyKind): Place | undefined {
  switch (kind) {
    case 'number':
    case 'double': {
      if (!isNumeric(value)) return undefined;
      const number = toNumber(value);
      // PostgreSQL has NaN above everything; and -0 is 0.
      return Number.isNaN(number) ? Infinity : number + 0;
    }
    case 'date':
      return momentOf(value)?.ms;
    case 'timestamp':
      return localMomentOf(value)?.ms;
    case 'text':
      return typeof value === 'string' ? value : undefined;
    case 'uuid':
      return typeof value === 'string' ? value.toLowerCase() : undefined;
    case 'collated':
    case 'boolean':
    case 'opaque':
      return undefined;
  }
}

function conjuncts(condition: Condition): readonly Condition[] {
  return condition.kind === 'and' ? condition.parts.flatMap(conjuncts) : [condition];
}

/** A comparison with null is unknown for every row, and an empty list holds nothing. */
function isNever({operator, value}: Comparison): boolean {
  switch (operator) {
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return value === null;
    case 'between':
      return (value as unknown[]).includes(null);
    case 'inq':
      return (value as unknown[]).every(item => item === null);
    default:
      return false;
  }
}

/** By property the names of the values that it may have, in no more combinations than agreed. */
function equalities(
  comparisons: readonly Comparison[],
  shape: EntityShape,
): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const {property, operator, value} of comparisons) {
    const {kind} = shape.properties[property];
    if (kind === 'opaque' || (operator !== 'eq' && operator !== 'inq')) continue;
    const values = operator === 'eq' ? [value] : (value as unknown[]).filter(item => item !== null);
    const names = [...new Set(values.map(item => nameOf(item, kind)))];
    const known = found.get(property);
    if (!known || names.length < known.length) found.set(property, names);
  }
  const shortest = [...found].sort(([, a], [, b]) => a.length - b.length);
  let total = 1;
  return new Map(shortest.filter(([, names]) => {
    const isKept = total * names.length <= (total === 1 ? MAX_VALUES : MAX_KEYS);
    if (isKept) total *= names.length;
    return isKept;
  }));
}

function combinations(lists: readonly (readonly string[])[]): string[] {
  let keys: string[][] = [[]];
  for (const list of lists) keys = keys.flatMap(key => list.map(name => [...key, name]));
  return keys.map(keyFor);
}

/** The range of a property that is bounded on both sides, else of one that is on one side. */
function narrowest(
  comparisons: readonly Comparison[],
  except: readonly string[],
  shape: EntityShape,
): Filing['range'] {
  const ranges = new Map<string, {low?: Place; high?: Place}>();
  for (const {property, operator, value} of comparisons) {
    if (except.includes(property)) continue;
    const {kind} = shape.properties[property];
    const [low, high] = boundsOf(operator, value).map(bound => placeOf(bound, kind));
    if (low === undefined && high === undefined) continue;
    const range = ranges.get(property) ?? {};
    if (low !== undefined) range.low = low;
    if (high !== undefined) range.high = high;
    ranges.set(property, range);
  }
  const sided = ({low, high}: {low?: Place; high?: Place}) =>
    Number(low !== undefined) + Number(high !== undefined);
  const [best] = [...ranges].sort(([, a], [, b]) => sided(b) - sided(a));
  if (!best) return undefined;
  const [property, {low, high}] = best;
  return {property, interval: {low, high}};
}

function boundsOf(operator: Comparison['operator'], value: unknown): [unknown, unknown] {
  switch (operator) {
    case 'gt':
    case 'gte':
      return [value, undefined];
    case 'lt':
    case 'lte':
      return [undefined, value];
    case 'between':
      return value as [unknown, unknown];
    default:
      return [undefined, undefined];
  }
}
