import type {Entity, Filter} from '@loopback/repository';
import type {Row} from './plan';

/** Takes away from an entity what `fields` do not show. */
export function selected<T extends Entity>(
  entity: T,
  fields: Filter<T>['fields'],
  relations: ReadonlySet<string> = new Set(),
): T {
  if (!fields) return entity;
  const listed = Array.isArray(fields);
  const shown = listed ? {} : (fields as Record<string, boolean>);
  const positive = listed ? fields.length > 0 : Object.values(shown).some(Boolean);
  for (const name of Object.keys(entity)) {
    if (relations.has(name)) continue;
    const named = listed ? (fields as string[]).includes(name) : shown[name];
    if (positive ? !named : named === false) delete (entity as Row)[name];
  }
  return entity;
}
