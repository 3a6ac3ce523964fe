import {EncryptedQueryError} from './errors';

/** Throws when a filter compares or orders by one of the encrypted properties. */
export function checkEncryptedQuery(
  entityName: string,
  encrypted: ReadonlySet<string>,
  filter: object | undefined,
): void {
  if (!filter || encrypted.size === 0) return;
  const {where, order} = filter as {where?: unknown; order?: unknown};
  checkOrder(entityName, encrypted, order);
  // A list instead of recursion: clauses as deep as a body allows must not end the stack.
  const clauses: unknown[] = [where];
  while (clauses.length > 0) {
    const clause = clauses.pop();
    if (isObject(clause)) checkClause(entityName, encrypted, clause, clauses);
  }
}

function checkClause(
  entityName: string,
  encrypted: ReadonlySet<string>,
  clause: Record<string, unknown>,
  clauses: unknown[],
): void {
  for (const [name, condition] of Object.entries(clause)) {
    const property = ownerOf(name);
    if (encrypted.has(property)) {
      const operation = refusedOperation(condition);
      if (operation) throw new EncryptedQueryError(entityName, property, operation);
    } else if (COMBINING.has(name)) {
      for (const part of Array.isArray(condition) ? condition : [condition]) clauses.push(part);
    }
  }
}

const COMBINING: ReadonlySet<string> = new Set(['and', 'or', 'nor', 'not']);

/** Nothing but being null shows through the ciphertext. */
function refusedOperation(condition: unknown): string | undefined {
  if (condition === null || condition === undefined) return undefined;
  if (!isObject(condition) || Array.isArray(condition)) return 'eq';
  const operators = Object.entries(condition);
  if (operators.length === 0) return 'eq';
  return operators.find(([operator, value]) => !asksForNull(operator, value))?.[0];
}

function asksForNull(operator: string, value: unknown): boolean {
  if (operator === 'exists') return true;
  return value === null && ['eq', 'neq', 'is', 'isnot'].includes(operator);
}

function checkOrder(entityName: string, encrypted: ReadonlySet<string>, order: unknown): void {
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
