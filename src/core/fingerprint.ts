/** Objects that are told apart by what they are, not by what they hold. */
const identities = new WeakMap<object, number>();
let lastIdentity = 0;

/**
 * A text that says all of a value: equal texts, equal values. What JSON would make the same of
 * (a Set and an empty object, NaN and null, an expression and its text) has texts of its own; what
 * cannot be looked into (functions, instances of other classes) is equal to itself alone. Symbols
 * go by their descriptions.
 */
export function fingerprint(value: unknown): string {
  return JSON.stringify(faithful(value, new Set()));
}

/** Plain values stay as they are; others become objects, and objects their entries. */
function faithful(value: unknown, within: Set<object>): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : tagged('number', value);
    case 'undefined':
    case 'bigint':
      return tagged(typeof value, value);
    case 'symbol':
      return tagged('symbol', value.description ?? '');
    case 'function':
      return tagged('function', identityOf(value));
    case 'object':
      return value === null ? null : faithfulObject(value, within);
  }
}

function faithfulObject(value: object, within: Set<object>): unknown {
  if (within.has(value)) return tagged('circle', identityOf(value));
  within.add(value);
  const inner = (item: unknown) => faithful(item, within);
  try {
    if (Array.isArray(value)) return value.map(inner);
    if (value instanceof Date) return tagged('date', value.getTime());
    if (value instanceof RegExp) return tagged('expression', value.source, value.flags);
    if (value instanceof Set) return {set: [...value].map(inner)};
    if (value instanceof Map) return {map: [...value].map(entry => entry.map(inner))};
    if (value instanceof Uint8Array) return tagged('bytes', Buffer.from(value).toString('base64'));
    if (!isPlain(value)) return tagged('instance', identityOf(value));
    return {of: Reflect.ownKeys(value).map(key =>
      [inner(key), inner((value as Record<string | symbol, unknown>)[key])])};
  } finally {
    within.delete(value);
  }
}

function tagged(kind: string, ...what: unknown[]): object {
  return {[kind]: what.map(String)};
}

function identityOf(value: object): number {
  const known = identities.get(value);
  if (known !== undefined) return known;
  identities.set(value, ++lastIdentity);
  return lastIdentity;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
