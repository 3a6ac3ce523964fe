import {spread, median} from './stats.mjs';

/** As few as that and a spread says little. */
const FEWEST = 5;

/**
 * Runs every subject once a round, in turns: noise and drift of the machine meet all alike, and
 * the ratios of one round compare what ran side by side. Every second round goes backwards, so
 * that nobody is always first.
 *
 * @param subjects names, in the order of the first round
 * @param rounds how many, where the machine is fast enough
 * @param seconds after which no other round begins, once there are five: on a slow machine the
 * whole bench is to end in its time, too
 * @param run `(name, round)` answers the round's measures: `{value, cpu?, correct}`
 * @returns for each name its measures, round by round, without the warm-up
 */
export async function alternate(subjects, {rounds, seconds = Infinity, warmUp = 1, run}) {
  const end = performance.now() + seconds * 1000;
  const measures = Object.fromEntries(subjects.map(name => [name, []]));
  for (let round = -warmUp; round < rounds; round++) {
    if (round >= FEWEST && performance.now() >= end) break;
    const order = round % 2 === 0 ? subjects : [...subjects].reverse();
    for (const name of order) {
      measures[name].push(await run(name, round));
    }
  }
  return Object.fromEntries(subjects.map(name => [name, withoutWarmUp(measures[name], warmUp)]));
}

/**
 * The measures of the rounds that count. An answer that was wrong while warming up makes them
 * wrong as well: it is no less wrong for having come early.
 */
export function withoutWarmUp(measures, warmUp) {
  const wasWrong = measures.slice(0, warmUp).some(({correct}) => !correct);
  const counted = measures.slice(warmUp);
  return wasWrong ? counted.map(each => ({...each, correct: false})) : counted;
}

/**
 * One line of the result: a subject against a reference, by the ratios of their rounds.
 *
 * @param of what to do with each measure; `value` unless said otherwise
 */
export function compare(measures, subject, against, {question, unit, cpuUnit}) {
  const mine = measures[subject];
  const theirs = measures[against];
  const result = {
    question,
    subject,
    against,
    unit,
    value: median(mine.map(({value}) => value)),
    ratio: spread(mine.map(({value}, round) => value / theirs[round].value)),
    rounds: mine.length,
    correct: mine.every(({correct}) => correct) && theirs.every(({correct}) => correct),
  };
  if (!cpuUnit) return result;
  const cpu = {
    unit: cpuUnit,
    value: median(mine.map(each => each.cpu)),
    ratio: spread(mine.map(each => each.cpu).map((cpu, round) => cpu / theirs[round].cpu)),
  };
  return {...result, cpu};
}
