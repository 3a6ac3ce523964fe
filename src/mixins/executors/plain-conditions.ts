import type {Condition} from '../plan';
import {columnValue, type PostgresConnector} from './postgres-connector';
import {column, type TableShape} from './postgres-context';
import {join, raw, sql, type Fragment} from './sql';

/**
 * A condition of equalities, `and` and `or` as SQL: what a write by id has. The connector's own
 * builder, which has to be ready for anything, takes a third of the time that such a write takes
 * in Node.
 *
 * @returns undefined for a condition with anything else in it, which is the connector's to say
 */
export function plainCondition(
  connector: PostgresConnector,
  entity: TableShape,
  where: Condition,
): Fragment | undefined {
  const parts: Fragment[] = [];
  for (const name of Object.keys(where)) {
    const part =
      name === 'and' || name === 'or'
        ? plainList(connector, entity, name, where[name])
        : plainEquality(connector, entity, name, where[name]);
    if (!part) return undefined;
    parts.push(part);
  }
  if (parts.length < 2) return parts[0];
  return sql`(${join(parts, ' AND ')})`;
}

function plainList(
  connector: PostgresConnector,
  entity: TableShape,
  operator: 'and' | 'or',
  list: unknown,
): Fragment | undefined {
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const parts: Fragment[] = [];
  for (const item of list) {
    const part = plainCondition(connector, entity, item as Condition);
    if (!part) return undefined;
    parts.push(part);
  }
  return sql`(${join(parts, operator === 'and' ? ' AND ' : ' OR ')})`;
}

function plainEquality(
  connector: PostgresConnector,
  entity: TableShape,
  name: string,
  value: unknown,
): Fragment | undefined {
  const property = entity.model.definition.properties[name];
  if (!property || !isScalar(value)) return undefined;
  if (value === null) return raw(`${column(entity, name)} IS NULL`);
  return sql`${column(entity, name)} = ${columnValue(connector, property, value)}`;
}

function isScalar(value: unknown): boolean {
  return value === null || value instanceof Date || SCALARS.has(typeof value);
}

const SCALARS: ReadonlySet<string> = new Set(['string', 'number', 'boolean']);
