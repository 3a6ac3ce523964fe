/** Memory of the server for a subscriber of a view, and for a view. */
import {OURS, RAW, startLive} from '../harness/live.mjs';
import {alternate, compare} from '../harness/rounds.mjs';
import {median} from '../harness/stats.mjs';

const CATEGORY = 'chairs';
const FEATHERS = 'Feathers 5, a channel for each category';
const PARSE = 'Parse Server 9';

export const memory = {
  title: 'Memory of the server',
  needsPeers: true,

  async run({postgres, quick, progress}) {
    const subscribers = quick ? 500 : 2_000;
    const names = [RAW, OURS, FEATHERS, PARSE];
    const measures = await alternate(names, {
      rounds: quick ? 1 : 3,
      warmUp: 0,
      async run(name, round) {
        progress(`round ${round + 1}: ${subscribers.toLocaleString('en')} subscribers of ${name}`);
        const {kept, rss} = await growth(postgres, name, Array(subscribers).fill([CATEGORY]));
        return {value: rss, kept, correct: true};
      },
    });
    const views = quick ? 500 : 5_000;
    progress(`${views.toLocaleString('en')} views`);
    const plan = Array.from({length: views / 100}, (_, i) =>
      Array.from({length: 100}, (_, j) => `category-${i}-${j}`));
    const {kept: view} = await growth(postgres, OURS, plan);
    const heap = Object.fromEntries(names.map(name =>
      [name, measures[name].map(each => ({...each, value: each.kept}))]));
    const others = names.filter(name => name !== RAW);
    const unit = 'kB a subscriber';
    return {
      results: [
        ...others.map(name =>
          compare(measures, name, RAW, {question: 'memory-per-subscriber', unit})),
        ...others.map(name => compare(heap, name, RAW, {question: 'heap-per-subscriber', unit})),
      ],
      facts: [
        {
          text: 'Resident memory for a subscriber, raw Socket.IO',
          value: median(measures[RAW].map(each => each.value)),
          unit: 'kB',
        },
        {
          text: 'Of it objects and buffers that are left after collecting, raw Socket.IO',
          value: median(heap[RAW].map(each => each.value)),
          unit: 'kB',
        },
        {text: 'A view of its own, empty', value: view, unit: 'kB'},
      ],
    };
  },
};

/**
 * What each category of the plan costs the server, in kB: what its resident memory grows by, which
 * is what a machine has to have, garbage and gaps included; and the objects and buffers of it that
 * are left after collecting. The
 * first connections are not counted: they make what is made once, and use up what lies ready.
 */
async function growth(postgres, name, plan) {
  const live = await startLive(postgres, name);
  await live.clients.call('join', Array(500).fill([CATEGORY]));
  const before = await live.server.call('memory');
  await live.clients.call('join', plan);
  const after = await live.server.call('memory');
  await live.end();
  const per = bytes => bytes / plan.flat().length / 1000;
  const kept = memory => memory.heapUsed + memory.external;
  return {kept: per(kept(after) - kept(before)), rss: per(after.rss - before.rss)};
}
