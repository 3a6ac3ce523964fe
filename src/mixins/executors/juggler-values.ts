import {sameValue, type JugglerModelClass} from '../juggler';
import type {ChangePlan, RemovePlan, Row} from '../plan';
import {isOpen} from '../where-check';

/** The properties that a row has and its model does not name, all of them empty. */
export function openProperties(row: Row, {definition}: JugglerModelClass): Row {
  const names = Object.keys(row).filter(name => !(name in definition.properties));
  return Object.fromEntries(names.map(name => [name, null]));
}

/** What a replacement empties of a row of an open model: its data names the others. */
export function emptied(plan: ChangePlan | RemovePlan, row: Row, model: JugglerModelClass): Row {
  return plan.kind === 'change' && plan.replace && isOpen(model) ? openProperties(row, model) : {};
}

/** Whether a row has the values of the data. When in doubt it has others. */
export function hasAlready(row: Row, data: Row, model: JugglerModelClass): boolean {
  const {properties} = model.definition;
  return Object.keys(data).every(name => {
    const now = properties[name]?.type === Number ? exactNumber(row[name]) : row[name];
    return sameValue(now, data[name]);
  });
}

/**
 * A number that the driver answers as text, because it may have more digits than a number can
 * hold: with fifteen or less, it can be told from every other.
 */
function exactNumber(value: unknown): unknown {
  const isExact = typeof value === 'string' && /^-?(\d\.?){1,15}$/.test(value);
  return isExact ? Number(value) : value;
}

/**
 * A value as its column takes it back. Properties of type string get from PostgreSQL's driver what
 * it makes of their columns; juggler would write it as `Thu Jan 01 …` or `[object Object]`.
 */
export function storable(model: JugglerModelClass, name: string, value: unknown): unknown {
  if (model.definition.properties[name]?.type !== String) return value;
  if (value instanceof Date) return localTime(value);
  const {toPostgres} = (value ?? {}) as {toPostgres?: unknown};
  if (typeof toPostgres === 'function') return toPostgres.call(value);
  return isJson(value) ? JSON.stringify(value) : value;
}

/** What the driver makes of a column of JSON. */
function isJson(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Buffer.isBuffer(value);
}

/** With its offset: so it is the same day for `date`, and the same moment for `timestamptz`. */
function localTime(moment: Date): string {
  const ahead = -moment.getTimezoneOffset();
  const local = new Date(moment.getTime() + ahead * 60_000).toISOString().slice(0, -1);
  const [hours, minutes] = [Math.floor(Math.abs(ahead) / 60), Math.abs(ahead) % 60];
  const offset = [hours, minutes].map(part => String(part).padStart(2, '0')).join(':');
  return `${local}${ahead < 0 ? '-' : '+'}${offset}`;
}

/** Now, and never before the moment at which a state began. */
export function momentAfter(since: unknown): Date {
  const earliest = since instanceof Date ? since.getTime() : 0;
  return new Date(Math.max(Date.now(), earliest));
}
