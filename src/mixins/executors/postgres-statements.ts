import type {
  Assigned,
  Assignments,
  ChangePlan,
  CheckedRow,
  Condition,
  RemovePlan,
  Row,
} from '../plan';
import {plainCondition} from './plain-conditions';
import {columnValue, type PostgresConnector} from './postgres-connector';
import {column, listed, type StatementContext, type TableShape} from './postgres-context';
import {differences, type NewValue} from './postgres-differences';
import {answersByCount, leavesRowsAlone} from './postgres-answers';
import {join, param, raw, sql, type Fragment} from './sql';

/** A new row: its values as juggler hands them to a connector, and what behaviours assign. */
export interface NewRow {
  readonly values: Row;
  readonly assign: Assignments;
}

/**
 * How far ids have counted that were in use before, by their places in the list: the database may
 * spell an id in another way than the caller.
 */
export function lastRevisionsStatement(history: TableShape, ids: readonly unknown[]): Fragment {
  const [id, revision] = [column(history, '_modelId'), column(history, '_revision')];
  const named = sql`unnest(${ofType(history, '_modelId', ids)}) WITH ORDINALITY AS i(id, n)`;
  const last = sql`SELECT i.n, max(h.${revision}) FROM ${named}`;
  return sql`${last} JOIN ${history.table} AS h ON h.${id} = i.id GROUP BY i.n`;
}

/**
 * Values as a list of the type that the column has, which the model need not know: the server gives
 * the parameter the type of the other choice, which it never comes to.
 */
function ofType(shape: TableShape, property: string, values: readonly unknown[]): Fragment {
  const never = `ARRAY(SELECT ${column(shape, property)} FROM ${shape.table} LIMIT 0)`;
  return sql`COALESCE(${param(values)}, ${never})`;
}

/** One INSERT of all rows. Answers the columns `returned`; asking for none saves a fifth. */
export function insertStatement(
  context: StatementContext,
  rows: readonly NewRow[],
  returned: readonly string[],
): Fragment {
  const {entity} = context;
  const names = entity.properties.filter(p =>
    rows.some(row => row.values[p] !== undefined || row.assign[p]),
  );
  const params: unknown[] = [];
  const cell = (name: string, {values, assign}: NewRow) => {
    const given = cellOf(context, name, values, assign[name]);
    for (const param of given.params) params.push(param);
    return given.sql;
  };
  const tuples = rows.map(row => `(${names.map(name => cell(name, row)).join(', ')})`);
  const columns = names.map(name => column(entity, name)).join(', ');
  const source = names.length ? `(${columns}) VALUES ${tuples.join(', ')}` : 'DEFAULT VALUES';
  const answer = returned.map(name => column(entity, name)).join(', ');
  const returning = answer && ` RETURNING ${answer}`;
  return {sql: `INSERT INTO ${entity.table} ${source}${returning}`, params};
}

function cellOf(
  context: StatementContext,
  name: string,
  values: Row,
  assigned: Assigned | undefined,
): Fragment {
  if (assigned && assigned.kind !== 'value') return assignedOnInsert(context, assigned, values);
  if (values[name] === undefined) return raw('DEFAULT');
  const {connector, entity} = context;
  return columnValue(connector, entity.model.definition.properties[name], values[name]);
}

/**
 * One UPDATE; with a history, one statement that also keeps the states which end.
 *
 * `values` are those of the data, already as juggler hands them to a connector.
 */
export function changeStatement(
  context: StatementContext,
  plan: ChangePlan,
  values: Row,
  where: Condition,
): Fragment {
  const {entity, wanted, returnsOld} = context;
  const data = newValues(context, plan, values);
  const set = assignments(context, plan, data);
  const met = [...conditions(context, plan, where), unusedIn(context, plan)];
  const differs = plan.unlessSame ? differences(data, 't') : undefined;
  const counted = leavesRowsAlone(plan);
  if (!plan.revision && answersByCount(plan, wanted)) {
    return sql`UPDATE ${entity.table} AS t SET ${set} ${allOf([...met, differs])}`;
  }
  const now = returnsOld ? 'new' : 't';
  const ended = plan.revision ? `${now}.${column(entity, '_validFrom')} AS ended` : '';
  const unlocked = returnsOld && !plan.checked;
  const old = returnsOld ? context.old.returned : context.old.joined;
  const answer = listed(old, context.fresh, ended) || '1';
  const ctes: Fragment[] = [];
  if (unlocked) {
    const update = sql`UPDATE ${entity.table} AS t SET ${set} ${allOf([...met, differs])}`;
    ctes.push(sql`w AS (${update} RETURNING ${answer})`);
    if (counted) ctes.push(sameRows(context, [...met, not(differs)]));
  } else {
    const before = plan.checked ? met : [...met, differs];
    const update = sql`UPDATE ${entity.table} AS t SET ${set} FROM o`;
    const wanted = [matchOf(entity), allThere(plan), plan.checked && differs];
    ctes.push(lockedRows(context, plan, before, 'NO KEY UPDATE'));
    ctes.push(sql`w AS (${update} ${allOf(wanted)} RETURNING ${answer})`);
    if (plan.checked) ctes.push(raw('u AS (SELECT count(*)::int AS n FROM o)'));
    else if (counted) ctes.push(sameRows(context, [...met, not(differs)]));
  }
  return withHistory(context, ctes, plan, 'changed');
}

/** One DELETE; with a history, one statement that also keeps the states which end. */
export function removeStatement(
  context: StatementContext,
  plan: RemovePlan,
  where: Condition,
): Fragment {
  const {entity, wanted} = context;
  const met = conditions(context, plan, where);
  const removal = sql`DELETE FROM ${entity.table} AS t`;
  if (!plan.revision && answersByCount(plan, wanted)) return sql`${removal} ${allOf(met)}`;
  const ended = plan.revision ? `${nextMoment(column(entity, '_validFrom'))} AS ended` : '';
  const answer = listed(context.old.locked, ended);
  if (!plan.checked) {
    const removed = sql`w AS (${removal} ${allOf(met)} RETURNING ${answer})`;
    return withHistory(context, [removed], plan, 'removed');
  }
  const ctes = [
    lockedRows(context, plan, met, 'UPDATE'),
    sql`w AS (${removal} USING o ${allOf([matchOf(entity), allThere(plan)])} RETURNING ${answer})`,
    raw('u AS (SELECT count(*)::int AS n FROM o)'),
  ];
  return withHistory(context, ctes, plan, 'removed');
}

/**
 * The lock comes first: without it, writers that waited for each other would all keep the state
 * that the statement's snapshot shows. Ordered, so that bulk writes cannot deadlock.
 */
function lockedRows(
  {entity, old}: StatementContext,
  {single, checked}: ChangePlan | RemovePlan,
  met: readonly (Fragment | undefined)[],
  strength: string,
): Fragment {
  const order = single ? '' : `ORDER BY ${column(entity, entity.idName)} `;
  const source = sql`${entity.table} AS t${checked ? sql`, ${namedRows(entity, checked)}` : ''}`;
  const rows = sql`SELECT ${old.locked} FROM ${source} ${allOf(met)}`;
  return sql`o AS (${rows} ${order}FOR ${strength}${checked ? ' OF t' : ''})`;
}

/** No table has such columns: those of the row stand beside them by their bare names. */
const [NAMED_ID, NAMED_VERSION] = ['"named: id"', '"named: version"'];

/**
 * Checked rows as the caller named them. Ids are compared by the database, to which a UUID in
 * capitals or a number with more zeros is the same.
 */
function namedRows(entity: TableShape, checked: readonly CheckedRow[]): Fragment {
  const ids = ofType(entity, entity.idName, checked.map(row => row.id));
  const versions = param(checked.map(row => row.version), '::text[]');
  return sql`unnest(${ids}, ${versions}) AS c(${NAMED_ID}, ${NAMED_VERSION})`;
}

function matchOf(entity: TableShape): Fragment {
  const id = column(entity, entity.idName);
  return raw(`t.${id} = o.o${entity.properties.indexOf(entity.idName)}`);
}

/** Of checked rows, all have been found as they were named, or none is written. */
function allThere({checked}: ChangePlan | RemovePlan): Fragment | undefined {
  return checked && sql`(SELECT count(*) FROM o) = ${param(checked.length, '::int')}`;
}

/** How many rows have the values already: by the statement's snapshot, as those it writes are. */
function sameRows(
  {entity}: StatementContext,
  met: readonly (Fragment | undefined)[],
): Fragment {
  return sql`u AS (SELECT count(*)::int AS n FROM ${entity.table} AS t ${allOf(met)})`;
}

function withHistory(
  {history, keeping, shown, wanted}: StatementContext,
  ctes: Fragment[],
  plan: ChangePlan | RemovePlan,
  fate: 'changed' | 'removed',
): Fragment {
  const {revision: note} = plan;
  if (note && history) {
    const notes = [note.operation, note.by, note.onBehalfOf, note.reason, note.requestId];
    const noted = join(notes.map(n => param(n ?? null, '::text')), ', ');
    const kept = sql`${keeping}, ${noted} FROM w`;
    // Nothing to answer but how many: the INSERT says it itself.
    if (answersByCount(plan, wanted)) return sql`WITH ${join(ctes, ', ')} ${kept}`;
    ctes.push(sql`h AS (${kept})`);
  }
  const all = join(ctes, ', ');
  if (!leavesRowsAlone(plan)) return sql`WITH ${all} SELECT ${shown[fate]} FROM w`;
  return wanted === 'rows'
    ? sql`WITH ${all} SELECT ${shown[fate]}, u.n FROM u LEFT JOIN w ON true`
    : sql`WITH ${all} SELECT ${shown[fate]}, (SELECT n FROM u) FROM w`;
}

/** What the data sets, without what behaviours assign. */
function newValues(context: StatementContext, plan: ChangePlan, values: Row): NewValue[] {
  const {entity, connector} = context;
  const kept = new Set([...plan.keep, '_revision', '_validFrom']);
  const data: NewValue[] = [];
  entity.properties.forEach((name, i) => {
    if (plan.assign[name] || name === entity.idName) return;
    if (values[name] === undefined && !(plan.replace && !kept.has(name))) return;
    const property = entity.model.definition.properties[name];
    const value = columnValue(connector, property, values[name] ?? null);
    data.push({column: entity.columns[i], property, value, empty: values[name] == null});
  });
  return data;
}

function assignments(
  context: StatementContext,
  plan: ChangePlan,
  data: readonly NewValue[],
): Fragment {
  const {entity} = context;
  const set = data.map(({column, value}) => sql`${column} = ${value}`);
  for (const name of Object.keys(plan.assign)) {
    const assigned = assignedOnChange(context, name, plan.assign[name]);
    set.push(sql`${column(entity, name)} = ${assigned}`);
  }
  const id = column(entity, entity.idName);
  return set.length ? join(set, ', ') : raw(`${id} = t.${id}`);
}

function assignedOnChange(context: StatementContext, name: string, assigned: Assigned): Fragment {
  const {entity, connector} = context;
  switch (assigned.kind) {
    case 'value':
      return columnValue(connector, entity.model.definition.properties[name], assigned.value);
    case 'previous':
      return raw(`t.${column(entity, assigned.property)}`);
    case 'uuid':
      return raw('gen_random_uuid()');
    case 'firstRevision':
      return raw('1');
    case 'nextRevision':
      return raw(`COALESCE(t.${column(entity, name)}, 1) + 1`);
    case 'stateBegins':
      return raw(nextMoment(`t.${column(entity, name)}`));
  }
}

function assignedOnInsert(context: StatementContext, assigned: Assigned, values: Row): Fragment {
  switch (assigned.kind) {
    case 'firstRevision':
      return firstRevision(context, values);
    case 'stateBegins':
      return raw('clock_timestamp()');
    case 'uuid':
      return raw('gen_random_uuid()');
    case 'value':
    case 'previous':
    case 'nextRevision':
      throw new Error(`A new row cannot be assigned "${assigned.kind}".`);
  }
}

/** An id that was in use before goes on counting where its history ended. */
function firstRevision({connector, entity, history}: StatementContext, values: Row): Fragment {
  const id = values[entity.idName];
  if (!history || id === undefined || id === null) return raw('1');
  const idValue = columnValue(connector, entity.model.definition.properties[entity.idName], id);
  const [revision, modelId] = [column(history, '_revision'), column(history, '_modelId')];
  const last = sql`SELECT ${revision} FROM ${history.table} WHERE ${modelId} = ${idValue}`;
  return sql`COALESCE((${last} ORDER BY ${revision} DESC LIMIT 1), 0) + 1`;
}

/** Now, but always after `since`: two states of one transaction must not begin at one moment. */
function nextMoment(since: string): string {
  return `GREATEST(clock_timestamp(), ${since} + interval '1 microsecond')`;
}

/** The plan's condition and, of checked rows, that each has the version that was named for it. */
function conditions(
  {connector, entity}: StatementContext,
  {checked}: ChangePlan | RemovePlan,
  where: Condition,
): (Fragment | undefined)[] {
  const met = plainCondition(connector, entity, where) ?? anyCondition(connector, entity, where);
  if (!checked) return [met];
  const [id, version] = [column(entity, entity.idName), column(entity, '_version')];
  return [
    met,
    raw(`t.${id} = ${NAMED_ID}`),
    raw(`t.${version} IS NOT DISTINCT FROM ${NAMED_VERSION}`),
  ];
}

function anyCondition(
  connector: PostgresConnector,
  {model}: TableShape,
  where: Condition,
): Fragment | undefined {
  const {sql: text, params} = connector.buildWhere(model.modelName, where);
  return text ? {sql: `(${text.replace(/^WHERE /, '')})`, params} : undefined;
}

/** Looked up only where the caller named the version; the row's lock keeps its history still. */
function unusedIn(
  {entity, history}: StatementContext,
  {unused}: ChangePlan,
): Fragment | undefined {
  if (unused === undefined || !history) return undefined;
  const own = `h.${column(history, '_modelId')} = t.${column(entity, entity.idName)}`;
  const same = sql`h.${column(history, '_version')} = ${param(unused)}`;
  return sql`NOT EXISTS (SELECT 1 FROM ${history.table} AS h WHERE ${own} AND ${same})`;
}

function allOf(conditions: readonly (Fragment | undefined)[]): Fragment {
  const present = conditions.filter(condition => condition !== undefined);
  return present.length ? sql`WHERE ${join(present, ' AND ')}` : raw('');
}

function not(condition: Fragment | undefined): Fragment | undefined {
  return condition && sql`NOT ${condition}`;
}
