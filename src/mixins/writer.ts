import {EntityNotFoundError, type Entity, type Options} from '@loopback/repository';
import type {ChangeKind, ChangeRequest} from './behaviour';
import {visible} from './behaviours/soft-delete';
import {claiming} from './claims';
import {checkedRows, expectedVersion, namedVersion, staleVersions} from './behaviours/version';
import {conflictsOf, meantBy} from './conflicts';
import {assertDates} from './data-check';
import {
  BehaviourMissingError,
  InvalidVersionError,
  InvalidWhereError,
  RestoreConflictError,
  VersionConflictError,
} from './errors';
import {assertBindable} from './executors/postgres-lists';
import {assertOwnTransaction, type JugglerInstance} from './juggler';
import {transactionOf, type LiveOptions} from './options';
import {
  knownValue,
  type ChangePlan,
  type CheckedRow,
  type Condition,
  type RemovePlan,
  type RevisionOperation,
  type Row,
  type WritePlan,
  type WriteResult,
} from './plan';
import {conjunction, planChange, planInsert} from './planner';
import type {RepositoryHost} from './repository-host';
import {idKey} from './same-id';
import {Secrets} from './secrets';
import {storedRows} from './rows-as-stored';
import {assertPlainId, plainWhere} from './where';
import {assertSafeWhere} from './where-check';

/** Which rows a write means. */
export type WriteTarget = {readonly id: unknown} | {readonly where: Condition};

/** Plans writes and has them executed; every write of a repository with behaviours ends here. */
export class EntityWriter<T extends Entity> {
  private readonly secrets: Secrets;

  constructor(private readonly host: RepositoryHost<T>) {
    this.secrets = new Secrets(host.live, host.surroundings);
  }

  /** @param toEntities - The repository's step that makes entities of what was created */
  async create(
    entities: readonly object[],
    toEntities: (created: JugglerInstance[]) => T[],
    options: Options = {},
  ): Promise<T[]> {
    const {live, surroundings} = this.host;
    assertOwnTransaction(live.model, options);
    if (entities.length === 0) return [];
    const given = await Promise.all(entities.map(e => this.inputFrom(e, options)));
    const inputs = given.map(input => this.secrets.completed(input));
    for (const input of inputs) assertDates(live, input, true);
    const context = await surroundings.writeContext(options);
    const rows = await Promise.all(inputs.map(row => this.secrets.seal(row, row[live.idName])));
    const plainly = this.host.makesEntitiesPlainly;
    const plan = {...planInsert(live.behaviours, rows, context), plainly};
    const result = await this.run(plan, options, inputs);
    const created = toEntities([...result.created!]);
    created.forEach((entity, i) => this.complete(entity, inputs[i]));
    return created;
  }

  /**
   * Writes existing rows.
   *
   * @returns How many rows were meant, and the values that the behaviours gave them
   * @throws `EntityNotFoundError`, {@link VersionConflictError}, `VersionRequiredError` for a write
   * by id
   */
  async change(
    kind: ChangeKind,
    target: WriteTarget,
    data: object = {},
    options: Options = {},
    {operation, rows = false}: {operation?: RevisionOperation; rows?: boolean} = {},
  ): Promise<Written> {
    const {plan, request} = await this.planned(kind, target, data, options, operation);
    if (plan.checked?.length === 0) return {count: 0, stamp: {}, rows: []};
    const {single} = request;
    const written = await this.attempt(plan, request, rows);
    if (!single) return written;
    const settled = written.count > 0 ? written : await this.leftAlone(plan, request, rows);
    (options as LiveOptions).onWritten?.(settled.stamp);
    return settled;
  }

  /** The rows that a write would change, as they are. */
  async meant(kind: ChangeKind, target: WriteTarget, options: Options): Promise<Row[]> {
    const {plan} = await this.planned(kind, target, {}, options);
    const {live} = this.host;
    const checked = plan.checked && {[live.idName]: {inq: plan.checked.map(row => row.id)}};
    const where = conjunction([plan.where, checked]);
    return storedRows(live, where, transactionOf(options));
  }

  private async attempt(
    plan: ChangePlan | RemovePlan,
    request: ChangeRequest,
    wanted: boolean,
  ): Promise<Written> {
    const {kind, id, single} = request;
    const {count, rows} = await this.runChange(plan, request, wanted).catch(error => {
      throw kind === 'restore' ? asRestoreConflict(error, this.host.live.name, id) : error;
    });
    if (plan.checked && count < plan.checked.length) {
      throw await conflictsOf(this.host.live, plan.checked, request);
    }
    const before = wanted ? rows.map(row => row.before!) : [];
    return {count, stamp: single ? this.stampOf(plan, request) : {}, rows: before};
  }

  /** What becomes of a write by id that has found nothing to write. */
  private async leftAlone(
    plan: ChangePlan | RemovePlan,
    request: ChangeRequest,
    wanted: boolean,
  ): Promise<Written> {
    const row = await this.rowLeftAlone(plan, request);
    const isSure = this.host.live.has('version') && expectedVersion(request) !== undefined;
    // What was asked for by no version may have come into being since.
    const again = isSure ? undefined : await this.attempt(plan, request, wanted);
    return again?.count ? again : {count: 1, stamp: this.stampIn(row, plan), rows: []};
  }

  private async planned(
    kind: ChangeKind,
    target: WriteTarget,
    data: object,
    options: Options,
    operation?: RevisionOperation,
  ) {
    const {live, surroundings} = this.host;
    assertOwnTransaction(live.model, options);
    const single = 'id' in target;
    const id = single ? assertPlainId(target.id) : undefined;
    const where = single ? {[live.idName]: live.typedId(id)} : await this.safeWhere(target.where);
    // A whole row has its id, as juggler's own replaceById sees to before it validates.
    const own = live.withPlainChildren({...data});
    const input: Row = kind === 'replace' && single ? {...own, [live.idName]: id} : own;
    assertDates(live, input, kind === 'replace');
    const context = await surroundings.writeContext(options);
    const row = await this.secrets.seal(input, await this.secrets.boundId(input, id, options));
    const sealed = Object.keys(live.encrypted).some(name => (row[name] ?? null) !== null);
    const checked = single ? undefined : this.checkedIn(options);
    const kept = kind === 'replace' ? live.absentChildren(input) : [];
    const given: ChangeRequest = {
      ...context, kind, single, id, input, kept, operation, checked, sealed,
    };
    return {plan: planChange(live.behaviours, given, row, where), request: given};
  }

  private checkedIn(options: LiveOptions): CheckedRow[] | undefined {
    const {live} = this.host;
    if (!('versions' in options)) return undefined;
    const {versions} = options;
    // Versions that got lost on their way here must not mean that none are to be compared.
    if (!Array.isArray(versions) || versions.some(row => row === null || typeof row !== 'object')) {
      throw new InvalidWhereError('"versions" in the options must be a list of rows.');
    }
    if (!live.has('version')) throw new BehaviourMissingError(live.name, 'version');
    return checkedRows(live.name, versions, live.idName, {
      typed: id => live.typedId(assertPlainId(id)),
      keyOf: id => idKey(live.model, id),
    });
  }

  /** What the persist hook makes of an entity, without what is undefined. */
  async inputFrom(entity: object, options: Options | undefined): Promise<Row> {
    const data = await this.host.toData(entity, options);
    const given: Row = {};
    for (const name of Object.keys(data)) if (data[name] !== undefined) given[name] = data[name];
    return this.host.live.withPlainChildren(given);
  }

  private async runChange(
    plan: ChangePlan | RemovePlan,
    {kind, single, id, input, options}: ChangeRequest,
    rows: boolean,
  ): Promise<WriteResult> {
    const {live} = this.host;
    const own = single ? {[live.idName]: live.typedId(id)} : plan.where;
    const returns = kind === 'restore' ? await this.secrets.stored(own, options) : [input];
    return this.run(plan, options, returns, own, rows);
  }

  /**
   * @param written - The rows in plain text that there will be
   * @param own - Which rows they are now
   * @param rows - Whether the rows are wanted, and not only their number
   */
  private async run(
    plan: WritePlan,
    options: Options,
    written: readonly Row[],
    own?: Condition,
    rows = false,
  ): Promise<WriteResult> {
    const {live} = this.host;
    const claims = await this.secrets.claims(written);
    return claiming(live, claims, own, options, within => this.execute(plan, within, rows));
  }

  private async execute(plan: WritePlan, options: Options, rows: boolean): Promise<WriteResult> {
    const {live, surroundings} = this.host;
    const publisher = await surroundings.publisher();
    const wanted = rows || publisher ? 'rows' : 'count';
    const result = await live.executor.run(plan, live, options, wanted);
    if (publisher && result.count > 0) await publisher.rowsWritten(live.name, result.rows, options);
    return result;
  }

  /** The caller's data and what was added to it; columns that stayed empty are left out. */
  private complete(entity: T, input: Row): void {
    const values = entity as unknown as Row;
    for (const name of Object.keys(values)) {
      if (values[name] == null && input[name] === undefined) delete values[name];
    }
    Object.assign(values, this.secrets.shown(input));
  }

  private async safeWhere(where: Condition): Promise<Condition> {
    const {model, executor, postgres} = this.host.live;
    assertSafeWhere(where, model);
    if (postgres) assertBindable(model, where, executor === postgres ? 'us' : 'connector');
    return plainWhere(await this.secrets.where(where));
  }

  /**
   * The row of a write that has found nothing to write, because it has the values already. A second
   * query, made only then, tells it from one that is absent, hidden or changed, which throws.
   */
  private async rowLeftAlone(plan: ChangePlan | RemovePlan, request: ChangeRequest): Promise<Row> {
    const {live} = this.host;
    const {id, options} = request;
    const guard = live.has('softDelete') ? visible(meantBy(request)) : undefined;
    const where = conjunction([{[live.idName]: id}, guard]);
    const [found] = await live.model.find({where, limit: 1}, transactionOf(options));
    const row = found?.toObject(true);
    if (!row) throw new EntityNotFoundError(live.entityClass, id);
    const actual = (row._version ?? null) as string | null;
    const [stale] = live.has('version') ? staleVersions(request, actual) : [];
    if (stale !== undefined) throw new VersionConflictError(live.name, id, stale, actual);
    if (plan.kind === 'change' && plan.unlessSame) return row;
    const isUsed = live.has('version') && namedVersion(request) !== undefined;
    if (isUsed) throw new InvalidVersionError(live.name);
    throw new EntityNotFoundError(live.entityClass, id);
  }

  /** The values of behaviours that are known after a write by id, for the caller's entity. */
  private stampOf(plan: ChangePlan | RemovePlan, request: ChangeRequest): Row {
    if (plan.kind === 'remove') return {};
    const stamp: Row = {};
    for (const name of this.shownOf(plan)) {
      if (plan.assign[name].kind === 'value') stamp[name] = knownValue(plan.assign[name]);
    }
    const before = this.host.live.has('version') ? expectedVersion(request) : undefined;
    if (before === undefined) return stamp;
    return {...stamp, ...('_version' in stamp ? {_oldVersion: before} : {_version: before})};
  }

  /** The stamp of a row that a write has left as it was. */
  private stampIn(row: Row, plan: ChangePlan | RemovePlan): Row {
    if (plan.kind === 'remove') return {};
    return Object.fromEntries(this.shownOf(plan).map(name => [name, row[name] ?? undefined]));
  }

  private shownOf({assign}: ChangePlan): string[] {
    return Object.keys(assign).filter(name => !this.host.live.internal.includes(name));
  }
}

/** What a write of existing rows did. */
export interface Written {
  readonly count: number;
  /** Of a write by id: the values that the behaviours gave the row. */
  readonly stamp: Row;
  /** The rows as they were, where the caller asked for them. */
  readonly rows: readonly Row[];
}

const UNIQUE_VIOLATIONS = new Set(['23505', 'ER_DUP_ENTRY', 'SQLITE_CONSTRAINT', 11000]);

type DriverError = Error & {code?: string; constraint?: string};

function asRestoreConflict(error: DriverError, name: string, id: unknown): Error {
  return UNIQUE_VIOLATIONS.has(error.code ?? '')
    ? new RestoreConflictError(name, id, error.constraint)
    : error;
}
