const OURS = /^loopback4-live-entities/;

/**
 * What the project has promised itself. A budget speaks of the ratio's median, `atLeast` where more
 * is better; `value` of the figure itself.
 */
export const BUDGETS = [
  {question: 'fanout', subject: OURS, atLeast: 0.95},
  {question: 'latency-p50', subject: OURS, atMost: 1.3},
  {question: 'latency-p99', subject: OURS, atMost: 1.5},
  {question: 'cpu-per-write-10k-views', subject: OURS, atMost: 1.2},
  {question: 'memory-per-subscriber', subject: OURS, atMost: 1.3},
  {question: 'create-all-five', subject: /^all five/, atMost: 1},
  {question: 'update-all-five', subject: /^all five/, atMost: 1},
  {question: 'delete-all-five', subject: /^all five/, atMost: 1},
  {question: 'find-behaviours', subject: /^version, audit/, atMost: 1.05},
  {question: 'find-crypto', subject: /^encrypted column/, atMost: 1.2},
  {question: 'bulk-history', subject: /^all five/, atMost: 2.5},
  {question: 'reconnect-block-ms', subject: OURS, value: 100},
];

/** The budget of a result, or undefined when it has none. */
export function budgetOf({question, subject}) {
  return BUDGETS.find(each => each.question === question && each.subject.test(subject));
}

export function isMet(result, {atLeast, atMost, value}) {
  if (value !== undefined) return result.value <= value;
  return atLeast !== undefined ? result.ratio.median >= atLeast : result.ratio.median <= atMost;
}

/** `at most 1.3 ×`. */
export function wordsOf({atLeast, atMost, value}, {unit, against}) {
  if (value !== undefined) return `at most ${value} ${unit}`;
  return atLeast !== undefined ? `at least ${atLeast} × ${against}` : `at most ${atMost} × ${against}`;
}
