import {EncryptedQueryError} from './errors';

/** What queries may ask of one model's encrypted properties. */
export interface QueryRules {
  readonly entityName: string;
  readonly encrypted: ReadonlySet<string>;
  /** The column of each property that can be compared in spite of its encryption. */
  readonly searchable: ReadonlyMap<string, string>;
}

/** What to look for in the index column of a property, in place of a value. */
export type IndexesOf = (property: string, value: unknown) => readonly string[];

type Clause = Record<string, unknown>;

/**
 * Refuses a filter that orders by an encrypted property, or compares it in a way that cannot be
 * answered. Scopes of inclusions are for the repository of the target, which checks what it is
 * asked.
 *
 * @returns Whether a searchable property is compared, so that the where has to be translated
 * @throws {@link EncryptedQueryError}
 */
export function checkEncryptedQuery(rules: QueryRules, filter: object | undefined): boolean {
  if (!filter || rules.encrypted.size === 0) return false;
  const {where, order} = filter as {where?: unknown; order?: unknown};
  checkOrder(rules, order);
  let searches = false;
  // A list instead of recursion: clauses as deep as a body allows must not end the stack.
  const clauses: unknown[] = [where];
  while (clauses.length > 0) {
    const clause = clauses.pop();
    if (isObject(clause) && checkClause(rules, clause, clauses)) searches = true;
  }
  return searches;
}

/** The where with every comparison of a searchable property moved to its index column. */
export function translatedWhere(rules: QueryRules, where: object, indexesOf: IndexesOf): object {
  const parts = Object.entries(where).map(([name, condition]): Clause => {
    if (COMBINING.has(name) && isObject(condition)) {
      const translate = (part: unknown) =>
        isObject(part) ? translatedWhere(rules, part, indexesOf) : part;
      return {[name]: Array.isArray(condition) ? condition.map(translate) : translate(condition)};
    }
    const column = rules.searchable.get(name);
    if (column === undefined || condition == null) return {[name]: condition};
    const operators = isOperators(condition) ? condition : {eq: condition};
    const compared = Object.entries(operators).map(([operator, value]) =>
      asksForNull(operator, value)
        ? {[name]: {[operator]: value}}
        : {[column]: comparison(operator, value, v => indexesOf(name, v))},
    );
    return compared.length === 1 ? compared[0] : {and: compared};
  });
  return parts.length === 1 ? parts[0] : {and: parts};
}

/** One value has several indexes while keys are changed, so it becomes a list. */
function comparison(
  operator: string,
  value: unknown,
  indexesOf: (value: unknown) => readonly string[],
): Clause {
  const list = operator === 'inq' || operator === 'nin';
  const values = list ? (value as unknown[]) : [value];
  const indexes = values.flatMap((v): unknown[] => (v == null ? [v] : [...indexesOf(v)]));
  const negative = operator === 'neq' || operator === 'nin';
  if (list || indexes.length !== 1) return {[negative ? 'nin' : 'inq']: indexes};
  return {[operator]: indexes[0]};
}

/** @returns Whether the clause itself compares a searchable property */
function checkClause(rules: QueryRules, clause: Clause, clauses: unknown[]): boolean {
  let searches = false;
  for (const [name, condition] of Object.entries(clause)) {
    const property = ownerOf(name);
    if (rules.encrypted.has(property)) {
      const searchable = rules.searchable.has(name);
      const operation = refusedOperation(condition, searchable);
      if (operation) {
        throw new EncryptedQueryError(rules.entityName, property, operation, searchable);
      }
      searches ||= searchable;
    } else if (COMBINING.has(name)) {
      for (const part of Array.isArray(condition) ? condition : [condition]) clauses.push(part);
    }
  }
  return searches;
}

const COMBINING: ReadonlySet<string> = new Set(['and', 'or', 'nor', 'not']);

/** Through ciphertext only null shows; through an index, what is equal does too. */
function refusedOperation(condition: unknown, searchable: boolean): string | undefined {
  if (condition === null || condition === undefined) return undefined;
  if (!isOperators(condition)) return searchable && isValue(condition) ? undefined : 'eq';
  const operators = Object.entries(condition);
  if (operators.length === 0) return 'eq';
  const refused = operators.find(
    ([operator, value]) =>
      !asksForNull(operator, value) && !(searchable && asksForEqual(operator, value)),
  );
  return refused?.[0];
}

function asksForNull(operator: string, value: unknown): boolean {
  if (operator === 'exists') return true;
  return value === null && ['eq', 'neq', 'is', 'isnot'].includes(operator);
}

function asksForEqual(operator: string, value: unknown): boolean {
  if (operator === 'eq' || operator === 'neq') return isValue(value);
  if (operator !== 'inq' && operator !== 'nin') return false;
  return Array.isArray(value) && value.every(v => v == null || isValue(v));
}

function isValue(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value) || value instanceof Date;
}

function isOperators(condition: unknown): condition is Clause {
  return isObject(condition) && condition.constructor === Object;
}

function checkOrder({entityName, encrypted}: QueryRules, order: unknown): void {
  for (const key of Array.isArray(order) ? order : [order]) {
    if (typeof key !== 'string') continue;
    for (const part of key.split(',')) {
      const property = ownerOf(part.trim().split(/\s/, 1)[0]);
      if (encrypted.has(property)) throw new EncryptedQueryError(entityName, property, 'order');
    }
  }
}

/** `profile` of `profile.city`. */
function ownerOf(path: string): string {
  const dot = path.indexOf('.');
  return dot === -1 ? path : path.slice(0, dot);
}

function isObject(value: unknown): value is Clause {
  return typeof value === 'object' && value !== null;
}
