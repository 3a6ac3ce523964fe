import type {juggler, ModelDefinition, PropertyDefinition} from '@loopback/repository';
import {identifier} from './identifiers';

type Indexes = Record<string, IndexDefinition>;

interface IndexDefinition {
  keys?: unknown;
  kind?: string;
  options?: {unique?: boolean};
}

/** A column of an index and its direction, as PostgreSQL's connector takes them. */
type IndexKey = readonly [property: string, direction: string];

/** Whether the database can keep values unique among some of the rows. */
export function hasPartialIndexes(dataSource: juggler.DataSource): boolean {
  return dataSource.connector?.name === 'postgresql';
}

/**
 * Makes unique indexes span live rows only, so that the values of deleted rows can be taken.
 *
 * An index gets a new name with that: migrations drop those that they do not know, and would leave
 * one that spans all rows as it is, because they do not compare the rows that an index spans.
 *
 * @param fixed - Names of indexes that are new with this package and keep theirs
 */
export function uniqueAmongLive(stored: ModelDefinition, fixed: ReadonlySet<string>): void {
  const live = `${columnOf(stored, '_isDeleted')} IS NOT TRUE`;
  const indexes: Indexes = {};
  for (const [name, index] of Object.entries((stored.settings.indexes ?? {}) as Indexes)) {
    const keys = isUnique(index) ? keysOf(index.keys) : undefined;
    if (!keys) indexes[name] = index;
    else indexes[fixed.has(name) ? name : liveName(name)] = {...index, keys: among(keys, live)};
  }
  for (const [name, property] of Object.entries(stored.properties)) {
    if (typeof property.index !== 'object' || property.index.unique !== true) continue;
    const {index, ...rest} = property;
    stored.properties[name] = rest as PropertyDefinition;
    const unique = {keys: among([[name, 'ASC']], live), options: {unique: true}};
    indexes[liveName(`${tableOf(stored)}_${name}`.toLowerCase())] = unique;
  }
  stored.settings = {...stored.settings, indexes};
}

/** A name that PostgreSQL would cut is another than the one that migrations look for. */
function liveName(name: string): string {
  return identifier(name, '_live');
}

/**
 * The connector writes `( "a" ASC, "b" DESC )` and knows no conditions. What it takes for the
 * direction of the last column is copied as it is, up to the bracket that it closes itself.
 */
function among(keys: readonly IndexKey[], condition: string): IndexKey[] {
  const [name, direction] = keys[keys.length - 1];
  return [...keys.slice(0, -1), [name, `${direction}) WHERE (${condition}`]];
}

function isUnique({kind, options}: IndexDefinition): boolean {
  return options?.unique === true || /unique/i.test(kind ?? '');
}

/** `{a: 1, b: -1}`, `'a, b DESC'` or `['a', 'b DESC']`. */
function keysOf(keys: unknown): IndexKey[] | undefined {
  if (typeof keys === 'string') return keysOf(keys.split(','));
  if (Array.isArray(keys)) {
    return keys.map(key => {
      const [name, direction = 'ASC'] = Array.isArray(key) ? key : String(key).trim().split(/\s+/);
      return [name, direction];
    });
  }
  if (keys === null || typeof keys !== 'object') return undefined;
  return Object.entries(keys).map(([name, d]) => [name, Number(d) === -1 ? 'DESC' : 'ASC']);
}

function columnOf({properties}: ModelDefinition, name: string): string {
  const column: string = properties[name]?.postgresql?.columnName ?? name.toLowerCase();
  return `"${column.replaceAll('"', '""')}"`;
}

function tableOf({settings, name}: ModelDefinition): string {
  return settings.postgresql?.table ?? settings.postgresql?.tableName ?? name;
}
