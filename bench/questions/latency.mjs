/**
 * How long a row takes from the moment that its write is due to each subscriber, at a fixed rate.
 * Writes are due by the clock: when the server is late with one, those after it count their wait.
 */
import {idsOf} from '../harness/ids.mjs';
import {areStored, leftOutOf, namesOf, RAW, startLive, ZERO} from '../harness/live.mjs';
import {alternate, compare} from '../harness/rounds.mjs';
import {endEach, startEach} from '../harness/starting.mjs';
import {median, quantile} from '../harness/stats.mjs';
import {limitOf} from '../report/limits.mjs';

const SUBSCRIBERS = 100;
const PER_SECOND = 25;
const CATEGORY = 'chairs';

export const latency = {
  title: `Latency to ${SUBSCRIBERS} subscribers at ${PER_SECOND} writes a second`,
  needsPeers: true,

  async run({postgres, quick, progress}) {
    const names = namesOf(quick);
    // At its limit, Zero is busy beyond its own rounds: it must not be so in those of others.
    const groups = [names.filter(name => name !== ZERO)];
    if (names.includes(ZERO)) groups.push([RAW, ZERO]);
    const answers = [];
    for (const group of groups) answers.push(await latencyOf(group, {postgres, quick, progress}));
    return {
      results: ['p50', 'p99'].flatMap(which =>
        answers.flatMap(({results}) => results.filter(({question}) => question.endsWith(which)))),
      notes: answers.flatMap(({notes}) => notes),
      leftOut: leftOutOf(quick),
    };
  },
};

/** Of servers that are up at the same time, and take turns. */
async function latencyOf(names, {postgres, quick, progress}) {
  const rounds = quick ? 2 : 12;
  // A page of them all: when the machine is busy elsewhere, no row may lie past its end.
  const writes = quick ? 15 : 20;
  const running = await startEach(names, quick, async name => {
    progress(`starting ${name}`);
    const live = await startLive(postgres, name, {clientOptions: {pageSize: writes}});
    await live.clients.call('join', Array(SUBSCRIBERS).fill([CATEGORY]));
    return live;
  });
  const measures = await alternate(names, {
    rounds,
    seconds: 90,
    warmUp: 1,
    async run(name, round) {
      progress(`round ${round + 1} of ${rounds}: ${name}`);
      return measure(running[name], idsOf(round, writes));
    },
  });
  await endEach(running, quick, live => live.end());
  const others = names.filter(name => name !== RAW);
  return {
    results: ['p50', 'p99'].flatMap(which => {
      const these = Object.fromEntries(names.map(name =>
        [name, measures[name].map(each => ({...each, value: each[which]}))]));
      const units = {question: `latency-${which}`, unit: 'ms', cpuUnit: 'server CPU ms a write'};
      return others.map(name => compare(these, name, RAW, units));
    }),
    notes: others.flatMap(name => limitOf({
      name,
      perSecond: PER_SECOND,
      waitMs: median(measures[name].map(({p50}) => p50)),
      cpuMs: median(measures[name].map(({cpu}) => cpu)),
    }) ?? []),
  };
}

async function measure({server, clients, database}, ids) {
  await clients.call('expect', ids, CATEGORY);
  await server.call('cpuMs');
  const due = await server.call('schedule', ids, PER_SECOND, CATEGORY);
  const {times, correct} = await clients.call('arrived', {times: true});
  const cpuMs = await server.call('cpuMs');
  const waits = Array.from(times, (time, i) => time - due[i % ids.length]);
  return {
    p50: quantile(waits, 0.5),
    p99: quantile(waits, 0.99),
    cpu: cpuMs / ids.length,
    correct: correct && (await areStored(database, ids, CATEGORY)),
  };
}
