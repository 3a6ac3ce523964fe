import type {PropertyDefinition} from '@loopback/repository';

/** What a property holds, as far as it decides what it can be compared with. */
export type PropertyKind = 'text' | 'number' | 'boolean' | 'date' | 'list' | 'place' | 'open';

const KINDS: Readonly<Record<string, PropertyKind>> = {
  string: 'text',
  number: 'number',
  boolean: 'boolean',
  date: 'date',
  array: 'list',
  geopoint: 'place',
};

const EQUALITY = ['eq', 'neq', 'inq', 'nin', 'exists'];
const RANGES = ['gt', 'gte', 'lt', 'lte', 'between'];
const PATTERNS = ['like', 'nlike', 'ilike', 'nilike', 'regexp'];
const CONTENTS = ['contains', 'containsAny', 'containedBy', 'overlap'];
const DISTANCES = ['near', 'maxDistance', 'minDistance', 'unit'];

const OPERATORS: Readonly<Record<PropertyKind, ReadonlySet<string>>> = {
  text: new Set([...EQUALITY, ...RANGES, ...PATTERNS, 'match', 'options']),
  number: new Set([...EQUALITY, ...RANGES]),
  boolean: new Set([...EQUALITY, ...RANGES]),
  date: new Set([...EQUALITY, ...RANGES]),
  list: new Set([...EQUALITY, ...RANGES, ...CONTENTS]),
  place: new Set([...EQUALITY, ...DISTANCES]),
  open: new Set([...EQUALITY, ...RANGES, ...PATTERNS, ...CONTENTS, 'options']),
};

const LISTS: ReadonlySet<string> = new Set(['between', 'inq', 'nin']);
const PATTERN_OPERATORS: ReadonlySet<string> = new Set([...PATTERNS, 'match']);
/** Not a comparison: how another operator beside it is meant. */
const COMPANIONS: ReadonlySet<string> = new Set(['options', 'maxDistance', 'minDistance', 'unit']);
const BOOLEANS: ReadonlySet<unknown> = new Set([true, false, 'true', 'false']);
const SURROGATE = /\p{Surrogate}/u;

export function kindOf({type}: PropertyDefinition): PropertyKind {
  const name = typeof type === 'function' ? type.name : String(type);
  return KINDS[name.toLowerCase()] ?? 'open';
}

/**
 * Why a property cannot be compared with this operand; undefined when it can. What is refused here
 * connectors fail on, or quietly take for something else: any text is true, a list is `inq`.
 */
export function misfitOf(path: string, kind: PropertyKind, operand: unknown): string | undefined {
  if (!isPlainObject(operand)) return valueMisfit(path, kind, 'eq', operand);
  const operators = Object.entries(operand);
  const unknown = operators.find(([name]) => !OPERATORS[kind].has(name));
  if (unknown) return `'${path}' has no operator '${unknown[0]}'`;
  if (operators.every(([name]) => COMPANIONS.has(name))) return `'${path}' is compared with nothing`;
  return operators
    .map(([name, value]) => operatorMisfit(path, kind, name, value))
    .find(reason => reason !== undefined);
}

/** Whether a text is one: UTF-8 has no half of a surrogate pair, and would store another text. */
export function isText(value: string): boolean {
  return !SURROGATE.test(value);
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

/** A moment that JavaScript can hold; a leap second, which JSON schema lets pass, is none. */
export function isMoment(value: unknown): boolean {
  return !Number.isNaN(new Date(value as string).getTime());
}

function operatorMisfit(path: string, kind: PropertyKind, operator: string, value: unknown) {
  if (LISTS.has(operator)) {
    if (!Array.isArray(value)) return `'${operator}' of '${path}' takes a list`;
    if (operator === 'between' && value.length !== 2) {
      return `'between' of '${path}' takes two values`;
    }
    return value
      .map(item => valueMisfit(path, kind, operator, item))
      .find(reason => reason !== undefined);
  }
  if (operator === 'exists') {
    return BOOLEANS.has(value) ? undefined : `'exists' of '${path}' takes true or false`;
  }
  if (COMPANIONS.has(operator) || operator === 'near') return undefined;
  if (PATTERN_OPERATORS.has(operator)) return patternMisfit(path, operator, value);
  return valueMisfit(path, kind, operator, value);
}

function patternMisfit(path: string, operator: string, value: unknown): string | undefined {
  if (typeof value !== 'string') return `'${operator}' of '${path}' takes a text`;
  if (!isText(value)) return `'${path}' is compared with half a character`;
  return operator === 'regexp' && !isPattern(value)
    ? `'regexp' of '${path}' takes a regular expression`
    : undefined;
}

function valueMisfit(path: string, kind: PropertyKind, operator: string, value: unknown) {
  if (value === null) return undefined;
  if (isPlainObject(value)) return `'${operator}' of '${path}' takes a value`;
  const texts = [value].flat(Infinity).filter(item => typeof item === 'string');
  if (!texts.every(isText)) return `'${path}' is compared with half a character`;
  if (kind === 'list' || kind === 'place' || kind === 'open') return undefined;
  if (Array.isArray(value)) return `'${path}' is compared with a list: 'inq' takes one`;
  return fits(kind, value) ? undefined : `'${path}' is compared with what is no ${kind}`;
}

function fits(kind: 'text' | 'number' | 'boolean' | 'date', value: unknown): boolean {
  switch (kind) {
    case 'text':
      return true;
    case 'number':
      if (typeof value === 'string') return value.trim() !== '' && Number.isFinite(Number(value));
      return Number.isFinite(value);
    case 'boolean':
      return BOOLEANS.has(value);
    case 'date':
      return typeof value !== 'boolean' && isMoment(value);
  }
}

/** As juggler reads one: a text between slashes has flags. */
function isPattern(value: string): boolean {
  const [, pattern = value, flags = ''] = /^\/(.+)\/(\w*)$/s.exec(value) ?? [];
  try {
    return new RegExp(pattern, flags) instanceof RegExp;
  } catch {
    return false;
  }
}
