/** Rows a second that reach the subscribers of one room, writing them included. */
import {idsOf} from '../harness/ids.mjs';
import {burst, OURS, RAW, SERVERS, startLive, watch} from '../harness/live.mjs';
import {alternate, compare} from '../harness/rounds.mjs';

const SUBSCRIBERS = 100;
const CATEGORY = 'chairs';

const LEFT_OUT = [
  'Directus 12.4.1: it needs Node.js 22, and npm finds no @directus/app 18.0.1, which it asks for',
  'Zero 1.9: it needs Node.js 22; nobody has written a server of it for this bench',
];

export const fanout = {
  title: `Fan-out to ${SUBSCRIBERS} subscribers of one room`,
  needsPeers: true,

  async run({postgres, quick, progress}) {
    const names = Object.keys(SERVERS);
    const running = {};
    for (const name of names) {
      progress(`starting ${name}`);
      running[name] = await startLive(postgres, name);
      await running[name].clients.call('join', Array(SUBSCRIBERS).fill([CATEGORY]));
    }
    await watch(running[OURS], CATEGORY);
    const rounds = quick ? 5 : 15;
    const writes = quick ? 50 : 200;
    const deliveries = writes * SUBSCRIBERS;
    const measures = await alternate(names, {
      rounds,
      warmUp: quick ? 2 : 4,
      async run(name, round) {
        progress(`round ${round + 1} of ${rounds}: ${name}`);
        const ids = idsOf(round, writes);
        const {wallMs, cpuMs, correct} = await burst(running[name], ids, CATEGORY);
        return {
          value: (deliveries / wallMs) * 1000,
          cpu: (cpuMs / deliveries) * 1000,
          correct,
        };
      },
    });
    for (const name of names) await running[name].end();
    const units = {question: 'fanout', unit: 'deliveries/s', cpuUnit: 'server CPU µs a delivery'};
    return {
      results: names.filter(name => name !== RAW).map(name => compare(measures, name, RAW, units)),
      leftOut: LEFT_OUT,
    };
  },
};
