import {escapeIdentifier} from 'pg';
import {localText, momentText} from '../../core/moments';
import {expressionOf} from '../../core/patterns';
import type {Condition, SortKey, ViewQuery} from '../../core/query';
import type {CatalogColumn} from './catalog';
import type {EntityTable} from './describe';

/** Collects a statement's parameters while its text is made. */
export class Parameters {
  readonly values: unknown[] = [];

  /** Answers the parameter's placeholder. */
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/**
 * The rows of a view as an SQL condition, over columns that go by their names in the table.
 * Every value is a parameter, cast to what its column can be compared with by an index.
 */
export function whereSql(query: ViewQuery, entity: EntityTable, parameters: Parameters): string {
  const condition = conditionSql(query.condition, entity, parameters);
  const {deletedFlag} = entity.shape;
  if (deletedFlag === undefined) return condition;
  return `(${condition}) AND ${columnSql(entity, deletedFlag)} IS NOT TRUE`;
}

/** The view's order, NULLs where the database has them: last, and first when descending. */
export function orderSql(order: readonly SortKey[], nameOf: (property: string) => string): string {
  return order
    .map(({property, descending}) => `${nameOf(property)}${descending ? ' DESC' : ''}`)
    .join(', ');
}

export function columnSql(entity: EntityTable, property: string): string {
  const column = entity.columns[property];
  if (column === undefined) throw new TypeError(`${entity.shape.name} has no property ${property}`);
  return escapeIdentifier(column.name);
}

function conditionSql(condition: Condition, entity: EntityTable, parameters: Parameters): string {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      // LoopBack's connectors leave an empty list out of the statement, `or` too.
      if (condition.parts.length === 0) return 'TRUE';
      const parts = condition.parts.map(part => `(${conditionSql(part, entity, parameters)})`);
      return parts.join(condition.kind === 'and' ? ' AND ' : ' OR ');
    }
    case 'compare':
      return comparisonSql(condition, entity, parameters);
  }
}

const ORDER_OPERATORS = {eq: '=', neq: '<>', gt: '>', gte: '>=', lt: '<', lte: '<='} as const;
const PATTERN_OPERATORS =
  {like: 'LIKE', nlike: 'NOT LIKE', ilike: 'ILIKE', nilike: 'NOT ILIKE'} as const;

function comparisonSql(
  {property, operator, value}: Extract<Condition, {kind: 'compare'}>,
  entity: EntityTable,
  parameters: Parameters,
): string {
  const column = columnSql(entity, property);
  const type = entity.columns[property];
  const operand = (item: unknown) => operandSql(item, type, parameters);
  switch (operator) {
    case 'eq':
    case 'neq':
      if (value === null) return `${column} IS ${operator === 'neq' ? 'NOT ' : ''}NULL`;
      return `${column} ${ORDER_OPERATORS[operator]} ${operand(value)}`;
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return `${column} ${ORDER_OPERATORS[operator]} ${operand(value)}`;
    case 'between': {
      const [low, high] = value as unknown[];
      return `${column} BETWEEN ${operand(low ?? null)} AND ${operand(high ?? null)}`;
    }
    case 'inq':
      return `${column} = ANY(${listSql(value as unknown[], type, parameters)})`;
    case 'nin':
      return `${column} <> ALL(${listSql(value as unknown[], type, parameters)})`;
    case 'exists':
      return `${column} IS ${value ? 'NOT ' : ''}NULL`;
    case 'like':
    case 'nlike':
    case 'ilike':
    case 'nilike': {
      const pattern = parameters.add(value === null ? null : String(value));
      return `${column}::text ${PATTERN_OPERATORS[operator]} ${pattern} ESCAPE E'\\\\'`;
    }
    case 'regexp': {
      const {source, ignoreCase} = expressionOf(value);
      return `${column}::text ${ignoreCase ? '~*' : '~'} ${parameters.add(source)}`;
    }
  }
}

function operandSql(value: unknown, column: CatalogColumn, parameters: Parameters): string {
  const type = operandType([value], column);
  return `${parameters.add(operandText(value, type))}::${type}`;
}

/** A list is one parameter, so that its length does not change the statement. */
function listSql(values: unknown[], column: CatalogColumn, parameters: Parameters): string {
  const type = operandType(values, column);
  if (type.endsWith('[]')) {
    // An array of arrays would be one array of two dimensions.
    const items = values.map(value => `(${operandSql(value, column, parameters)})`);
    return items.length === 0
      ? `SELECT NULL::${type} WHERE FALSE`
      : `SELECT * FROM (VALUES ${items.join(', ')}) AS list`;
  }
  return `${parameters.add(values.map(value => operandText(value, type)))}::${type}[]`;
}

const INTEGER_TYPES: ReadonlySet<string> = new Set(['smallint', 'integer', 'bigint']);

/**
 * What an operand is cast to: the column's type, but a number that is no integer stays whole
 * beside an integer column, and a moment is compared as one with a date.
 */
function operandType(values: readonly unknown[], {baseType}: CatalogColumn): string {
  if (INTEGER_TYPES.has(baseType)) {
    return values.every(value => value === null || isBigint(value)) ? 'bigint' : 'numeric';
  }
  if (baseType === 'date') return 'timestamp without time zone';
  // Without a length, which would cut what is longer.
  return baseType === 'character' ? 'bpchar' : baseType;
}

function isBigint(value: unknown): boolean {
  const text = String(value);
  if (!/^-?\d{1,19}$/.test(text)) return false;
  return BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

function operandText(value: unknown, type: string): unknown {
  if (value === null || value === undefined) return null;
  if (type === 'timestamp with time zone') return momentText(value as string);
  if (type === 'timestamp without time zone') return localText(value as string);
  if (type.endsWith('[]') && Array.isArray(value)) return value;
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return value;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
