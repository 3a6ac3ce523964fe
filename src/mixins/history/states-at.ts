import type {Filter, Options} from '@loopback/repository';
import type {PostgresExecutor} from '../executors/postgres';
import {join, sql} from '../executors/sql';
import {InvalidFilterError} from '../errors';
import {orderKeys, orderOf, type OrderKey} from '../filter-check';
import {coercedWhere, type JugglerModelClass} from '../juggler';
import type {LiveEntity} from '../live-entity';
import type {Condition, Row} from '../plan';
import {conjunction} from '../planner';
import {plainWhere} from '../where';

interface StateQuery extends Omit<Filter, 'where'> {
  where: Condition;
}

/** The states that held just before `moment`, from the entity's table and from its history. */
export function statesAt(
  live: LiveEntity,
  history: JugglerModelClass,
  moment: Date,
  query: StateQuery,
  options: Options,
): Promise<Row[]> {
  const present = conjunction([
    query.where,
    {or: [{_validFrom: null}, {_validFrom: {lt: moment}}]},
  ]);
  const past = conjunction([
    query.where,
    {_validFrom: {lt: moment}},
    {_validTo: {gte: moment}},
  ]);
  return live.postgres
    ? inOneQuery(live.postgres, live, history, {present, past}, query, options)
    : inTwoQueries(live, history, {present, past}, query, options);
}

/** One snapshot for both tables, so no row is missed or seen twice while it is being written. */
async function inOneQuery(
  postgres: PostgresExecutor,
  {model}: LiveEntity,
  history: JugglerModelClass,
  wheres: {present: Condition; past: Condition},
  query: StateQuery,
  options: Options,
): Promise<Row[]> {
  const shape = postgres.shapeOf(model);
  const parts = [
    {of: model, where: wheres.present},
    {of: history, where: wheres.past},
  ].map(({of, where}) => {
    const {table} = postgres.shapeOf(of);
    const condition = postgres.where(of, coercedWhere(of, plainWhere(where), options));
    return sql`SELECT ${shape.columns.join(', ')} FROM ${table} ${condition}`;
  });
  const order = postgres.orderBy(model, orderOf(keysOf(query, model)));
  const {limit, skip, offset} = pageOf(query);
  const page = [limit ? `LIMIT ${limit}` : '', skip ?? offset ? `OFFSET ${skip ?? offset}` : ''];
  const union = join(parts, ' UNION ALL ');
  const statement = sql`${union} ${order} ${page.join(' ')}`;
  const result = await postgres.query(statement, options, 'unnamed');
  return result.rows.map(row => postgres.rowFrom(shape, row));
}

async function inTwoQueries(
  live: LiveEntity,
  history: JugglerModelClass,
  wheres: {present: Condition; past: Condition},
  query: StateQuery,
  options: Options,
): Promise<Row[]> {
  // The present first: a state that ends in between is then seen twice, not missed.
  const present = await live.model.find({where: wheres.present}, options);
  const past = await history.find({where: wheres.past}, options);
  const byId = new Map<string, Row>();
  for (const row of [...present, ...past].map(instance => instance.toObject(true))) {
    const state = Object.fromEntries(
      Object.keys(live.model.definition.properties).map(name => [name, row[name]]),
    );
    byId.set(String(state[live.idName]), state);
  }
  const {limit, skip, offset} = pageOf(query);
  const from = skip ?? offset ?? 0;
  const sorted = [...byId.values()].sort(comparator(keysOf(query, live.model)));
  return sorted.slice(from, limit ? from + limit : undefined);
}

function keysOf({order}: StateQuery, model: JugglerModelClass): OrderKey[] {
  const keys = orderKeys(order, model);
  const path = keys.find(({name}) => name.includes('.'));
  if (path) throw new InvalidFilterError(`"${path.name}" is no order of rows in the past`);
  return keys.length ? keys : [{name: model.definition.idName(), descending: false}];
}

function pageOf({limit, skip, offset}: StateQuery) {
  const whole = (n: unknown) => (n == null ? undefined : Math.floor(Number(n)) || 0);
  return {limit: whole(limit), skip: whole(skip), offset: whole(offset)};
}

function comparator(order: readonly OrderKey[]): (a: Row, b: Row) => number {
  const keys = order.map(({name, descending}) => ({name, sign: descending ? -1 : 1}));
  return (a, b) => {
    for (const {name, sign} of keys) {
      const [x, y] = [a[name] as never, b[name] as never];
      if (x < y) return -sign;
      if (x > y) return sign;
    }
    return 0;
  };
}
