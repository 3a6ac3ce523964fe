import type {ChangePlan, RemovePlan} from '../plan';

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
