import {createHash} from 'node:crypto';
import {escapeIdentifier, type Pool, type QueryArrayResult} from 'pg';
import type {RowImage} from '../../core/change';
import {asUnavailable} from '../../core/database-errors';
import type {Judgement, RowSource, SnapshotRows} from '../../core/ports';
import type {ViewQuery} from '../../core/query';
import {TupleImage, type RowPlan} from './decode';
import {planRows, type EntityTable} from './describe';
import type {Marks} from './marks';
import {columnSql, orderSql, Parameters, whereSql} from './sql';
import type {Tuple} from './pgoutput';
import {visibilityOf} from './snapshot';

/** Each connection keeps its named statements, so there must not be ever more of them. */
const MAX_NAMED_STATEMENTS = 256;
const PLAN_OUTDATED = '0A000';
const NAME_UNKNOWN = '26000';

/** Reads rows for windows from PostgreSQL, and has it decide what Node cannot. */
export class PostgresRowSource implements RowSource {
  /** By entity, and by the types of its columns, which can be altered while the server runs. */
  private readonly plans = new Map<EntityTable, {readonly types: string; readonly plan: RowPlan}>();
  /** Statements by their text; undefined for one that is not to be named any more. */
  private readonly names = new Map<string, string | undefined>();

  constructor(
    private readonly pool: Pool,
    private readonly entities: ReadonlyMap<string, EntityTable>,
    private readonly marks: Marks,
  ) {}

  /**
   * One statement, which is one snapshot and one round trip: it says what it sees, reads the rows,
   * counts, and leaves the mark in the log.
   */
  async read(
    query: ViewQuery,
    limit: number,
    count: boolean,
  ): Promise<SnapshotRows & {readonly mark: string}> {
    const entity = this.entityOf(query);
    const mark = this.marks.next();
    const parameters = new Parameters();
    const {prefix} = this.marks;
    const text = readSql(query, entity, {limit, count, mark, prefix}, parameters);
    const {rows, fields} = await this.run<Tuple>(text, parameters);
    const plan = this.planOf(entity, fields.slice(HEAD));
    const [snapshot, , total, isRow] = rows[0];
    const images = isRow === null ? [] : rows.map(row => new TupleImage(plan, row.slice(HEAD)));
    return {
      rows: images,
      ...(count && {total: Number(total)}),
      sees: visibilityOf(snapshot!),
      mark,
    };
  }

  async judge(query: ViewQuery, images: readonly RowImage[]): Promise<readonly Judgement[]> {
    if (images.length === 0) return [];
    const entity = this.entityOf(query);
    const parameters = new Parameters();
    const text = judgeSql(query, entity, images, parameters);
    const {rows} = await this.run<[string | null, string]>(text, parameters);
    return rows.map(([matches, rank]) => ({matches: matches === 't', rank: Number(rank)}));
  }

  private entityOf(query: ViewQuery): EntityTable {
    const entity = this.entities.get(query.entity);
    if (entity === undefined) throw new TypeError(`there is no live entity ${query.entity}`);
    return entity;
  }

  private planOf(entity: EntityTable, fields: readonly {readonly dataTypeID: number}[]): RowPlan {
    const types = fields.map(({dataTypeID}) => dataTypeID).join();
    let known = this.plans.get(entity);
    if (known?.types !== types) {
      const columns = Object.values(entity.columns);
      const tuple = columns.map(({name}, i) => ({name, typeOid: fields[i].dataTypeID}));
      known = {types, plan: planRows(entity, tuple)};
      this.plans.set(entity, known);
    }
    return known.plan;
  }

  /** Named, the server plans a statement once per connection instead of at each call. */
  private async run<R extends unknown[]>(
    text: string,
    {values}: Parameters,
  ): Promise<QueryArrayResult<R>> {
    const statement = {text, values, rowMode: 'array'} as const;
    const name = this.nameOf(text);
    try {
      return await this.pool.query<R>({...statement, name});
    } catch (error) {
      const {code} = error as {code?: string};
      if (name === undefined || (code !== PLAN_OUTDATED && code !== NAME_UNKNOWN)) {
        throw asUnavailable(error);
      }
      // The table was altered, or a pooler has given us a connection that others have used.
      this.names.set(text, undefined);
      return this.pool.query<R>(statement);
    }
  }

  private nameOf(text: string): string | undefined {
    if (!this.names.has(text) && this.names.size < MAX_NAMED_STATEMENTS) {
      const hash = createHash('sha256').update(text).digest('hex').slice(0, 24);
      this.names.set(text, `live_${hash}`);
    }
    return this.names.get(text);
  }
}

/** Columns before those of the row: snapshot, mark, total, whether there is a row. */
const HEAD = 4;

interface ReadOptions {
  readonly limit: number;
  readonly count: boolean;
  readonly prefix: string;
  readonly mark: string;
}

function readSql(
  query: ViewQuery,
  entity: EntityTable,
  {limit, count, prefix, mark}: ReadOptions,
  parameters: Parameters,
): string {
  const where = whereSql(query, entity, parameters);
  const table = tableSql(entity);
  const names = Object.keys(entity.columns);
  const columns = names.map((name, i) => `${columnSql(entity, name)} AS c${i}`).join(', ');
  const order = orderSql(query.order, property => columnSql(entity, property));
  const orderOfPage = orderSql(query.order, property => `page.c${names.indexOf(property)}`);
  const most = parameters.add(limit);
  const emit = `pg_logical_emit_message(true, ${parameters.add(prefix)}, ${parameters.add(mark)})`;
  // A page that is not full has been counted already.
  const total = !count ? 'NULL' : `
    CASE WHEN (SELECT count(*) FROM page) < ${most}::bigint THEN (SELECT count(*) FROM page)
         ELSE (SELECT count(*) FROM ${table} WHERE ${where}) END`;
  return `
  WITH page AS MATERIALIZED (
    SELECT TRUE AS is_row, ${columns} FROM ${table} WHERE ${where}
    ORDER BY ${order} LIMIT ${most}::bigint
  ), head AS MATERIALIZED (
    SELECT pg_current_snapshot() AS snapshot, ${emit} AS mark, ${total} AS total
  )
  SELECT head.*, page.* FROM head LEFT JOIN page ON TRUE ORDER BY ${orderOfPage}`;
}

/**
 * Asks about the images alone, given as text arrays by column. Only columns that the view looks at
 * are sent.
 */
function judgeSql(
  query: ViewQuery,
  entity: EntityTable,
  images: readonly RowImage[],
  parameters: Parameters,
): string {
  const properties = propertiesOf(query, entity);
  const arrays = properties.map(property => {
    const texts = images.map(image => image.raw[property] ?? null);
    return `${parameters.add(texts)}::text[]`;
  });
  const typed = properties.map((property, i) => {
    const {baseType, collation} = entity.columns[property];
    const collate = collation?.name === undefined ? '' : ` COLLATE ${collation.name}`;
    const type = baseType === 'character' ? 'bpchar' : baseType;
    return `(c${i}::${type})${collate} AS ${columnSql(entity, property)}`;
  });
  const where = whereSql(query, entity, parameters);
  const places = properties.map((_, i) => `c${i}`).join(', ');
  const order = orderSql(query.order, property => columnSql(entity, property));
  return `
  SELECT (${where}) AS matches,
         rank() OVER (ORDER BY ${order}) - 1 AS rank
  FROM (SELECT "#", ${typed.join(', ')}
        FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS image(${places}, "#")) AS images
  ORDER BY "#"`;
}

function propertiesOf(query: ViewQuery, entity: EntityTable): string[] {
  const used = new Set(query.order.map(({property}) => property));
  const collect = (condition: ViewQuery['condition']): void => {
    if (condition.kind === 'compare') used.add(condition.property);
    else condition.parts.forEach(collect);
  };
  collect(query.condition);
  if (entity.shape.deletedFlag !== undefined) used.add(entity.shape.deletedFlag);
  return [...used];
}

function tableSql({table}: EntityTable): string {
  return `${escapeIdentifier(table.schema)}.${escapeIdentifier(table.name)}`;
}
