import type {RowImage} from './change';
import {comparable, compareValues, equalValues, type Ask} from './compare';
import {
  expressionOf,
  expressionTest,
  hasPlainCase,
  likeTest,
  type TextTest,
} from './patterns';
import type {Condition, SortKey, ViewQuery} from './query';
import type {EntityShape} from './shape';

/** SQL's three truth values, and `'ask'` where only the database knows. */
type Truth = boolean | null | Ask;

/** Decides about row images: does one belong to a view, and which of two comes first. */
export interface Referee {
  matches(image: RowImage): boolean | Ask;
  compare(a: RowImage, b: RowImage): number | Ask;
}

/**
 * Makes the referee that decides in Node, exactly as PostgreSQL would, and says `'ask'` for
 * everything else: text order under a collation, case beyond ASCII, regular expressions that are
 * more than a plain text, JSON, lists, bytes.
 */
export function refereeFor(query: ViewQuery, shape: EntityShape): Referee {
  const isDeleted = shape.deletedFlag;
  return {
    matches(image) {
      if (isDeleted !== undefined && image.values[isDeleted] === true) return false;
      return evaluate(query.condition, image, shape);
    },
    compare: (a, b) => compareRows(a, b, query.order, shape),
  };
}

/**
 * There is no NOT above a comparison, so SQL's unknown can stand as false from here on: neither
 * ever makes a row match.
 */
function evaluate(condition: Condition, image: RowImage, shape: EntityShape): boolean | Ask {
  switch (condition.kind) {
    case 'and':
      return decide(condition.parts, false, image, shape);
    case 'or':
      // LoopBack's connectors leave an empty `or` out of the statement.
      return condition.parts.length === 0 || decide(condition.parts, true, image, shape);
    case 'compare': {
      const truth = compareWith(condition, image, shape);
      return truth === 'ask' ? truth : truth === true;
    }
  }
}

/** One part that is `decisive` settles the whole; a question stays only where none does. */
function decide(
  parts: readonly Condition[],
  decisive: boolean,
  image: RowImage,
  shape: EntityShape,
): boolean | Ask {
  let result: boolean | Ask = !decisive;
  for (const part of parts) {
    const truth = evaluate(part, image, shape);
    if (truth === decisive) return decisive;
    if (truth === 'ask') result = truth;
  }
  return result;
}

function compareWith(
  condition: Comparison,
  image: RowImage,
  shape: EntityShape,
): Truth {
  const {property, operator, value} = condition;
  const known = shape.properties[property];
  const have = comparable(image, property, known);
  const test = (passes: (sign: number) => boolean, operand = value): Truth => {
    if (have === null || operand === null) return null;
    const order = compareValues(have, operand, known.kind);
    return order === 'ask' ? order : passes(order);
  };
  switch (operator) {
    case 'eq':
      return value === null ? have === null : equals(have, value, known.kind);
    case 'neq':
      return value === null ? have !== null : negate(equals(have, value, known.kind));
    case 'gt':
      return test(sign => sign > 0);
    case 'gte':
      return test(sign => sign >= 0);
    case 'lt':
      return test(sign => sign < 0);
    case 'lte':
      return test(sign => sign <= 0);
    case 'between': {
      const [low, high] = value as [unknown, unknown];
      return both(test(sign => sign >= 0, low), test(sign => sign <= 0, high));
    }
    case 'inq':
      return isOneOf(have, value as unknown[], known.kind);
    case 'nin':
      return negate(isOneOf(have, value as unknown[], known.kind));
    case 'exists':
      return (have !== null) === Boolean(value);
    case 'like':
    case 'nlike':
    case 'ilike':
    case 'nilike':
    case 'regexp':
      return fitsPattern(condition, have, known.kind);
  }
}

type Kind = Parameters<typeof equalValues>[2];
type Comparison = Extract<Condition, {kind: 'compare'}>;

/** LIKE and regular expressions look at the column as text. */
function fitsPattern(condition: Comparison, have: unknown, kind: Kind): Truth {
  if (have === null || condition.value === null) return null;
  if (typeof have !== 'string' || (kind !== 'text' && kind !== 'collated')) return 'ask';
  const test = testFor(condition);
  if (!test) return 'ask';
  switch (condition.operator) {
    case 'like':
      return test(have);
    case 'nlike':
      return !test(have);
    case 'ilike':
    case 'nilike': {
      const pattern = String(condition.value);
      if (!hasPlainCase(have, kind) || !hasPlainCase(pattern, kind)) return 'ask';
      return test(have.toLowerCase()) === (condition.operator === 'ilike');
    }
    default:
      return test(have);
  }
}

const tests = new WeakMap<Condition, {readonly test: TextTest | undefined}>();

/** A pattern is read once, however many rows are held against it. */
function testFor(condition: Comparison): TextTest | undefined {
  let known = tests.get(condition);
  if (!known) tests.set(condition, (known = {test: makeTest(condition)}));
  return known.test;
}

function makeTest({operator, value}: Comparison): TextTest | undefined {
  if (operator === 'regexp') {
    const {source, ignoreCase} = expressionOf(value);
    return source === null || ignoreCase ? undefined : expressionTest(source);
  }
  const foldsCase = operator === 'ilike' || operator === 'nilike';
  return likeTest(foldsCase ? String(value).toLowerCase() : String(value));
}

function equals(have: unknown, want: unknown, kind: Kind): Truth {
  return have === null || want === null ? null : equalValues(have, want, kind);
}

/** An empty list holds nothing, whatever the value is: also for NULL. */
function isOneOf(have: unknown, list: readonly unknown[], kind: Kind): Truth {
  let result: Truth = false;
  for (const item of list) {
    const truth = equals(have, item, kind);
    if (truth === true) return true;
    if (truth === 'ask' || (truth === null && result === false)) result = truth;
  }
  return result;
}

function negate(truth: Truth): Truth {
  return typeof truth === 'boolean' ? !truth : truth;
}

function both(a: Truth, b: Truth): Truth {
  if (a === false || b === false) return false;
  if (a === 'ask' || b === 'ask') return 'ask';
  return a === null || b === null ? null : true;
}

/** PostgreSQL places NULL after all values, and so first in a descending order. */
function compareRows(
  a: RowImage,
  b: RowImage,
  order: readonly SortKey[],
  shape: EntityShape,
): number | Ask {
  for (const {property, descending} of order) {
    const known = shape.properties[property];
    const sign = compareWithNulls(
      comparable(a, property, known),
      comparable(b, property, known),
      known.kind,
    );
    if (sign === 'ask') return sign;
    if (sign !== 0) return descending ? -sign : sign;
  }
  return 0;
}

function compareWithNulls(a: unknown, b: unknown, kind: Kind): number | Ask {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return compareValues(a, b, kind);
}
