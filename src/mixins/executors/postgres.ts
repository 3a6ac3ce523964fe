import type {Options} from '@loopback/repository';
import {mayBeRespelt} from '../column-types';
import {
  assertOwnTransaction,
  coercedValue,
  coercedWhere,
  rowForInsert,
  valuesForReplace,
  valuesForUpdate,
  type JugglerModelClass,
} from '../juggler';
import {
  knownValue,
  value,
  type ChangePlan,
  type Condition,
  type InsertPlan,
  type RemovePlan,
  type Row,
  type WriteResult,
  type WrittenRow,
} from '../plan';
import {plainRow} from '../plain-rows';
import {observedStatement, observerOf} from '../write-observer';
import type {Executor, PlanTarget} from './executor';
import {inTransaction} from './in-transaction';
import {answersByCount, countOf, fill, leavesRowsAlone} from './postgres-answers';
import type {PostgresConnector} from './postgres-connector';
import {withLongLists} from './postgres-lists';
import {
  statementContext,
  tableShape,
  type StatementContext,
  type TableShape,
} from './postgres-context';
import {
  changeStatement,
  insertStatement,
  lastRevisionsStatement,
  removeStatement,
  type NewRow,
} from './postgres-statements';
import type {Fragment} from './sql';
import {MAX_PARAMETERS, StatementRunner, type Answer, type Naming} from './statement-runner';

/** In an INSERT of more rows than that, planning a subquery for each takes most of the time. */
const COUNTED_AT_ONCE = 20;
/** Runs each plan as one named statement of PostgreSQL, in the caller's transaction if given. */
export class PostgresExecutor implements Executor {
  private readonly shapes = new WeakMap<JugglerModelClass, TableShape>();
  private readonly contexts = {
    count: new WeakMap<PlanTarget, StatementContext>(),
    rows: new WeakMap<PlanTarget, StatementContext>(),
  };
  private readonly runner: StatementRunner;
  /** Writes long lists as one value. */
  private readonly connector: PostgresConnector;

  constructor(connector: PostgresConnector) {
    this.runner = new StatementRunner(connector);
    this.connector = withLongLists(connector);
  }

  async run(
    plan: InsertPlan | ChangePlan | RemovePlan,
    target: PlanTarget,
    options: Options,
    wanted: 'count' | 'rows',
  ): Promise<WriteResult> {
    assertOwnTransaction(target.model, options);
    const observer = observerOf(target.model);
    if (!observer) return this.execute(plan, target, options, wanted);
    return observedStatement(observer, options, () => this.execute(plan, target, options, 'rows'));
  }

  private async execute(
    plan: InsertPlan | ChangePlan | RemovePlan,
    target: PlanTarget,
    options: Options,
    wanted: 'count' | 'rows',
  ): Promise<WriteResult> {
    const context = await this.contextOf(target, options, wanted);
    switch (plan.kind) {
      case 'insert':
        return this.insert(plan, context, options);
      case 'change':
        return this.change(plan, context, options);
      case 'remove':
        return this.remove(plan, context, options);
    }
  }

  /** Runs a statement of another's; see {@link StatementRunner.run}. */
  query(statement: Fragment, options: Options, naming?: Naming): Promise<Answer> {
    return this.runner.run(statement, options, naming);
  }

  /** The connector's own SELECT for a filter that juggler has normalized. */
  select(model: JugglerModelClass, filter: object): Fragment {
    return this.connector.buildSelect(model.modelName, filter);
  }

  where(model: JugglerModelClass, where: Condition): Fragment {
    return this.connector.buildWhere(model.modelName, where);
  }

  orderBy(model: JugglerModelClass, order: string[]): string {
    return this.connector.buildOrderBy(model.modelName, order);
  }

  shapeOf(model: JugglerModelClass): TableShape {
    let shape = this.shapes.get(model);
    if (!shape) {
      shape = tableShape(this.connector, model);
      this.shapes.set(model, shape);
    }
    return shape;
  }

  /** A row in the order of the shape's properties, as an object of property values. */
  rowFrom(shape: TableShape, values: readonly unknown[], names = shape.properties): Row {
    const row: Row = {};
    names.forEach((name, i) => {
      const property = shape.model.definition.properties[name];
      row[name] = this.connector.fromColumnValue(property, values[i]);
    });
    // The driver answers a bigint or a numeric as text; juggler's instances have ids of their type.
    const {idName, model} = shape;
    if (row[idName] != null) row[idName] = coercedValue(model, idName, row[idName]);
    return row;
  }

  private async insert(
    plan: InsertPlan,
    context: StatementContext,
    options: Options,
  ): Promise<WriteResult> {
    const {entity, wanted} = context;
    const rows = await Promise.all(
      plan.rows.map(async ({data, assign}) => {
        const assigned: Row = {};
        for (const name of Object.keys(assign)) assigned[name] = knownValue(assign[name]);
        const made =
          (plan.plainly && plainRow(entity.model, data, assigned)) ||
          (await rowForInsert(entity.model, data, assigned, options));
        return {...made, assign};
      }),
    );
    const idProperty = entity.model.definition.properties[entity.idName];
    const unknown = (name: string) =>
      rows.some(({values, assign}) => values[name] === undefined && !assign[name]) ||
      (name === entity.idName && rows.some(({values}) => mayBeRespelt(idProperty, values[name])));
    const returned =
      wanted === 'rows'
        ? entity.properties
        : entity.properties.filter(name => !plan.empty.has(name) && unknown(name));
    const filled = await this.insertAll(rows, returned, context, options);
    filled.forEach((row, i) => fill(rows[i], row, entity));
    return {
      count: filled.length,
      rows: wanted === 'rows' ? filled.map(after => ({after})) : [],
      created: rows.map(row => row.instance),
    };
  }

  /** One statement, unless it had more parameters than the protocol can count. */
  private async insertAll(
    rows: readonly NewRow[],
    returned: readonly string[],
    context: StatementContext,
    options: Options,
  ): Promise<Row[]> {
    const {entity} = context;
    const insert = async (part: readonly NewRow[], within: Options) => {
      const result = await this.runner.run(insertStatement(context, part, returned), within);
      if (returned.length === 0) return part.map((): Row => ({}));
      return result.rows.map(row => this.rowFrom(entity, row, returned));
    };
    const size = Math.floor(MAX_PARAMETERS / entity.properties.length);
    if (rows.length <= COUNTED_AT_ONCE) return insert(rows, options);
    const insertParts = async (within: Options) => {
      const counted = await this.counted(rows, context, within);
      const filled: Row[] = [];
      for (let at = 0; at < counted.length; at += size) {
        filled.push(...(await insert(counted.slice(at, at + size), within)));
      }
      return filled;
    };
    return rows.length <= size
      ? insertParts(options)
      : inTransaction(entity.model, options, insertParts);
  }

  /** The rows with the numbers of their first revisions, found for all of them at once. */
  private async counted(
    rows: readonly NewRow[],
    {entity, history}: StatementContext,
    options: Options,
  ): Promise<readonly NewRow[]> {
    const ids = rows.map(row => row.values[entity.idName] ?? null);
    if (!history || ids.every(id => id === null)) return rows;
    const {rows: used} = await this.runner.run(lastRevisionsStatement(history, ids), options);
    const last = new Map(used.map(([place, revision]) => [Number(place), Number(revision)]));
    return rows.map(({values, assign}, i) => {
      const _revision = 1 + (last.get(i + 1) ?? 0);
      return {values: {...values, _revision}, assign: {...assign, _revision: value(_revision)}};
    });
  }

  private async change(
    plan: ChangePlan,
    context: StatementContext,
    options: Options,
  ): Promise<WriteResult> {
    const {model} = context.entity;
    const prepare = plan.replace ? valuesForReplace : valuesForUpdate;
    const values = model._forDB(await prepare(model, plan.data, options));
    const where = this.whereOf(plan, model, options);
    return this.answer(changeStatement(context, plan, values, where), plan, context, options);
  }

  private async remove(
    plan: RemovePlan,
    context: StatementContext,
    options: Options,
  ): Promise<WriteResult> {
    const where = this.whereOf(plan, context.entity.model, options);
    return this.answer(removeStatement(context, plan, where), plan, context, options);
  }

  private async answer(
    statement: Fragment,
    plan: ChangePlan | RemovePlan,
    {entity, wanted}: StatementContext,
    options: Options,
  ): Promise<WriteResult> {
    const result = await this.runner.run(statement, options);
    if (answersByCount(plan, wanted)) return {count: result.rowCount ?? 0, rows: []};
    const counted = leavesRowsAlone(plan);
    if (wanted === 'rows') {
      const width = entity.properties.length;
      const id = entity.properties.indexOf(entity.idName);
      const written = counted ? result.rows.filter(row => row[id] !== null) : result.rows;
      const rows = written.map((row): WrittenRow => ({
        before: this.rowFrom(entity, row),
        after: plan.kind === 'change' ? this.rowFrom(entity, row.slice(width)) : undefined,
      }));
      return {count: countOf(plan, rows.length, result.rows[0]?.at(-1)), rows};
    }
    const [written, others] = result.rows[0];
    return {count: countOf(plan, Number(written), others), rows: []};
  }

  /** A write by id has a where of our own making, with nothing of the caller's to check in it. */
  private whereOf(
    plan: ChangePlan | RemovePlan,
    model: JugglerModelClass,
    options: Options,
  ): Condition {
    const ours = plan.single && !model.settings.scope;
    return ours ? plan.where : coercedWhere(model, plan.where, options);
  }

  private async contextOf(
    target: PlanTarget,
    options: Options,
    wanted: 'count' | 'rows',
  ): Promise<StatementContext> {
    const contexts = this.contexts[wanted];
    let context = contexts.get(target);
    if (!context) {
      context = statementContext({
        connector: this.connector,
        entity: this.shapeOf(target.model),
        history: target.history && this.shapeOf(target.history),
        returnsOld: (await this.runner.serverVersion(options)) >= 180000,
        wanted,
      });
      contexts.set(target, context);
    }
    return context;
  }
}
