import {randomUUID} from 'node:crypto';
import {isDeepStrictEqual} from 'node:util';
import type {Options} from '@loopback/repository';
import {
  assertOwnTransaction,
  coercedValue,
  valuesForReplace,
  type JugglerModelClass,
} from '../juggler';
import type {
  Assigned,
  Assignments,
  ChangePlan,
  Condition,
  InsertPlan,
  RemovePlan,
  RevisionNote,
  Row,
  WriteResult,
  WrittenRow,
} from '../plan';
import {knownValue} from '../plan';
import {ConcurrentWriteError} from '../errors';
import {HISTORY_PROPERTIES} from '../model-definition';
import {rowsByIds} from '../same-id';
import {isOpen} from '../where-check';
import type {Executor, PlanTarget} from './executor';
import {inTransaction} from './in-transaction';
import {lastRevisions} from './juggler-revisions';
import {emptied, hasAlready, momentAfter, storable} from './juggler-values';

/** How often a row that others keep changing is read again before a write gives up. */
const ATTEMPTS = 100;

/**
 * Runs plans through juggler's own methods: any connector, and operation hooks keep working. What
 * takes several calls runs in a transaction where the connector has one. Each row is written only
 * if it still is as it was read, so that revisions are right without locks too.
 */
export class JugglerExecutor implements Executor {
  async run(
    plan: InsertPlan | ChangePlan | RemovePlan,
    target: PlanTarget,
    options: Options,
    wanted: 'count' | 'rows',
  ): Promise<WriteResult> {
    assertOwnTransaction(target.model, options);
    if (plan.kind === 'insert') {
      return inTransaction(target.model, options, o => insert(plan, target, o));
    }
    if (!needsRows(plan, target.model, wanted)) return writeBlindly(plan, target.model, options);
    const write = inTransaction(target.model, options, o => writeRows(plan, target, o));
    return write.catch(error => {
      if (error instanceof NotAllThere) return {count: error.found, rows: []};
      throw error;
    });
  }
}

/** Some of the rows of a checked write are not as the caller named them. */
class NotAllThere extends Error {
  constructor(readonly found: number) {
    super();
  }
}

async function insert(
  plan: InsertPlan,
  target: PlanTarget,
  options: Options,
): Promise<WriteResult> {
  const {model} = target;
  const last = await lastRevisions(plan, target, options);
  const data: Row[] = plan.rows.map((row, i) => ({
    ...row.data,
    ...resolved(row.assign, {}, 1 + (last.get(i) ?? 0)),
  }));
  const created =
    data.length === 1
      ? [await model.create(data[0], options)]
      : await model.createAll(data, options);
  const rows = created.map(instance => ({after: instance.toObject(true)}));
  return {count: rows.length, rows, created};
}

/** One call, when nothing of the rows has to be known before but whether they would change. */
async function writeBlindly(
  plan: ChangePlan | RemovePlan,
  model: JugglerModelClass,
  options: Options,
): Promise<WriteResult> {
  const where = structuredWhere(plan.where);
  if (plan.kind === 'remove') return {...(await model.deleteAll(where, options)), rows: []};
  const values = await changedValues(plan, model, {}, options);
  if (!plan.unlessSame) return {...(await model.updateAll(where, values, options)), rows: []};
  const idName = model.definition.idName();
  const data = await newValues(plan, model, options);
  const found = (await model.find({where}, options)).map(instance => instance.toObject(true));
  const different = found.filter(row => !hasAlready(row, data, model)).map(row => row[idName]);
  const same = plan.single ? 0 : found.length - different.length;
  if (different.length === 0) return {count: same, rows: []};
  const {count} = await model.updateAll(only(where, idName, different, same), values, options);
  if (plan.single && count === 0) await assertGone(model, plan.where, options);
  return {count: count + same, rows: []};
}

/** A row that a write does not meet, but a read of the same transaction does, is out of reach. */
async function assertGone(
  model: JugglerModelClass,
  where: Condition,
  options: Options,
): Promise<void> {
  const [row] = await model.find({where: structuredWhere(where), limit: 1}, options);
  if (row) throw outOfReach(model, row.toObject(true));
}

function outOfReach(model: JugglerModelClass, row: Row): ConcurrentWriteError {
  return new ConcurrentWriteError(model.modelName, row[model.definition.idName()]);
}

/** The where again when all rows that it met are meant; it may be shorter than their ids. */
function only(where: Condition, idName: string, ids: unknown[], others: number): Condition {
  const again = structuredWhere(where);
  return others === 0 ? again : {and: [again, {[idName]: {inq: ids}}]};
}

async function writeRows(
  plan: ChangePlan | RemovePlan,
  target: PlanTarget,
  options: Options,
): Promise<WriteResult> {
  const {model} = target;
  const found = (await model.find({where: whereOf(plan, model)}, options)).map(instance =>
    instance.toObject(true),
  );
  await assertAllThere(plan, model, found, options);
  const compares = plan.kind === 'change' && plan.unlessSame;
  const data = compares ? await newValues(plan, model, options) : undefined;
  const rows: WrittenRow[] = [];
  let same = 0;
  for (const row of found) {
    if (data && hasAlready(row, {...emptied(plan, row, model), ...data}, model)) {
      same++;
      continue;
    }
    const written = await writeRow(plan, target, row, options);
    if (written) rows.push(written);
    else if (plan.checked) throw new NotAllThere(found.length - 1);
  }
  if (plan.checked) return {count: plan.checked.length, rows};
  return {count: rows.length + (plan.single ? 0 : same), rows};
}

function whereOf({where, checked}: ChangePlan | RemovePlan, model: JugglerModelClass): Condition {
  const structured = structuredWhere(where);
  if (!checked) return structured;
  return {and: [structured, {[model.definition.idName()]: {inq: checked.map(row => row.id)}}]};
}

/** Of checked rows, all must be as they were named before the first is written. */
async function assertAllThere(
  {checked, where}: ChangePlan | RemovePlan,
  model: JugglerModelClass,
  found: readonly Row[],
  options: Options,
): Promise<void> {
  if (!checked) return;
  const idName = model.definition.idName();
  const find = async (id: unknown) => {
    const byId = {and: [structuredWhere(where), {[idName]: id}]};
    return (await model.find({where: byId, limit: 1}, options))[0]?.toObject(true);
  };
  const rows = await rowsByIds(model, checked.map(row => row.id), found, find);
  const asNamed = checked.filter(({version}, i) => {
    const row = rows[i];
    return row && (row._version ?? null) === version;
  });
  if (asNamed.length < checked.length) throw new NotAllThere(asNamed.length);
}

/** What the data makes of the properties, typed as the rows are. */
async function newValues(
  plan: ChangePlan,
  model: JugglerModelClass,
  options: Options,
): Promise<Row> {
  const unassigned = {...plan, assign: {}};
  const values = await changedValues(unassigned, model, {}, options);
  return Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => !(name in plan.assign))
      .filter(([name]) => name in model.definition.properties || isOpen(model))
      .map(([name, value]) => [name, coercedValue(model, name, value)]),
  );
}

async function writeRow(
  plan: ChangePlan | RemovePlan,
  target: PlanTarget,
  first: Row,
  options: Options,
): Promise<WrittenRow | undefined> {
  const {model} = target;
  const idName = model.definition.idName();
  const byId = {[idName]: first[idName]};
  let before = first;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (plan.kind === 'change' && (await isUsed(plan, target, before, options))) return undefined;
    const asRead = {and: [byId, unchangedSince(before, model)]};
    const values = plan.kind === 'change' ? await changedValues(plan, model, before, options) : {};
    const {count} =
      plan.kind === 'change'
        ? await model.updateAll(asRead, {...values}, options)
        : await model.deleteAll(asRead, options);
    if (count > 0) {
      await keepState(plan.revision, target, before, values, options);
      return plan.kind === 'change' ? {before, after: {...before, ...values}} : {before};
    }
    if (plan.checked) return undefined;
    const again = {where: {and: [byId, structuredWhere(plan.where)]}, limit: 1};
    const [now] = await model.find(again, options);
    if (!now) return undefined;
    const row = now.toObject(true);
    if (isDeepStrictEqual(unchangedSince(row, model), unchangedSince(before, model))) break;
    before = row;
  }
  throw outOfReach(model, before);
}

/** Whether a kept state of the row has the version that the caller has named for it. */
async function isUsed(
  {unused}: ChangePlan,
  {history, model}: PlanTarget,
  row: Row,
  options: Options,
): Promise<boolean> {
  if (unused === undefined || !history) return false;
  const where = {and: [{_modelId: row[model.definition.idName()]}, {_version: unused}]};
  return (await history.count(where, options)) > 0;
}

/** Holds as long as nobody has written the row since it was read. */
function unchangedSince(row: Row, model: JugglerModelClass): Condition {
  const {properties} = model.definition;
  const token = ['_revision', '_version'].find(name => name in properties);
  return token ? {[token]: row[token] ?? null} : {};
}

async function keepState(
  note: RevisionNote | undefined,
  {history, model}: PlanTarget,
  before: Row,
  values: Row,
  options: Options,
): Promise<void> {
  if (!note || !history) return;
  const copied = Object.keys(before).filter(name => !(name in HISTORY_PROPERTIES));
  const state: Row = {
    ...Object.fromEntries(copied.map(name => [name, storable(model, name, before[name])])),
    _modelId: before[model.definition.idName()],
    _revision: before._revision ?? 1,
    _validFrom: before._validFrom ?? new Date(0),
    _validTo: values._validFrom ?? momentAfter(before._validFrom),
    _operation: note.operation,
    _by: note.by,
    _onBehalfOf: note.onBehalfOf,
    _reason: note.reason,
    _requestId: note.requestId,
  };
  await history.create(state, options);
}

async function changedValues(
  plan: ChangePlan,
  model: JugglerModelClass,
  before: Row,
  options: Options,
): Promise<Row> {
  const assigned = resolved(plan.assign, before);
  if (!plan.replace) return {...plan.data, ...assigned};
  const values: Row = await valuesForReplace(model, plan.data, options);
  const kept = new Set([...plan.keep, '_revision', '_validFrom', model.definition.idName()]);
  const replaced = emptied(plan, before, model);
  const open = isOpen(model) ? Object.keys(values) : [];
  for (const name of new Set([...Object.keys(model.definition.properties), ...open])) {
    if (!kept.has(name)) replaced[name] = values[name] ?? null;
  }
  return {...replaced, ...assigned};
}

function resolved(assign: Assignments, before: Row, revision = 1): Row {
  return Object.fromEntries(
    Object.entries(assign).map(([name, a]) => [name, resolve(a, name, before, revision)]),
  );
}

function resolve(assigned: Assigned, name: string, before: Row, revision: number): unknown {
  switch (assigned.kind) {
    case 'value':
      return assigned.value;
    case 'previous':
      return before[assigned.property] ?? null;
    case 'uuid':
      return randomUUID();
    case 'firstRevision':
      return revision;
    case 'nextRevision':
      return Number(before[name] ?? 1) + 1;
    case 'stateBegins':
      return momentAfter(before[name]);
  }
}

function needsRows(
  plan: ChangePlan | RemovePlan,
  model: JugglerModelClass,
  wanted: 'count' | 'rows',
): boolean {
  if (wanted === 'rows' || plan.revision || plan.checked) return true;
  if (plan.kind === 'remove') return false;
  if (plan.replace && isOpen(model)) return true;
  return Object.values(plan.assign).some(a => knownValue(a) === undefined && a.kind !== 'value');
}

/** A copy: juggler coerces a where in place. */
function structuredWhere(where: Condition): Condition {
  return Object.fromEntries(
    Object.entries(where).map(([key, v]) => [
      key,
      Array.isArray(v) && (key === 'and' || key === 'or') ? v.map(structuredWhere) : v,
    ]),
  );
}
