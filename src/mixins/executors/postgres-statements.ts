import {HISTORY_PROPERTIES} from '../model-definition';
import type {JugglerModelClass} from '../juggler';
import type {
  Assigned,
  Assignments,
  ChangePlan,
  Condition,
  RemovePlan,
  RevisionNote,
  Row,
} from '../plan';
import {columnValue, type PostgresConnector} from './postgres-connector';
import {join, param, raw, sql, type Fragment} from './sql';

/** A table as statements need it: its name and its columns in the order of the properties. */
export interface TableShape {
  readonly model: JugglerModelClass;
  readonly table: string;
  readonly idName: string;
  readonly properties: readonly string[];
  /** Escaped column names, in the order of `properties`. */
  readonly columns: readonly string[];
}

export function tableShape(connector: PostgresConnector, model: JugglerModelClass): TableShape {
  const properties = Object.keys(model.definition.properties);
  return {
    model,
    table: connector.tableEscaped(model.modelName),
    idName: model.definition.idName(),
    properties,
    columns: properties.map(p => connector.columnEscaped(model.modelName, p)),
  };
}

/** What a statement needs beside its plan: the same for all writes of an entity. */
export interface StatementBasis {
  readonly connector: PostgresConnector;
  readonly entity: TableShape;
  readonly history?: TableShape;
  /** PostgreSQL 18 and later: `RETURNING old.…, new.…`. */
  readonly returnsOld: boolean;
  readonly wanted: 'count' | 'rows';
}

/** The basis with the parts of statements that depend on nothing else, written once. */
export interface StatementContext extends StatementBasis {
  /** `old."a" AS o0, …`, by the prefix of the old columns. */
  readonly old: {readonly returned: string; readonly locked: string; readonly joined: string};
  /** `new."a" AS n0, …`, when rows are wanted. */
  readonly fresh: string;
  readonly keeping: string;
  readonly shown: {readonly changed: string; readonly removed: string};
}

export function statementContext(basis: StatementBasis): StatementContext {
  const {entity, history, returnsOld, wanted} = basis;
  const rows = wanted === 'rows';
  const all = entity.columns.map((c, i) => ({c, i}));
  const list = (needed: boolean, item: (column: {c: string; i: number}) => string) =>
    needed ? all.map(item).join(', ') : '';
  const olds = rows || history !== undefined;
  const [before, after] = [list(rows, ({i}) => `o${i}`), list(rows, ({i}) => `n${i}`)];
  return {
    ...basis,
    old: {
      returned: list(olds, ({c, i}) => `${returnsOld ? 'old.' : ''}${c} AS o${i}`),
      locked: list(true, ({c, i}) => `${c} AS o${i}`),
      joined: list(olds, ({i}) => `o.o${i}`),
    },
    fresh: list(rows, ({c, i}) => `${returnsOld ? 'new' : 't'}.${c} AS n${i}`),
    keeping: history ? historyInsert(entity, history) : '',
    shown: {
      changed: rows ? `${before}, ${after}` : 'count(*)::int',
      removed: rows ? before : 'count(*)::int',
    },
  };
}

/** One INSERT of all rows. Answers the columns `returned`. */
export function insertStatement(
  context: StatementContext,
  rows: readonly {values: Row; assign: Assignments}[],
  returned: readonly string[],
): Fragment {
  const {connector, entity} = context;
  const names = entity.properties.filter(p =>
    rows.some(row => row.values[p] !== undefined || row.assign[p]),
  );
  const tuples = rows.map(({values, assign}) =>
    join(
      names.map(name =>
        assign[name] && assign[name].kind !== 'value'
          ? assignedOnInsert(context, assign[name], values)
          : values[name] === undefined
            ? raw('DEFAULT')
            : columnValue(connector, entity.model.definition.properties[name], values[name]),
      ),
      ', ',
    ),
  );
  const columns = names.map(name => column(entity, name)).join(', ');
  const source = names.length
    ? sql`(${columns}) VALUES ${join(tuples.map(t => sql`(${t})`), ', ')}`
    : raw('DEFAULT VALUES');
  const answer = returned.map(name => column(entity, name)).join(', ') || '1';
  return sql`INSERT INTO ${entity.table} ${source} RETURNING ${answer}`;
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
  const set = assignments(context, plan, values);
  const condition = whereClause(context, where);
  if (!plan.revision && wanted === 'count') {
    return sql`UPDATE ${entity.table} AS t SET ${set} ${condition}`;
  }
  const now = returnsOld ? 'new' : 't';
  const ended = plan.revision ? `${now}.${column(entity, '_validFrom')} AS ended` : '';
  if (returnsOld) {
    const answer = listed(context.old.returned, context.fresh, ended);
    const update = sql`UPDATE ${entity.table} AS t SET ${set} ${condition} RETURNING ${answer}`;
    return withHistory(context, [sql`w AS (${update})`], plan.revision, 'changed');
  }
  // The lock comes first: without it, writers that waited for each other would all keep the state
  // that the statement's snapshot shows. Ordered, so that bulk writes cannot deadlock.
  const id = column(entity, entity.idName);
  const order = plan.single ? '' : ` ORDER BY ${id}`;
  const rows = sql`SELECT ${context.old.locked} FROM ${entity.table} ${condition}${order}`;
  const match = `t.${id} = o.o${entity.properties.indexOf(entity.idName)}`;
  const answer = listed(context.old.joined, context.fresh, ended);
  const update = sql`UPDATE ${entity.table} AS t SET ${set} FROM o WHERE ${match}`;
  const ctes = [sql`o AS (${rows} FOR NO KEY UPDATE)`, sql`w AS (${update} RETURNING ${answer})`];
  return withHistory(context, ctes, plan.revision, 'changed');
}

/** One DELETE; with a history, one statement that also keeps the states which end. */
export function removeStatement(
  context: StatementContext,
  plan: RemovePlan,
  where: Condition,
): Fragment {
  const {entity, wanted} = context;
  const condition = whereClause(context, where);
  if (!plan.revision && wanted === 'count') return sql`DELETE FROM ${entity.table} ${condition}`;
  const ended = plan.revision ? `${nextMoment(column(entity, '_validFrom'))} AS ended` : '';
  const answer = listed(context.old.locked, ended);
  const removal = sql`DELETE FROM ${entity.table} ${condition} RETURNING ${answer}`;
  return withHistory(context, [sql`w AS (${removal})`], plan.revision, 'removed');
}

function withHistory(
  {history, keeping, shown}: StatementContext,
  ctes: Fragment[],
  note: RevisionNote | undefined,
  fate: 'changed' | 'removed',
): Fragment {
  if (note && history) {
    const notes = [note.operation, note.by, note.onBehalfOf, note.reason, note.requestId];
    const noted = join(notes.map(n => param(n ?? null, '::text')), ', ');
    ctes.push(sql`h AS (${keeping}, ${noted} FROM w)`);
  }
  return sql`WITH ${join(ctes, ', ')} SELECT ${shown[fate]} FROM w`;
}

/** `INSERT INTO … SELECT …`, up to where the notes on the write follow. */
function historyInsert(entity: TableShape, history: TableShape): string {
  const own = ['_modelId', '_validTo', '_operation', '_by', '_onBehalfOf', '_reason', '_requestId'];
  const copied = entity.properties.filter(p => !(p in HISTORY_PROPERTIES));
  const names = [...copied, ...own].map(name => column(history, name)).join(', ');
  const states = copied.map(p => {
    const old = `w.o${entity.properties.indexOf(p)}`;
    if (p === '_revision') return `COALESCE(${old}, 1)`;
    return p === '_validFrom' ? `COALESCE(${old}, to_timestamp(0))` : old;
  });
  const id = `w.o${entity.properties.indexOf(entity.idName)}`;
  return `INSERT INTO ${history.table} (${names}) SELECT ${states.join(', ')}, ${id}, w.ended`;
}

function listed(...parts: string[]): string {
  return parts.filter(Boolean).join(', ');
}

function assignments(context: StatementContext, plan: ChangePlan, values: Row): Fragment {
  const {entity, connector} = context;
  const kept = new Set([...plan.keep, '_revision', '_validFrom']);
  const set: Fragment[] = [];
  entity.properties.forEach((name, i) => {
    const assigned = plan.assign[name];
    const emptied = plan.replace && !kept.has(name);
    if (assigned) {
      set.push(sql`${entity.columns[i]} = ${assignedOnChange(context, name, assigned)}`);
    } else if (name !== entity.idName && (values[name] !== undefined || emptied)) {
      const property = entity.model.definition.properties[name];
      const value = columnValue(connector, property, values[name] ?? null);
      set.push(sql`${entity.columns[i]} = ${value}`);
    }
  });
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
  const next = `COALESCE(max(${revision}), 0) + 1`;
  return sql`(SELECT ${next} FROM ${history.table} WHERE ${modelId} = ${idValue})`;
}

/** Now, but always after `since`: two states of one transaction must not begin at one moment. */
function nextMoment(since: string): string {
  return `GREATEST(clock_timestamp(), ${since} + interval '1 microsecond')`;
}

function whereClause({connector, entity}: StatementContext, where: Condition): Fragment {
  return connector.buildWhere(entity.model.modelName, where);
}

function column(shape: TableShape, property: string): string {
  return shape.columns[shape.properties.indexOf(property)];
}
