import assert from 'node:assert/strict';
import type {juggler, Options, Where} from '@loopback/repository';
import {LiveEntitiesBindings} from '../../keys';
import type {BehaviourName} from '../../mixins/behaviour';
import type {Revision} from '../../mixins/history/entity-history';
import {
  givenContext,
  givenItemModel,
  givenItems,
  type Item,
  type ItemRepository,
} from '../support/behaviours';
import {RepositoryModel, wholeOf, type Ended, type Outcome, type State} from './repository-model';
import type {CallOptions, Condition, Named, Step, Write} from './repository-model.steps';

type Look = Extract<Step, {do: 'look'}>;
type Transaction = Awaited<ReturnType<ItemRepository['beginTransaction']>>;

const models = new WeakMap<object, Map<string, ReturnType<typeof givenItemModel>>>();
const context = givenContext();
let clock = new Date(0);
context.bind(LiveEntitiesBindings.CLOCK).to(() => clock);

/** Behaviours in another order share the model, and with it the tables. */
function modelOf(dataSource: juggler.DataSource, behaviours: readonly BehaviourName[]) {
  const known = models.get(dataSource) ?? new Map<string, ReturnType<typeof givenItemModel>>();
  models.set(dataSource, known);
  const key = [...behaviours].sort().join('_');
  const model = known.get(key) ?? givenItemModel(`Item_${key}`);
  known.set(key, model);
  return model;
}

/** A repository beside the model of it: every step is taken by both, and then they are compared. */
export class Comparison {
  private readonly model: RepositoryModel;
  private readonly moments: {time: number; step: number}[] = [];
  private readonly versions = new Map<number, string>();

  private constructor(
    private readonly items: ItemRepository,
    private readonly behaviours: readonly BehaviourName[],
    private readonly atomic: boolean,
  ) {
    this.model = new RepositoryModel(new Set(behaviours));
  }

  /** @param atomic - Whether a write of several rows is all or nothing */
  static async begin(
    dataSource: juggler.DataSource,
    behaviours: readonly BehaviourName[],
    atomic: boolean,
  ): Promise<Comparison> {
    const model = modelOf(dataSource, behaviours);
    const items = await givenItems(dataSource, behaviours, context, model);
    for (const table of tablesOf(items)) await table.deleteAll({});
    return new Comparison(items, behaviours, atomic);
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'look') return this.look(step);
    if (step.do === 'transaction') await this.inTransaction(step.writes, step.commits);
    else await this.write(step);
    await this.momentPasses();
  }

  private async inTransaction(writes: readonly Write[], commits: boolean): Promise<void> {
    const before = this.model.saved();
    const transaction = await this.items.beginTransaction();
    try {
      for (const write of writes) await this.write(write, transaction);
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
    if (commits) await transaction.commit();
    else await transaction.rollback();
    if (!commits) this.model.restore(before);
    await this.compareAll({});
  }

  private async write(write: Write, transaction?: Transaction): Promise<void> {
    if (!this.canBeMade(write, transaction)) return;
    this.model.step++;
    clock = timeOf(this.model.step);
    const versionOf = this.versionNamedBy(write);
    const expected = this.model.write(write, back => this.momentOf(back).step);
    const within = transaction ? {transaction} : {};
    const olderThan =
      'olderThan' in write && write.olderThan !== undefined
        ? new Date(this.momentOf(write.olderThan).time + 1)
        : undefined;
    const outcome = await outcomeOf(() => this.perform(write, within, versionOf, olderThan));
    assert.deepEqual(outcome, expected, `outcome of ${JSON.stringify(write)}`);
    await this.compareAll(within);
  }

  /** A duplicate ends a transaction of PostgreSQL, and a bulk insert that is not atomic halfway. */
  private canBeMade(write: Write, transaction: unknown): boolean {
    if (write.do === 'pruneHistory' && !this.moments.length) return false;
    if (write.do !== 'create' && write.do !== 'createAll') return true;
    const ids = write.rows.map(row => row.id);
    const clash = new Set(ids).size < ids.length || ids.some(id => this.model.rows.has(id));
    return !clash || (!transaction && (this.atomic || ids.length === 1));
  }

  private async perform(
    write: Write,
    within: Options,
    versionOf: (named: Named) => string | undefined,
    olderThan: Date | undefined,
  ): Promise<{count?: number}> {
    const {items} = this;
    if (write.do === 'pruneHistory') {
      return items.pruneHistory(olderThan ? {olderThan} : {keepLast: write.keepLast ?? 0});
    }
    if (write.do === 'redactHistory') return items.redactHistory(write.id, write.fields, within);
    const options = callOptions(write, within, versionOf);
    const inData = 'version' in write && write.version.endsWith('data');
    const named = inData && this.model.has('version') ? {_version: versionOf(write.version)} : {};
    switch (write.do) {
      case 'create':
        await items.create(dataOf(write.rows[0]), options);
        return {count: 1};
      case 'createAll':
        return {count: (await items.createAll(write.rows.map(dataOf), options)).length};
      case 'updateById':
      case 'replaceById':
        await items[write.do](write.id, dataOf({...write.data, ...named}), options);
        return {};
      case 'update':
      case 'save':
        await items[write.do](entityOf(items, {...write.data, id: write.id, ...named}), options);
        return {};
      case 'updateAll':
        return items.updateAll(dataOf(write.data), whereOf(write.where), options);
      case 'delete':
        await items.delete(entityOf(items, {id: write.id, ...named}), options);
        return {};
      case 'deleteById':
      case 'restoreById':
        await items[write.do](write.id, options);
        return {};
      case 'revertTo':
        await items.revertTo(write.id, write.revision, options);
        return {};
      case 'deleteAll':
      case 'restoreAll':
        return items[write.do](whereOf(write.where), options);
      case 'purge':
        return items.purge(whereOf(write.where), {}, options);
    }
  }

  private versionNamedBy(write: Write): (named: Named) => string | undefined {
    const row = 'id' in write ? this.model.rows.get(write.id) : undefined;
    const current = (row && this.versions.get(row.version)) ?? 'no such version';
    return named => (named === 'none' ? undefined : named === 'stale' ? 'stale' : current);
  }

  private async compareAll(within: Options): Promise<void> {
    const {items, model} = this;
    const rows = await items.find({order: ['id ASC']}, {...within, withDeleted: true});
    this.compareRows(rows, model.seen({all: true}, 'withDeleted'), 'rows');
    if (!model.has('history')) return;
    const ended = [...model.ended].sort(byIdAndRevision);
    const found = await items.findHistory({order: ['_modelId ASC', '_revision ASC']}, within);
    assert.deepEqual(found.map(noteOf), ended.map(expectedNote), 'history');
    this.compareRows(found.map(r => r.entity), ended.map(e => e.state), 'states in the history');
    found.forEach((r, i) => this.compareTimes(r, found[i + 1], ended[i], ended[i + 1]));
  }

  private compareTimes(r: Revision<Item>, next?: Revision<Item>, e?: Ended, f?: Ended): void {
    assert.ok(r._validFrom <= r._validTo, 'a state ends before it begins');
    const follows = next && e && f && f.state.id === e.state.id && f.state.since === e.until;
    if (follows) assert.deepEqual(next._validFrom, r._validTo, 'states follow each other');
  }

  private async look(look: Look): Promise<void> {
    const {items, model} = this;
    const {id, see} = look;
    const [where, options] = [whereOf(look.where), seeing(see)];
    const rows = model.seen(look.where, see);
    const order = ['id ASC'];
    this.compareRows(await items.find({where, order}, options), rows, 'find');
    const one = await items.findOne({where, order}, options);
    this.compareRows(one ? [one] : [], rows.slice(0, 1), 'findOne');
    assert.deepEqual(await items.count(where, options), {count: rows.length}, 'count');
    const names = await items.find({where, order, fields: ['name']}, options);
    assert.deepEqual(names.map(i => i.toJSON()), rows.map(({name}) => ({name})), 'fields');
    const byId = model.seen({ids: [id]}, see);
    assert.equal(await items.exists(id, options), byId.length > 0, 'exists');
    this.compareRows(await foundOrNot(items.findById(id, undefined, options)), byId, 'findById');
    if (model.has('history')) await this.lookBack(look, where, options);
  }

  private async lookBack(look: Look, where: Where<Item>, options: Options): Promise<void> {
    const {items, model} = this;
    const {id, see} = look;
    const kept = await items.history(id);
    assert.deepEqual(kept.map(noteOf), model.historyOf(id).map(expectedNote), 'history of one');
    const [from, to] = look.revisions.map(revision => model.stateOf(id, revision, see));
    const ref = (revision: number) => revision || 'current';
    const [a, b] = look.revisions.map(ref);
    const diff = await foundOrNot(items.diff(id, a as number, b as number, options));
    const expected = from && to ? [differences(from, to)] : [];
    const found = (JSON.parse(JSON.stringify(diff)) as typeof diff).map(changes =>
      changes.sort((x, y) => (x.property < y.property ? -1 : 1)),
    );
    assert.deepEqual(found, expected, 'diff');
    if (this.moments.length === 0) return;
    const {time, step} = this.momentOf(look.moment);
    const order = ['id ASC'];
    const then = await items.findAsOf(new Date(time), {where, order}, options);
    this.compareRows(then, model.asOf(step, look.where, see), 'findAsOf');
    const thenById = await foundOrNot(items.findByIdAsOf(id, new Date(time), {}, options));
    this.compareRows(thenById, model.asOf(step, {ids: [id]}, see), 'findByIdAsOf');
  }

  private compareRows(found: readonly Item[], expected: readonly State[], what: string): void {
    assert.deepEqual(found.map(plain), expected.map(row => this.rowOf(row)), what);
    if (!this.model.has('version')) return;
    expected.forEach((row, i) => this.compareVersion(row.version, found[i]._version, what));
    expected.forEach((row, i) => {
      if (row.oldVersion === null) assert.equal(found[i]._oldVersion ?? null, null, what);
      else this.compareVersion(row.oldVersion, found[i]._oldVersion, what);
    });
  }

  /** A version that is seen for the first time must be one that was never seen before. */
  private compareVersion(version: number, found: string | undefined, what: string): void {
    const known = this.versions.get(version);
    if (known !== undefined) return assert.equal(found, known, `version in ${what}`);
    assert.ok(found, `a version in ${what}`);
    assert.ok(![...this.versions.values()].includes(found), `a new version in ${what}`);
    this.versions.set(version, found);
  }

  private rowOf(row: State): object {
    const {created, modified, deleted} = row;
    const has = (name: BehaviourName) => this.behaviours.includes(name);
    return {
      id: row.id,
      ...wholeOf(row),
      ...(has('audit') && {
        _type: this.items.entityClass.modelName,
        _createdBy: created.by,
        _createdOn: timeOf(created.at).toJSON(),
        _modifiedBy: modified.by,
        _modifiedOn: timeOf(modified.at).toJSON(),
      }),
      ...(has('softDelete') && {
        _isDeleted: deleted !== null,
        _deletedBy: deleted?.by ?? null,
        _deletedOn: deleted ? timeOf(deleted.at).toJSON() : null,
      }),
    };
  }

  private momentOf(back: number): {time: number; step: number} {
    return this.moments[Math.max(0, this.moments.length - 1 - back)];
  }

  /** Whatever comes next, comes at a later millisecond. */
  private async momentPasses(): Promise<void> {
    const time = Date.now();
    while (Date.now() === time) await new Promise(setImmediate);
    this.moments.push({time, step: this.model.step});
  }
}

const TAKES_DATA = new Set(['updateById', 'replaceById', 'update', 'save', 'delete']);

function callOptions(
  write: Exclude<Write, {do: 'pruneHistory' | 'redactHistory'}>,
  within: Options,
  versionOf: (named: Named) => string | undefined,
): Options {
  const {by, bump, see, ...notes} = write.options;
  const inData = TAKES_DATA.has(write.do) && 'version' in write && write.version.endsWith('data');
  return frozen({
    ...within,
    ...notes,
    ...seeing(see),
    ...(by && {remoteUser: by}),
    ...(bump !== undefined && {bumpVersion: bump}),
    ...('hard' in write && {hard: write.hard}),
    ...('version' in write && !inData && {version: versionOf(write.version)}),
  });
}

const REFUSALS = [
  'VERSION_REQUIRED',
  'VERSION_CONFLICT',
  'ENTITY_NOT_FOUND',
  'BEHAVIOUR_MISSING',
  'ENCRYPTION_NEEDS_ID',
];

async function outcomeOf(call: () => Promise<{count?: number}>): Promise<Outcome> {
  try {
    return await call();
  } catch (error) {
    const {code = '', message} = error as Error & {code?: string};
    if (REFUSALS.includes(code)) return {error: code};
    const duplicate = ['23505', 'ER_DUP_ENTRY'].includes(code) || message.startsWith('Duplicate');
    if (duplicate) return {error: 'DUPLICATE'};
    throw error;
  }
}

async function foundOrNot<T>(reading: Promise<T>): Promise<T[]> {
  try {
    return [await reading];
  } catch (error) {
    if ((error as {code?: string}).code === 'ENTITY_NOT_FOUND') return [];
    throw error;
  }
}

function whereOf(condition: Condition): Where<Item> {
  if ('all' in condition) return {};
  if ('ids' in condition) return {id: {inq: [...condition.ids]}};
  if ('name' in condition) return {name: condition.name};
  if ('qtyAbove' in condition) return {qty: {gt: condition.qtyAbove}};
  const [name, qty] = condition.either;
  return {or: [{name}, {qty}]};
}

function seeing(see: CallOptions['see']): Options {
  return see === 'live' ? {} : {[see]: true};
}

/** Everything but versions, as JSON would show it; what is undefined is null. */
function plain(item: Item): object {
  const {_version, _oldVersion, ...shown} = JSON.parse(JSON.stringify(item)) as Item;
  const marks = '_isDeleted' in item ? {_deletedBy: null, _deletedOn: null} : {};
  return {qty: null, tags: null, secret: null, ...marks, ...shown};
}

function differences(from: State, to: State): object[] {
  const [before, after] = [wholeOf(from), wholeOf(to)] as Record<string, unknown>[];
  return Object.keys(before)
    .sort()
    .filter(key => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
    .map(property => ({property, from: before[property], to: after[property]}));
}

function noteOf(r: Revision<Item>): object {
  const {_modelId, _revision, _operation, _by, _reason = null, _onBehalfOf = null} = r;
  return {_modelId, _revision, _operation, _by, _reason, _onBehalfOf};
}

function expectedNote({state, operation, by, reason, onBehalfOf}: Ended): object {
  return {
    _modelId: state.id,
    _revision: state.revision,
    _operation: operation,
    _by: by,
    _reason: reason,
    _onBehalfOf: onBehalfOf,
  };
}

function byIdAndRevision({state: a}: Ended, {state: b}: Ended): number {
  return a.id === b.id ? a.revision - b.revision : a.id < b.id ? -1 : 1;
}

function timeOf(step: number): Date {
  return new Date(Date.UTC(2026, 0, 1) + step * 1000 + 7);
}

function entityOf(items: ItemRepository, data: object): Item {
  return new (items.entityClass as never as new (data: object) => Item)(data);
}

function dataOf(data: object): Partial<Item> {
  return frozen({...data});
}

function frozen<T extends object>(given: T): T {
  for (const value of Object.values(given)) {
    const plainObject = value !== null && typeof value === 'object';
    if (plainObject && (Array.isArray(value) || value.constructor === Object)) frozen(value);
  }
  return Object.freeze(given);
}

function tablesOf(items: ItemRepository): {deleteAll(where: object): Promise<unknown>}[] {
  const {modelClass} = items as unknown as {modelClass: {modelName: string}};
  const history = items.dataSource.getModel(`${modelClass.modelName}History`);
  return [modelClass, history].filter(Boolean) as never;
}
