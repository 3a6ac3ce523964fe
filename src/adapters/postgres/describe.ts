import type {Pool} from 'pg';
import type {EntityShape, PropertyKind, PropertyShape} from '../../core/shape';
import {
  ordersByCodePoint,
  readKind,
  readTable,
  type CatalogColumn,
  type CatalogTable,
  type TableName,
} from './catalog';
import {decoderFor, type RowPlan} from './decode';
import {PostgresLiveError} from './errors';
import {
  connectorOf,
  typeNameOf,
  type JugglerDataSource,
  type JugglerModel,
  type JugglerProperty,
  type PostgresConnector,
} from './juggler';

/** A model whose entity is to be live. */
export interface LiveModel {
  readonly model: JugglerModel;
  /** Property that is true for soft-deleted rows. Default: `_isDeleted` where the model has it. */
  readonly deletedFlag?: string;
  /** Property that holds the row's version. Default: `_version` where the model has it. */
  readonly versionProperty?: string;
}

/** An entity and where it is kept. */
export interface EntityTable {
  readonly shape: EntityShape;
  readonly model: JugglerModel;
  readonly table: CatalogTable;
  /** The column of each property. */
  readonly columns: Readonly<Record<string, CatalogColumn>>;
  readonly connector: PostgresConnector;
}

/**
 * Learns what the core must know of each entity, from its model and the database's catalog.
 *
 * @throws PostgresLiveError `TABLE_NOT_FOUND`, `NOT_A_TABLE`, `COLUMN_NOT_FOUND`
 */
export async function describeEntities(
  pool: Pool,
  dataSource: JugglerDataSource,
  models: readonly (JugglerModel | LiveModel)[],
): Promise<EntityTable[]> {
  const connector = connectorOf(dataSource);
  return Promise.all(models.map(async given => {
    const live = 'model' in given ? given : {model: given};
    const {modelName} = live.model;
    const name = {
      schema: connector.schema(modelName) ?? 'public',
      name: connector.table(modelName),
    };
    const table = await readTable(pool, name);
    if (table === undefined) throw missing(modelName, name, await readKind(pool, name));
    return describeEntity(live, table, connector);
  }));
}

function missing(model: string, table: TableName, kind: string | undefined): PostgresLiveError {
  const name = `"${table.schema}"."${table.name}"`;
  return kind === undefined
    ? new PostgresLiveError(
        'TABLE_NOT_FOUND',
        `${model}: there is no table ${name}; migrate the schema first`,
      )
    : new PostgresLiveError(
        'NOT_A_TABLE',
        `${model}: ${name} is ${kind}, of which the log tells no changes; ` +
          "map the model to a table, or set feed: 'repository'",
      );
}

function describeEntity(
  live: LiveModel,
  table: CatalogTable,
  connector: PostgresConnector,
): EntityTable {
  const {model} = live;
  const {properties: given, settings} = model.definition;
  const hidden = new Set(settings?.hiddenProperties);
  const byName = new Map(table.columns.map(column => [column.name, column]));
  const columns: Record<string, CatalogColumn> = {};
  const properties: Record<string, PropertyShape> = {};
  for (const [property, definition] of Object.entries(given)) {
    const column = byName.get(connector.column(model.modelName, property));
    if (column === undefined) {
      throw new PostgresLiveError(
        'COLUMN_NOT_FOUND',
        `${model.modelName}.${property}: the table "${table.name}" has no such column`,
      );
    }
    const encrypted = Boolean(definition.encrypt);
    columns[property] = column;
    properties[property] = {
      kind: encrypted ? 'opaque' : kindOf(definition, column),
      hidden: hidden.has(property) || definition.hidden === true,
      encrypted,
    };
  }
  const deletedFlag = live.deletedFlag ?? ownName('_isDeleted', given);
  const versionProperty = live.versionProperty ?? ownName('_version', given);
  const shape: EntityShape = {
    name: model.modelName,
    ids: connector.idNames(model.modelName),
    properties,
    ...(deletedFlag !== undefined && {deletedFlag}),
    ...(versionProperty !== undefined && {versionProperty}),
  };
  return {shape, model, table, columns, connector};
}

function ownName(name: string, properties: object): string | undefined {
  return Object.hasOwn(properties, name) ? name : undefined;
}

const NUMBER_KINDS: Readonly<Record<string, PropertyKind | undefined>> = {
  'smallint': 'number', 'integer': 'number', 'bigint': 'number', 'numeric': 'number',
  'double precision': 'double',
};
const DATE_KINDS: Readonly<Record<string, PropertyKind | undefined>> = {
  'timestamp with time zone': 'date',
  'timestamp without time zone': 'timestamp',
  'date': 'timestamp',
};
const TEXTS: ReadonlySet<string> = new Set(['text', 'character varying']);

/**
 * How Node may compare a property. `real` is left to the database: it rounds what it is compared
 * with. So is `character(n)`, which ignores blanks at the end.
 */
function kindOf(property: JugglerProperty, column: CatalogColumn): PropertyKind {
  const {baseType} = column;
  switch (typeNameOf(property)) {
    case 'Number':
      return NUMBER_KINDS[baseType] ?? 'opaque';
    case 'Date':
      return DATE_KINDS[baseType] ?? 'opaque';
    case 'Boolean':
      return baseType === 'boolean' ? 'boolean' : 'opaque';
    case 'String':
      if (column.baseKind === 'e') return 'collated';
      if (baseType === 'uuid') return 'uuid';
      return TEXTS.has(baseType) ? textKind(column) : 'opaque';
    case 'Text':
      return TEXTS.has(baseType) ? textKind(column) : 'opaque';
    default:
      return 'opaque';
  }
}

function textKind({collation}: CatalogColumn): PropertyKind {
  if (collation === undefined || !collation.deterministic) return 'opaque';
  return ordersByCodePoint(collation) ? 'text' : 'collated';
}

/**
 * Plans how tuples with these columns become row images. A type other than the catalog's means
 * that the table was altered since it was described; the tuple's own type counts.
 */
export function planRows(
  entity: EntityTable,
  tuple: readonly {readonly name: string; readonly typeOid?: number}[],
): RowPlan {
  const {model, connector, columns, shape} = entity;
  const properties = Object.entries(columns).map(([name, column]) => {
    const position = tuple.findIndex(candidate => candidate.name === column.name);
    const typeOid = tuple[position]?.typeOid ?? column.typeOid;
    const baseOid = typeOid === column.typeOid ? column.baseOid : typeOid;
    return {name, position, decode: decoderFor(model, name, baseOid, connector)};
  });
  return {ids: shape.ids, properties};
}
