import type {Filter} from '@loopback/repository';
import {InvalidFilterError} from './errors';
import type {JugglerModelClass} from './juggler';
import {assertSafeWhere, isKnown} from './where-check';
import {isPlainObject} from './where';

/** A property to order by. */
export interface OrderKey {
  readonly name: string;
  readonly descending: boolean;
}

const PAGE = ['limit', 'offset', 'skip'] as const;

/**
 * Refuses a filter that would not mean what it says: a where as {@link assertSafeWhere} does, and
 * an order, fields or a page of what there is not.
 *
 * @param shown - What `fields` may name beside the stored properties
 * @throws `InvalidWhereError`, {@link InvalidFilterError}
 */
export function assertSafeFilter(
  filter: object | undefined | null,
  model: JugglerModelClass,
  shown: Readonly<Record<string, unknown>> = {},
): void {
  if (filter === undefined || filter === null) return;
  if (typeof filter !== 'object' || Array.isArray(filter)) throw invalid('it must be an object');
  const {where, order, fields, ...page} = filter as Filter;
  assertSafeWhere(where, model, 'read');
  orderKeys(order, model);
  assertFields(fields, model, shown);
  for (const name of PAGE) assertWhole(name, page[name]);
}

/** The keys as juggler and connectors take an order. */
export function orderOf(keys: readonly OrderKey[]): string[] {
  return keys.map(({name, descending}) => `${name} ${descending ? 'DESC' : 'ASC'}`);
}

/** Refuses parts that a filter of this kind does not have, which would go unheeded. */
export function assertOnlyParts(filter: object, parts: readonly string[]): void {
  const odd = Object.keys(filter).find(part => !parts.includes(part));
  if (odd !== undefined) throw invalid(`"${odd}" has no meaning here`);
}

/**
 * LoopBack's order (`'name ASC'`, `'name, qty DESC'`, or a list of such), key by key.
 *
 * @throws {@link InvalidFilterError}
 */
export function orderKeys(order: unknown, model: JugglerModelClass): OrderKey[] {
  if (order === undefined || order === null) return [];
  return [order].flat().flatMap(entry => {
    if (typeof entry !== 'string') throw invalid('an order is a text such as "name ASC"');
    return entry.split(',').filter(part => part.trim() !== '').map(part => orderKey(part, model));
  });
}

function orderKey(text: string, model: JugglerModelClass): OrderKey {
  const match = /^\s*(\S+)(?:\s+(ASC|DESC))?\s*$/i.exec(text);
  if (!match) throw invalid(`"${text}" is not an order such as "name ASC"`);
  const [, name, direction] = match;
  if (!isKnown(name, model)) throw invalid(`"${name}" in the order is not a property`);
  return {name, descending: direction?.toUpperCase() === 'DESC'};
}

function assertFields(
  fields: unknown,
  model: JugglerModelClass,
  shown: Readonly<Record<string, unknown>>,
): void {
  if (fields === undefined || fields === null) return;
  if (!Array.isArray(fields) && !isPlainObject(fields)) throw invalid('fields are a list of names');
  const names: readonly unknown[] = Array.isArray(fields) ? fields : Object.keys(fields);
  for (const name of names) {
    const isField =
      typeof name === 'string' && (Object.hasOwn(shown, name) || isKnown(name, model));
    if (!isField) throw invalid(`"${String(name)}" in the fields is not a property`);
  }
}

/** Of what is no number, connectors make no page at all, or a word of SQL. */
function assertWhole(name: string, given: unknown): void {
  if (given === undefined || given === null) return;
  const isNumber = typeof given === 'number' || (typeof given === 'string' && given.trim() !== '');
  const number = Number(given);
  if (!isNumber || !Number.isSafeInteger(number) || number < 0) {
    throw invalid(`"${name}" is a whole number`);
  }
}

function invalid(because: string): InvalidFilterError {
  return new InvalidFilterError(because);
}
