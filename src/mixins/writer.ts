import {EntityNotFoundError, type Entity, type Options} from '@loopback/repository';
import type {ChangeKind, ChangeRequest} from './behaviour';
import {visible} from './behaviours/soft-delete';
import {expectedVersion} from './behaviours/version';
import {RestoreConflictError, VersionConflictError} from './errors';
import type {JugglerInstance} from './juggler';
import {visibilityOf, type LiveOptions} from './options';
import {
  knownValue,
  type ChangePlan,
  type Condition,
  type RemovePlan,
  type RevisionOperation,
  type Row,
  type WritePlan,
  type WriteResult,
} from './plan';
import {conjunction, planChange, planInsert} from './planner';
import type {RepositoryHost} from './repository-host';
import {Secrets} from './secrets';
import {assertPlainId, assertSafeWhere, plainWhere} from './where';

/** Which rows a write means. */
export type WriteTarget = {readonly id: unknown} | {readonly where: Condition};

/** Plans writes and has them executed; every write of a repository with behaviours ends here. */
export class EntityWriter<T extends Entity> {
  private readonly secrets: Secrets;

  constructor(private readonly host: RepositoryHost<T>) {
    this.secrets = new Secrets(host.live, host.surroundings);
  }

  async create(entities: readonly object[], options: Options = {}): Promise<T[]> {
    const {live, surroundings} = this.host;
    if (entities.length === 0) return [];
    const inputs = await Promise.all(entities.map(e => this.inputFrom(e, options)));
    const context = await surroundings.writeContext(options);
    const rows = await Promise.all(inputs.map(input => this.secrets.sealNew(input)));
    const result = await this.run(planInsert(live.behaviours, rows, context), options);
    return result.created!.map((instance, i) => this.created(inputs[i], instance));
  }

  /**
   * Writes existing rows.
   *
   * @returns How many rows were written, and the values that the behaviours gave them
   * @throws `EntityNotFoundError`, {@link VersionConflictError}, `VersionRequiredError` for a write
   * by id
   */
  async change(
    kind: ChangeKind,
    target: WriteTarget,
    data: object = {},
    options: Options = {},
    operation?: RevisionOperation,
  ): Promise<{count: number; stamp: Row}> {
    const {live, surroundings} = this.host;
    const single = 'id' in target;
    const id = single ? assertPlainId(target.id) : undefined;
    const where = single ? {[live.idName]: live.typedId(id)} : await this.safeWhere(target.where);
    // A whole row has its id, as juggler's own replaceById sees to before it validates.
    const input: Row = kind === 'replace' && single ? {...data, [live.idName]: id} : {...data};
    const context = await surroundings.writeContext(options);
    const request: ChangeRequest = {...context, kind, single, id, input, operation};
    const row = await this.secrets.seal(input, id);
    const plan = planChange(live.behaviours, request, row, where);
    const result = await this.run(plan, options).catch(error => {
      throw kind === 'restore' ? asRestoreConflict(error, live.name, id) : error;
    });
    if (single && result.count === 0) throw await this.whyNothingWasWritten(request);
    return {count: result.count, stamp: stampOf(plan, request)};
  }

  /** What the persist hook makes of an entity, without what is undefined. */
  async inputFrom(entity: object, options: Options | undefined): Promise<Row> {
    const data = await this.host.toData(entity, options);
    return Object.fromEntries(Object.entries(data).filter(([, v]) => v !== undefined));
  }

  private async run(plan: WritePlan, options: Options): Promise<WriteResult> {
    const {live, surroundings} = this.host;
    const publisher = await surroundings.publisher();
    const result = await live.executor.run(plan, live, options, publisher ? 'rows' : 'count');
    if (publisher && result.count > 0) await publisher.rowsWritten(live.name, result.rows, options);
    return result;
  }

  /** The caller's data and what was added to it; columns that stayed empty are left out. */
  private created(input: Row, instance: JugglerInstance): T {
    const entity = this.host.toLiveEntity(instance);
    const values = entity as unknown as Row;
    for (const name of Object.keys(values)) {
      if (values[name] == null && input[name] === undefined) delete values[name];
    }
    for (const name of Object.keys(this.host.live.encrypted)) {
      if (input[name] !== undefined) values[name] = input[name];
    }
    return entity;
  }

  private async safeWhere(where: Condition): Promise<Condition> {
    assertSafeWhere(where, name => this.host.live.knows(name));
    await this.secrets.checkQuery({where});
    return plainWhere(where);
  }

  /** Absent, hidden or changed: a second query, made only when a write has found nothing. */
  private async whyNothingWasWritten(request: ChangeRequest): Promise<Error> {
    const {live} = this.host;
    const {id, options} = request;
    const guard = request.kind === 'restore' || request.kind === 'purge'
      ? visible('deleted')
      : visible(request.kind === 'delete' && !options.hard ? 'live' : visibilityOf(options));
    const where = conjunction([{[live.idName]: id}, live.has('softDelete') ? guard : undefined]);
    const [found] = await live.model.find({where, limit: 1}, transactionOf(options));
    const row = found?.toObject(true);
    const expected = live.has('version') ? expectedVersion(request) : undefined;
    if (!row || expected === undefined) return new EntityNotFoundError(live.entityClass, id);
    const actual = (row._version ?? null) as string | null;
    return new VersionConflictError(live.name, id, expected, actual);
  }
}

/** The values of behaviours that are known after a write by id, for the caller's entity. */
function stampOf(plan: ChangePlan | RemovePlan, request: ChangeRequest): Row {
  if (plan.kind === 'remove') return {};
  const stamp: Row = {};
  for (const [name, assigned] of Object.entries(plan.assign)) {
    if (assigned.kind === 'value') stamp[name] = knownValue(assigned);
  }
  if ('_oldVersion' in plan.assign) stamp._oldVersion = expectedVersion(request);
  return stamp;
}

function transactionOf({transaction}: LiveOptions & Options): Options {
  return transaction ? {transaction} : {};
}

const UNIQUE_VIOLATIONS = new Set(['23505', 'ER_DUP_ENTRY', 'SQLITE_CONSTRAINT', 11000]);

type DriverError = Error & {code?: string; constraint?: string};

function asRestoreConflict(error: DriverError, name: string, id: unknown): Error {
  return UNIQUE_VIOLATIONS.has(error.code ?? '')
    ? new RestoreConflictError(name, id, error.constraint)
    : error;
}
