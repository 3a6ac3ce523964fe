/** Rows a second that reach the subscribers of one room, writing them included. */
import {idsOf} from '../harness/ids.mjs';
import {burst, leftOutOf, namesOf, OURS, RAW, SERVERS, startLive, watch} from '../harness/live.mjs';
import {alternate, compare} from '../harness/rounds.mjs';
import {endEach, startEach} from '../harness/starting.mjs';
import {mean, median} from '../harness/stats.mjs';

const SUBSCRIBERS = 100;
const CATEGORY = 'chairs';
/**
 * As much as a burst brings: on a busy machine the log may bring much of it in one piece, and a row
 * that is past the end of a smaller page by then would rightly not be shown.
 */
const PAGE = 200;

export const fanout = {
  title: `Fan-out to ${SUBSCRIBERS} subscribers of one room`,
  needsPeers: true,

  async run({postgres, quick, progress}) {
    const names = namesOf(quick);
    const running = await startEach(names, quick, async name => {
      progress(`starting ${name}`);
      const live = await startLive(postgres, name, {clientOptions: {pageSize: PAGE}});
      await live.clients.call('join', Array(SUBSCRIBERS).fill([CATEGORY]));
      return live;
    });
    await watch(running[OURS], CATEGORY);
    const rounds = quick ? 3 : 10;
    const writes = quick ? 50 : PAGE;
    const measures = await alternate(names, {
      rounds,
      seconds: 75,
      warmUp: quick ? 1 : 2,
      async run(name, round) {
        progress(`round ${round + 1} of ${rounds}: ${name}`);
        const ids = idsOf(round, writes * (SERVERS[name].share ?? 1));
        const deliveries = ids.length * SUBSCRIBERS;
        const {wallMs, cpuMs, databaseCpuMs, messages, correct} =
          await burst(running[name], ids, CATEGORY);
        return {
          messages: messages / deliveries,
          databaseCpu: databaseCpuMs / ids.length,
          value: (deliveries / wallMs) * 1000,
          cpu: (cpuMs / deliveries) * 1000,
          correct,
        };
      },
    });
    await endEach(running, quick, live => live.end());
    const units = {question: 'fanout', unit: 'deliveries/s', cpuUnit: 'server CPU µs a delivery'};
    return {
      results: names.filter(name => name !== RAW).map(name => compare(measures, name, RAW, units)),
      facts: names.flatMap(name => factsOf(name, measures[name])),
      leftOut: leftOutOf(quick),
    };
  },
};

/** What the ratio does not say: how many messages the rows came in, and what PostgreSQL took. */
function factsOf(name, measures) {
  return [
    {
      text: `Messages for a row and subscriber, ${name}`,
      value: median(measures.map(({messages}) => messages)),
      unit: '',
    },
    // Of all rounds together: the system counts a process's time in pieces of 10 ms.
    {
      text: `PostgreSQL's CPU for a write, ${name}`,
      value: mean(measures.map(({databaseCpu}) => databaseCpu)),
      unit: 'ms',
    },
  ];
}
