import type {Options} from '@loopback/repository';
import type {Condition, Row} from '../plan';
import {conjunction} from '../planner';
import {coercedWhere, type JugglerModelClass} from '../juggler';
import {plainWhere} from '../where';
import type {PlanTarget} from './executor';
import type {PostgresExecutor} from './postgres';
import {sql} from './sql';

/** What is read, and what of it nobody is shown. */
export interface ReadTarget extends PlanTarget {
  readonly hidden: readonly string[];
}

/** A row by its id, in one named statement and past what juggler does for any filter. */
export async function rowById(
  postgres: PostgresExecutor,
  {model, hidden}: ReadTarget,
  id: unknown,
  guard: Condition | undefined,
  options: Options,
): Promise<Row | undefined> {
  const shape = postgres.shapeOf(model);
  const byId = {[shape.idName]: id};
  const where = postgres.where(model, guard ? {and: [byId, guard]} : byId);
  const statement = sql`SELECT ${shape.columns.join(', ')} FROM ${shape.table} ${where}`;
  const {rows} = await postgres.query(statement, options);
  return rows.length ? shownRow(postgres.rowFrom(shape, rows[0]), hidden) : undefined;
}

/**
 * Rows of a filter without fields and inclusions, by the statement that the connector makes of it.
 * The connector has the server parse and plan it each time; named, it is done once for each shape.
 *
 * @param guard - What must hold too. It has its types: coercing it would cost as much as the rest
 */
export async function rowsOf(
  postgres: PostgresExecutor,
  {model, hidden}: ReadTarget,
  filter: Row,
  guard: Condition | undefined,
  options: Options,
): Promise<Row[]> {
  const query: Row = {...filter};
  model._normalize(query, options);
  query.where = conjunction([query.where as Condition | undefined, guard]);
  const {rows} = await postgres.query(postgres.select(model, query), options, 'named list');
  const shape = postgres.shapeOf(model);
  return rows.map(row => shownRow(postgres.rowFrom(shape, row), hidden));
}

/** How many rows a where meets. */
export async function countOfRows(
  postgres: PostgresExecutor,
  model: JugglerModelClass,
  where: Condition,
  options: Options,
): Promise<number> {
  const {table} = postgres.shapeOf(model);
  const met = postgres.where(model, coercedWhere(model, plainWhere(where), options));
  const statement = sql`SELECT count(*) FROM ${table} ${met}`;
  const {rows} = await postgres.query(statement, options, 'named list');
  return Number(rows[0][0]);
}

/** A copy, because an object that properties are deleted from is slow ever after. */
function shownRow(row: Row, hidden: readonly string[]): Row {
  if (hidden.length === 0) return row;
  const shown: Row = {};
  for (const name of Object.keys(row)) if (!hidden.includes(name)) shown[name] = row[name];
  return shown;
}
