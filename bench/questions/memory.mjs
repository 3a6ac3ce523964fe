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
        return {value: kept, rss, correct: true};
      },
    });
    const views = quick ? 500 : 5_000;
    progress(`${views.toLocaleString('en')} views`);
    const plan = Array.from({length: views / 100}, (_, i) =>
      Array.from({length: 100}, (_, j) => `category-${i}-${j}`));
    const {kept: view} = await growth(postgres, OURS, plan);
    const units = {question: 'memory-per-subscriber', unit: 'kB a subscriber'};
    const rss = names.map(name => ({
      text: `Growth of resident memory for a subscriber, ${name}`,
      value: median(measures[name].map(each => each.rss)),
      unit: 'kB',
    }));
    return {
      results: names.filter(name => name !== RAW).map(name => compare(measures, name, RAW, units)),
      facts: [...rss, {text: 'A view of its own, empty', value: view, unit: 'kB'}],
    };
  },
};

/**
 * What the server keeps for each category of the plan, in kB: objects and buffers that are left
 * after collecting; and what its resident memory grows by, which garbage and gaps are part of. The
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
