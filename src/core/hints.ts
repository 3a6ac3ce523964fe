import type {RowImage} from './change';
import {refereeFor} from './match';
import type {Condition, ViewQuery} from './query';
import type {EntityShape} from './shape';

type Comparison = Extract<Condition, {kind: 'compare'}>;

/**
 * Whether a row may belong to a view on any database: false only where that is certain. Node's
 * word is taken for numbers, booleans, dates and NULL. Texts of an unknown collation differ for
 * certain where both are plain ASCII and differ in more than case and blanks at the end.
 */
export function mayMatch(query: ViewQuery, image: RowImage, shape: EntityShape): boolean {
  if (shape.deletedFlag !== undefined && image.values[shape.deletedFlag] === true) return false;
  return mayHold(query, query.condition, image, shape);
}

function mayHold(
  query: ViewQuery,
  condition: Condition,
  image: RowImage,
  shape: EntityShape,
): boolean {
  const check = (part: Condition) => mayHold(query, part, image, shape);
  switch (condition.kind) {
    case 'and':
      return condition.parts.every(check);
    case 'or':
      return condition.parts.length === 0 || condition.parts.some(check);
    case 'compare':
      if (PATTERNS.has(condition.operator)) return true;
      if (differs(condition, image, shape)) return false;
      return refereeFor({...query, condition}, shape).matches(image) !== false;
  }
}

/** How a text compares with a pattern is for the database to say, whatever its kind. */
const PATTERNS: ReadonlySet<string> = new Set(['like', 'nlike', 'ilike', 'nilike', 'regexp']);

function differs({property, operator, value}: Comparison, image: RowImage, shape: EntityShape) {
  if (shape.properties[property].kind !== 'opaque') return false;
  const have = folded(image.values[property]);
  if (have === undefined) return false;
  const isOther = (item: unknown) => (folded(item) ?? have) !== have;
  if (operator === 'eq') return isOther(value);
  return operator === 'inq' && (value as unknown[]).every(isOther);
}

/** What is left of a plain text where case and blanks at the end do not count. */
function folded(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^[ -~]*$/.test(value)) return undefined;
  return value.trimEnd().toLowerCase();
}
