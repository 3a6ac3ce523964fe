import type {ModelDefinition, PropertyDefinition} from '@loopback/repository';
import {searchableProperties, type SearchableProperty} from './crypto/searchable';
import {identifier} from './identifiers';

/** The properties that the definition says are encrypted. */
export function encryptedProperties(
  definition: ModelDefinition,
): Record<string, PropertyDefinition> {
  return Object.fromEntries(
    Object.entries(definition.properties).filter(([, property]) => property.encrypt),
  );
}

/** Those of them that can be found; their blind indexes are columns that entities do not show. */
export function searchableIn(definition: ModelDefinition): readonly SearchableProperty[] {
  return searchableProperties(definition.name, definition.properties as never);
}

/** Ciphertext is text, however long, whatever the plaintext's type. */
export function asCiphertext(property: PropertyDefinition): PropertyDefinition {
  const {required, hidden, encrypt} = property;
  // MySQL's own "text" ends after 64 KiB, and out of strict mode it cuts what is longer.
  const [postgresql, mysql] = [{dataType: 'text'}, {dataType: 'longtext'}];
  const stored = {ciphertext: true, postgresql, mysql};
  return {type: 'string', required, hidden, encrypt, ...stored};
}

/** A key's id of up to 64 characters, a dot, and a hash of 43. */
const BLIND_INDEX: PropertyDefinition = {
  type: 'string',
  postgresql: {dataType: 'text'},
  mysql: {dataType: 'varchar', dataLength: 108},
};

/** The columns that hold blind indexes. */
export function searchColumns(definition: ModelDefinition): Record<string, PropertyDefinition> {
  return Object.fromEntries(searchableIn(definition).map(({column}) => [column, BLIND_INDEX]));
}

/**
 * The model's indexes, on blind indexes in place of what is encrypted, and one for each of those.
 * All are named: PostgreSQL's connector forgets unnamed indexes of columns with an underscore.
 */
export function indexesOfCiphertext(definition: ModelDefinition): Record<string, object> {
  const searchable = searchableIn(definition);
  const columns = new Map(searchable.map(({property, column}) => [property, column]));
  const given = Object.entries((definition.settings.indexes ?? {}) as Record<string, object>);
  const moved = given.map(([name, index]) => [name, onColumns(index, columns)]);
  const own = searchable.map(searched => [
    indexName(definition, searched),
    {keys: {[searched.column]: 1}, ...(searched.unique ? {options: {unique: true}} : {})},
  ]);
  return Object.fromEntries([...moved, ...own]);
}

/** What the index of a searchable property is called, and told of when a value is not unique. */
export function indexName({name}: ModelDefinition, {property}: SearchableProperty): string {
  return identifier(`${name}_${property}`.toLowerCase(), '_index');
}

export function namesOfBlindIndexes(definition: ModelDefinition): string[] {
  return searchableIn(definition).map(searched => indexName(definition, searched));
}

/** `{keys: {email: 1}}` → `{keys: {_emailIndex: 1}}` */
function onColumns(index: {keys?: unknown}, columns: ReadonlyMap<string, string>): object {
  const {keys} = index;
  const column = (name: string) => columns.get(name) ?? name;
  if (Array.isArray(keys)) return {...index, keys: keys.map(column)};
  if (keys === null || typeof keys !== 'object') return index;
  const entries = Object.entries(keys).map(([name, direction]) => [column(name), direction]);
  return {...index, keys: Object.fromEntries(entries)};
}
