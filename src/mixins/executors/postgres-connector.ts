import type {JugglerProperty} from '../juggler';
import type {Condition} from '../plan';
import type {Fragment} from './sql';

/** The part of `loopback-connector-postgresql` that is used here. */
export interface PostgresConnector {
  readonly name: string;
  readonly pg: Queryable;
  readonly settings: {namedStatements?: boolean | number};
  tableEscaped(model: string): string;
  columnEscaped(model: string, property: string): string;
  buildWhere(model: string, where: Condition): {sql: string; params: unknown[]};
  buildOrderBy(model: string, order: string[]): string;
  /** With numbered placeholders. */
  buildSelect(model: string, filter: object): {sql: string; params: unknown[]};
  toColumnValue(property: JugglerProperty, value: unknown): unknown;
  fromColumnValue(property: JugglerProperty, value: unknown): unknown;
}

/** A pool or a connection of `pg`. */
export interface Queryable {
  query(config: {
    name?: string;
    text: string;
    values: unknown[];
    rowMode: 'array';
  }): Promise<{rows: unknown[][]; rowCount: number | null}>;
}

/** A value as a placeholder, or the SQL that the connector makes of it (dates, points). */
export function columnValue(
  connector: PostgresConnector,
  property: JugglerProperty,
  value: unknown,
): Fragment {
  const converted = connector.toColumnValue(property, value);
  return isFragment(converted) ? converted : {sql: '?', params: [converted]};
}

function isFragment(value: unknown): value is Fragment {
  return (
    value !== null &&
    typeof value === 'object' &&
    value.constructor.name === 'ParameterizedSQL' &&
    'sql' in value
  );
}

export function isPostgresConnector(connector: unknown): connector is PostgresConnector {
  const {name, pg} = (connector ?? {}) as Partial<PostgresConnector>;
  return name === 'postgresql' && typeof pg?.query === 'function';
}
