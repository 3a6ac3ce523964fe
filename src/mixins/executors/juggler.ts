import {randomUUID} from 'node:crypto';
import type {Options} from '@loopback/repository';
import {assertOwnTransaction, valuesForReplace, type JugglerModelClass} from '../juggler';
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
import {HISTORY_PROPERTIES} from '../model-definition';
import type {Executor, PlanTarget} from './executor';
import {inTransaction} from './in-transaction';

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
    if (!needsRows(plan, wanted)) return writeBlindly(plan, target.model, options);
    return inTransaction(target.model, options, o => writeRows(plan, target, o));
  }
}

async function insert(
  plan: InsertPlan,
  target: PlanTarget,
  options: Options,
): Promise<WriteResult> {
  const {model} = target;
  const data: Row[] = [];
  for (const row of plan.rows) {
    const revision = await firstRevision(row.data, target, options);
    data.push({...row.data, ...resolved(row.assign, {}, revision)});
  }
  const created =
    data.length === 1
      ? [await model.create(data[0], options)]
      : await model.createAll(data, options);
  const rows = created.map(instance => ({after: instance.toObject(true)}));
  return {count: rows.length, rows, created};
}

/** One call, when nothing of the rows has to be known before. */
async function writeBlindly(
  plan: ChangePlan | RemovePlan,
  model: JugglerModelClass,
  options: Options,
): Promise<WriteResult> {
  const where = structuredWhere(plan.where);
  const {count} =
    plan.kind === 'remove'
      ? await model.deleteAll(where, options)
      : await model.updateAll(where, await changedValues(plan, model, {}, options), options);
  return {count, rows: []};
}

async function writeRows(
  plan: ChangePlan | RemovePlan,
  target: PlanTarget,
  options: Options,
): Promise<WriteResult> {
  const found = await target.model.find({where: structuredWhere(plan.where)}, options);
  const rows: WrittenRow[] = [];
  for (const instance of found) {
    const written = await writeRow(plan, target, instance.toObject(true), options);
    if (written) rows.push(written);
  }
  return {count: rows.length, rows};
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
  let before: Row | undefined = first;
  for (let attempt = 0; before && attempt < ATTEMPTS; attempt++) {
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
    const again = {where: {and: [byId, structuredWhere(plan.where)]}, limit: 1};
    before = (await model.find(again, options))[0]?.toObject(true);
  }
  return undefined;
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
  const copied = Object.entries(before).filter(([name]) => !(name in HISTORY_PROPERTIES));
  const state: Row = {
    ...Object.fromEntries(copied),
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
  const replaced: Row = {};
  for (const name of Object.keys(model.definition.properties)) {
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

function momentAfter(since: unknown): Date {
  const earliest = since instanceof Date ? since.getTime() : 0;
  return new Date(Math.max(Date.now(), earliest));
}

async function firstRevision(data: Row, {history, model}: PlanTarget, options: Options) {
  const id = data[model.definition.idName()];
  if (!history || id === undefined || id === null) return 1;
  const last = {where: {_modelId: id}, order: ['_revision DESC'], limit: 1};
  const [state] = await history.find(last, options);
  return state ? Number(state.toObject(true)._revision) + 1 : 1;
}

function needsRows(plan: ChangePlan | RemovePlan, wanted: 'count' | 'rows'): boolean {
  if (wanted === 'rows' || plan.revision) return true;
  if (plan.kind === 'remove') return false;
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
