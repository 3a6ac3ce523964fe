import {isUuid} from './column-types';
import type {JugglerModelClass} from './juggler';
import type {Row} from './plan';

/**
 * A text that is the same for two ids which are one to the database, as far as that can be told
 * here: of a UUID in capitals, of dates and of bytes it can, of what a collation takes for equal it
 * cannot.
 */
export function idKey(model: JugglerModelClass, id: unknown): string {
  if (Buffer.isBuffer(id)) return id.toString('hex');
  if (id instanceof Date) return String(id.getTime());
  const property = model.definition.properties[model.definition.idName()];
  return isUuid(property) ? String(id).toLowerCase() : String(id);
}

/**
 * The row of each id. `found` are rows that the database has found by all of the ids; where none of
 * them has an id's own spelling, the database is asked again, by that id alone.
 */
export async function rowsByIds(
  model: JugglerModelClass,
  ids: readonly unknown[],
  found: readonly Row[],
  find: (id: unknown) => Promise<Row | undefined>,
): Promise<(Row | undefined)[]> {
  const idName = model.definition.idName();
  const byKey = new Map(found.map(row => [idKey(model, row[idName]), row]));
  const others = found.length === 0 ? async () => undefined : find;
  const rows: (Row | undefined)[] = [];
  for (const id of ids) rows.push(byKey.get(idKey(model, id)) ?? (await others(id)));
  return rows;
}
