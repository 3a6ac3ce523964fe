/** Everybody loses the connection and comes back at once: how long does the server stand still? */
import {idsOf} from '../harness/ids.mjs';
import {burst, FEATHERS, OURS, RAW, startLive} from '../harness/live.mjs';
import {alternate, compare} from '../harness/rounds.mjs';
import {endEach, startEach} from '../harness/starting.mjs';
import {median, spread} from '../harness/stats.mjs';
import {formatRange} from '../report/format.mjs';

const CATEGORIES = 50;

export const reconnect = {
  title: 'Reconnect storm',
  needsPeers: true,

  async run({postgres, quick, progress}) {
    const clients = quick ? 200 : 5_000;
    const names = [RAW, OURS, FEATHERS];
    const running = await startEach(names, quick, async name => {
      progress(`connecting ${clients.toLocaleString('en')} clients to ${name}`);
      const live = await startLive(postgres, name);
      const plan = Array.from({length: clients}, (_, i) => [`category-${i % CATEGORIES}`]);
      await live.clients.call('join', plan, 50);
      return live;
    });
    const measures = await alternate(names, {
      rounds: quick ? 2 : 7,
      seconds: 105,
      warmUp: 1,
      async run(name, round) {
        progress(`round ${round + 1}: ${clients.toLocaleString('en')} clients of ${name}`);
        return storm(running[name], round, clients, name);
      },
    });
    await endEach(running, quick, live => live.end());
    const units = {question: 'reconnect-block-ms', unit: 'ms', cpuUnit: 'server CPU ms in all'};
    const statements = measures[OURS].map(each => each.statements);
    const blocks = name => formatRange(spread(measures[name].map(({value}) => value)));
    return {
      results: names.filter(name => name !== RAW).map(name => compare(measures, name, RAW, units)),
      notes: names.map(name => `The longest block of each round, ${name}: ${blocks(name)} ms`),
      facts: [
        {
          text: `Statements on the table in a storm of ${clients.toLocaleString('en')} clients`,
          value: Math.max(...statements),
          unit: '',
        },
        {
          text: `Until the last of ${clients.toLocaleString('en')} clients was back (raw: ` +
            `${Math.round(median(measures[RAW].map(each => each.wallMs)))} ms)`,
          value: median(measures[OURS].map(each => each.wallMs)),
          unit: 'ms',
        },
      ],
    };
  },
};

/** Right when everybody is back where they were, without a statement, and hears the next write. */
async function storm(live, round, clients, name) {
  const {server, clients: audience} = live;
  await server.call('cpuMs');
  await server.call('watch');
  const {wallMs, resumed} = await audience.call('reconnect');
  const seen = await server.call('seen');
  // The feed looks after its publication now and then, whoever is connected.
  const statements = seen.statements.filter(text => /\bproduct\b/i.test(text)).length;
  const cpu = await server.call('cpuMs');
  const after = await heardAfterwards(live, round);
  const ours = name !== OURS || (resumed === clients && statements === 0);
  return {value: seen.blockMs, cpu, wallMs, statements, correct: after && ours};
}

async function heardAfterwards(live, round) {
  // The first listener is in the first category.
  return (await burst(live, idsOf(round, 5), 'category-0', 1)).correct;
}
