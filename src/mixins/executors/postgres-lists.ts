import {InvalidWhereError} from '../errors';
import type {JugglerModelClass, JugglerProperty} from '../juggler';
import type {Condition} from '../plan';
import {bindingsIn} from '../where-values';
import type {PostgresConnector} from './postgres-connector';
import type {Fragment} from './sql';

/** Shorter lists stay as the connector writes them. */
const SHORT = 50;
/** A statement may have the where twice, and the protocol counts parameters in 16 bits. */
const MAX_BINDINGS = 32_000;

/** The part of the connector that its own `buildWhere` calls for each comparison. */
interface Building extends PostgresConnector {
  buildExpression(
    column: string,
    operator: string,
    value: unknown,
    property: JugglerProperty,
  ): Fragment;
}

/**
 * The connector, but for long lists of `inq` and `nin`: they become one parameter, an array. So
 * there is no limit to them, statements that differ in the length of a list alone have one name,
 * and the connector need not join a placeholder for each value, which takes it tens of seconds for
 * as many as a statement could have. The connector itself is left as it is.
 */
export function withLongLists(connector: PostgresConnector): PostgresConnector {
  const own = connector as Building;
  const buildExpression: Building['buildExpression'] = (column, operator, value, property) =>
    arrayComparison(column, operator, value, property) ??
    own.buildExpression(column, operator, value, property);
  return Object.create(own, {
    buildExpression: {value: buildExpression},
  }) as PostgresConnector;
}

/**
 * Refuses a where of more values than fit into a statement, before juggler and the connector spend
 * seconds on it.
 *
 * @param writer - Who writes the statement: we do, with long lists as one value, or the connector
 * @throws {@link InvalidWhereError}
 */
export function assertBindable(
  {definition}: JugglerModelClass,
  where: Condition | undefined,
  writer: 'us' | 'connector',
): void {
  const isOne = (name: string, list: readonly unknown[]) =>
    writer === 'us' && isArray(definition.properties[name], list);
  const bindings = bindingsIn(where, isOne);
  if (bindings <= MAX_BINDINGS) return;
  throw new InvalidWhereError(
    `The where has ${bindings} values, and a statement has room for ${MAX_BINDINGS}.`,
  );
}

function arrayComparison(
  column: string,
  operator: string,
  value: unknown,
  property: JugglerProperty,
): Fragment | undefined {
  if ((operator !== 'inq' && operator !== 'nin') || !Array.isArray(value)) return undefined;
  if (!isArray(property, value)) return undefined;
  // Dates are fragments, each with a cast and its text.
  const items = property.type === Date ? value.map(textOf) : value;
  // Without a cast the server takes the array for one of the column's own type, whatever that is.
  const array = property.type === Date ? '?::timestamptz[]' : '?';
  return {
    sql: operator === 'inq' ? `${column} = ANY(${array})` : `${column} <> ALL(${array})`,
    params: [items],
  };
}

const SCALARS: readonly unknown[] = [String, Number, Boolean, Date];

function isArray(property: JugglerProperty | undefined, list: readonly unknown[]): boolean {
  return list.length > SHORT && SCALARS.includes(property?.type);
}

function textOf(date: unknown): unknown {
  return date === null ? null : (date as Fragment).params[0];
}
