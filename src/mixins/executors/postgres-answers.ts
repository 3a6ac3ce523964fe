import {plainValue, type JugglerInstance} from '../juggler';
import type {ChangePlan, RemovePlan, Row} from '../plan';
import type {TableShape} from './postgres-context';
import type {NewRow} from './postgres-statements';

/** Whether the number of rows that the statement writes is all that there is to answer. */
export function answersByCount(plan: ChangePlan | RemovePlan, wanted: 'count' | 'rows'): boolean {
  return wanted === 'count' && !leavesRowsAlone(plan);
}

/** Whether the statement also counts rows that it meets and does not write. */
export function leavesRowsAlone(plan: ChangePlan | RemovePlan): boolean {
  return !!plan.checked || (plan.kind === 'change' && plan.unlessSame && !plan.single);
}

/** What a write of many answers as its count; `others` are the rows that it counted itself. */
export function countOf(plan: ChangePlan | RemovePlan, written: number, others: unknown): number {
  if (!leavesRowsAlone(plan)) return written;
  return plan.checked ? Number(others) : written + Number(others);
}

/** A new row and what its caller is answered. */
export interface InsertedRow extends NewRow {
  readonly instance: JugglerInstance;
}

/**
 * Gives a new row what the database has made of it: its id, and what was left open. What the caller
 * has given stays as given, where other rows of the statement have left it open.
 */
export function fill(row: InsertedRow, made: Row, {idName, model}: TableShape): void {
  const {instance, values, assign} = row;
  for (const name of Object.keys(made)) {
    const isKnown = values[name] !== undefined || assign[name]?.kind === 'value';
    if (isKnown && name !== idName) continue;
    instance.__data[name] = plainValue(model, name, made[name]);
  }
}
