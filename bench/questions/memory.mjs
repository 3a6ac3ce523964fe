/** Memory of the server for a subscriber of a view, and for a view. */
import {idsOf} from '../harness/ids.mjs';
import {burst, FEATHERS, OURS, PARSE, RAW, startLive} from '../harness/live.mjs';
import {alternate, compare} from '../harness/rounds.mjs';
import {startEach} from '../harness/starting.mjs';
import {median, spread} from '../harness/stats.mjs';
import {formatSpread} from '../report/format.mjs';

const CATEGORY = 'chairs';
const PAGE = 20;
const VIEWS_OF_A_SOCKET = 100;
/** Connections that are there before windows are measured. */
const firstOf = quick => (quick ? 100 : 500);

export const memory = {
  title: 'Memory of the server',
  needsPeers: true,

  async run({postgres, quick, progress}) {
    // A resident set grows by leaps, and a server's first ones are the longest: with 1,000 there
    // before, each of 2,000 more of raw Socket.IO takes 20 kB; with 1,500, each of 3,000 more 11.
    const first = quick ? 100 : 1_500;
    const subscribers = quick ? 400 : 3_000;
    const names = [RAW, OURS, FEATHERS, PARSE];
    const measures = await alternate(names, {
      rounds: quick ? 1 : 7,
      seconds: 130,
      warmUp: 0,
      async run(name, round) {
        progress(`round ${round + 1}: ${subscribers.toLocaleString('en')} subscribers of ${name}`);
        const plan = Array(subscribers).fill([CATEGORY]);
        const {rss, kept, correct} =
          await growth(postgres, name, plan, {first, listeners: first + subscribers});
        return {value: rss, kept, correct};
      },
    });
    const question = 'memory-per-subscriber';
    const unit = 'kB of resident memory a subscriber';
    return {
      results: names.filter(name => name !== RAW)
        .map(name => compare(measures, name, RAW, {question, unit})),
      notes: [keptBeside(measures)],
      facts: [
        ...names.flatMap(name => factsOf(name, measures[name])),
        ...(await perView({postgres, quick, progress})),
      ],
    };
  },
};

/** The resident set has slack in it that a server has had before; what is kept has not. */
function keptBeside(measures) {
  const ratios = measures[OURS].map(({kept}, round) => kept / measures[RAW][round].kept);
  return `Of objects and buffers alone, a subscriber of ${OURS} takes ` +
    `${formatSpread(spread(ratios))} × what one of ${RAW} takes: it has a session, a rate limit ` +
    'and its subscriptions. The budget is of the resident set';
}

function factsOf(name, measures) {
  const fact = (text, of) => ({text: `${text}, ${name}`, value: median(measures.map(of)), unit: 'kB'});
  return [
    fact('Resident memory for a subscriber', ({value}) => value),
    fact('Of it objects and buffers that are left after collecting', ({kept}) => kept),
  ];
}

/** What a view's window takes, with nothing in it and with a page of rows. */
async function perView({postgres, quick, progress}) {
  const sizes = new Map([[0, quick ? 200 : 4_000], [PAGE, quick ? 200 : 1_000]]);
  const first = firstOf(quick);
  const facts = await startEach([...sizes.keys()], quick, async rows => {
    const views = sizes.get(rows);
    progress(`${views.toLocaleString('en')} views of ${rows} rows`);
    const plan = Array.from({length: views / VIEWS_OF_A_SOCKET}, (_, i) =>
      Array.from({length: VIEWS_OF_A_SOCKET}, (_, j) => `category-${i}-${j}`));
    const {rss, kept, correct} =
      await growth(postgres, OURS, plan, {first, listeners: first, rows});
    if (!correct) throw new Error('a view has missed a write while memory was measured');
    const what = `A view of its own, ${rows ? `with a page of ${rows} rows` : 'empty'}`;
    return [
      {text: `${what}: objects and buffers after collecting`, value: kept, unit: 'kB'},
      {text: `${what}: resident memory`, value: rss, unit: 'kB'},
    ];
  });
  return Object.values(facts).flat();
}

/**
 * What each category of the plan costs the server, in kB: what its resident memory grows by, which
 * is what a machine has to have, garbage and gaps included; and the objects and buffers of it that
 * are left after collecting. The first connections are not counted: they make what is made once,
 * and use up what lies ready. Right when a write afterwards reaches those who are to hear of it.
 *
 * @param first how many connections are there before
 * @param listeners how many connections, from the first, are in the category that is written to
 * @param rows how many each category has before
 */
async function growth(postgres, name, plan, {first, listeners, rows = 0}) {
  const live = await startLive(postgres, name);
  if (rows) await fill(live.database, plan.flat(), rows);
  await live.clients.call('join', Array(first).fill([CATEGORY]));
  const before = await live.server.call('memory');
  await live.clients.call('join', plan);
  const after = await live.server.call('memory');
  const {correct} = await burst(live, idsOf(0, 1), CATEGORY, listeners);
  await live.end();
  const per = bytes => bytes / plan.flat().length / 1000;
  const kept = memory => memory.heapUsed + memory.external;
  return {kept: per(kept(after) - kept(before)), rss: per(after.rss - before.rss), correct};
}

function fill(database, categories, rows) {
  return database.query(
    `INSERT INTO product (id, name, category, qty, price)
     SELECT category || '-' || n, 'Oak chair', category, 4, 129.5
     FROM unnest($1::text[]) category, generate_series(1, $2) n`,
    [categories, rows],
  );
}
