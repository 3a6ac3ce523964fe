import type {JugglerModelClass} from '../juggler';
import {HISTORY_PROPERTIES} from '../model-definition';
import type {PostgresConnector} from './postgres-connector';

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

export function listed(...parts: string[]): string {
  return parts.filter(Boolean).join(', ');
}

export function column(shape: TableShape, property: string): string {
  return shape.columns[shape.properties.indexOf(property)];
}
