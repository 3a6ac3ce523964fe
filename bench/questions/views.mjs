/**
 * What a write costs the server when many views are alive and one is affected, and how that cost
 * grows with the views, the subscribers of the view, and its page.
 */
import {idsOf} from '../harness/ids.mjs';
import {
  areStored, burst, FEATHERS, OURS, PARSE, RAW, startLive, whyNot, ZERO,
} from '../harness/live.mjs';
import {alternate, compare} from '../harness/rounds.mjs';
import {endEach, startEach} from '../harness/starting.mjs';
import {spread} from '../harness/stats.mjs';

const CATEGORY = 'chairs';
const QUESTION = 'cpu-per-write-10k-views';
const VIEWS_OF_A_SOCKET = 100;
/** Of each view. No more is written before what was has arrived: it could come to lie past it. */
const PAGE = 20;
/** Of a round of a curve. */
const WRITES = 100;

export const views = {
  title: 'Server CPU per write',
  needsPeers: true,

  async run({postgres, quick, progress}) {
    const context = {postgres, quick, progress};
    const many = [{views: quick ? 1_000 : 10_000}];
    const results = [
      ...(await manyAgainstOne(context, OURS, many)),
      ...(await manyAgainstOne(context, RAW, many)),
      ...(await manyAgainstOne(context, FEATHERS, many)),
      ...(await manyAgainstOne(
        context, PARSE, [{views: quick ? 100 : 1_000}], {writes: quick ? 20 : 40},
      )),
    ];
    const leftOut = [quick
      ? '--quick has 1,000 views (Parse 100) in place of 10,000 (Parse 1,000)'
      : `${PARSE} has 1,000 views: 10,000 would take it the whole time of the bench`];
    const without = whyNot(ZERO, quick);
    if (without === undefined) {
      results.push(...(await manyAgainstOne(context, ZERO, OF_ZERO, HOW_OF_ZERO)));
      leftOut.push(`${ZERO} has 1,000 views as the others have them, ${VIEWS_OF_A_SOCKET} a ` +
        'client, and 400 of a client each, which costs it the most: a write goes through every ' +
        'client’s pipelines. Each write waits until the one before has arrived, since it makes ' +
        'one of the writes that come while it is at one');
    } else leftOut.push(`${ZERO}: ${without}`);
    const curves = [
      ...(await byViews(context)),
      await bySubscribers(context),
      await byPage(context),
    ];
    return {results, curves, leftOut};
  },
};

const OF_ZERO = [{views: 1_000}, {views: 400, ofASocket: 1}];
const HOW_OF_ZERO = {rounds: 9, warmUp: 1, writes: 10, atOnce: 1};

/**
 * Servers of one kind, in turns: one with the affected view only, others with many alive.
 *
 * @param cases `{views, ofASocket}` of those with many
 */
async function manyAgainstOne({postgres, quick, progress}, name, cases, how = {}) {
  const {rounds = quick ? 2 : 12, warmUp = quick ? 1 : 2, writes = quick ? 20 : 100, atOnce} = how;
  const all = new Map([{views: 1}, ...cases].map(each => [wordsOf(each), each]));
  const [one, ...many] = all.keys();
  const running = await startEach([one, ...many], quick, async words => {
    progress(`${name}: opening ${words}`);
    const live = await startLive(postgres, name);
    await openViews(live, all.get(words).views, 0, all.get(words).ofASocket);
    return live;
  });
  const measures = await alternate([one, ...many], {
    rounds,
    seconds: 15,
    warmUp,
    run(which, round) {
      progress(`${name}: round ${round + 1}, ${which}`);
      return cpuOfWrites(running[which], idsOf(round, writes), {atOnce});
    },
  });
  await endEach(running, quick, live => live.end());
  return many.map(which => ({
    ...compare(measures, which, one, {question: QUESTION, unit: 'CPU ms a write'}),
    subject: `${name}: ${which}`,
  }));
}

function wordsOf({views, ofASocket}) {
  if (views === 1) return 'one view';
  return `${views.toLocaleString('en')} views${ofASocket === 1 ? ' of a client each' : ''}`;
}

/** The CPU of a write, and writes a second, against the number of views alive. */
async function byViews(context) {
  const {quick} = context;
  const steps = quick ? [1, 100, 1_000] : [1, 100, 1_000, 10_000, 100_000];
  const measured = await inTurns(context, steps, {
    clientOptions: {pageSize: WRITES},
    words: views => `${views.toLocaleString('en')} views`,
    widen: (live, views, open) => openViews(live, views - open, open),
    async run(live) {
      const measure = await cpuOfWrites(live, nextIds(live, quick ? 20 : WRITES));
      const ids = nextIds(live, quick ? 20 : WRITES);
      const {wallMs, correct} = await burst(live, ids, CATEGORY, 1);
      const perSecond = (ids.length / wallMs) * 1000;
      return {...measure, perSecond, correct: measure.correct && correct};
    },
  });
  const label = 'views alive, one affected';
  return [
    curveOf(measured, {
      id: 'cpu-by-views', title: 'Server CPU per write, by views alive', label,
    }),
    curveOf(measured, {
      id: 'writes-by-views', title: 'Writes a second until they have arrived, by views alive',
      label, unit: '1/s', better: 'more', of: ({perSecond}) => perSecond,
    }),
  ];
}

async function bySubscribers(context) {
  const {quick} = context;
  const measured = await inTurns(context, quick ? [1, 10, 100] : [1, 10, 100, 1_000, 3_000], {
    words: subscribers => `${subscribers.toLocaleString('en')} subscribers of a view`,
    widen: ({clients}, subscribers, open) =>
      clients.call('join', Array(subscribers - open).fill([CATEGORY])),
    run(live, listeners) {
      // Many subscribers make a round long enough with fewer writes.
      const writes = quick ? 20 : listeners >= 1_000 ? 40 : WRITES;
      return cpuOfWrites(live, nextIds(live, writes), {listeners});
    },
  });
  return curveOf(measured, {
    id: 'cpu-by-subscribers',
    title: 'Server CPU per write, by subscribers of the view',
    label: 'subscribers of one view',
  });
}

/**
 * Two servers that are widened step by step, and take turns at each step.
 *
 * @param widen opens what a step has more than the one before
 * @param run a round
 * @returns for each server its steps, `{x, measures}`
 */
async function inTurns({postgres, quick, progress}, steps, {clientOptions, words, widen, run}) {
  const names = [OURS, RAW];
  const measured = Object.fromEntries(names.map(name => [name, []]));
  const running = await startEach(names, quick, name =>
    startLive(postgres, name, {clientOptions}));
  for (const [step, x] of steps.entries()) {
    for (const name of names) {
      progress(`${name}: opening ${words(x)}`);
      await widen(running[name], x, steps[step - 1] ?? 0);
    }
    const measures = await alternate(names, {
      ...roundsOfAStep(quick, step),
      run(name, round) {
        progress(`${name}: round ${round + 1}, ${words(x)}`);
        return run(running[name], x);
      },
    });
    for (const name of names) measured[name].push({x, measures: measures[name]});
  }
  await endEach(running, quick, live => live.end());
  return measured;
}

/** Of this project alone: nobody else among the peers has a page. */
async function byPage({postgres, quick, progress}) {
  const measured = [];
  for (const pageSize of quick ? [10, 100] : [10, 30, 100, 300, 1_000]) {
    progress(`${OURS}: a page of ${pageSize} rows`);
    const options = {options: {page: 2 * pageSize}, clientOptions: {pageSize}};
    const live = await startLive(postgres, OURS, options);
    await live.clients.call('join', [[CATEGORY]]);
    const atOnce = Math.min(PAGE, pageSize);
    const {[OURS]: measures} = await alternate([OURS], {
      // Each is a new server.
      ...roundsOfAStep(quick, 0),
      run: () => cpuOfWrites(live, nextIds(live, quick ? 20 : WRITES), {atOnce}),
    });
    measured.push({x: pageSize, measures});
    await live.end();
  }
  return curveOf({[OURS]: measured}, {
    id: 'cpu-by-page',
    title: 'Server CPU per write, by rows of the page',
    label: 'rows of the page',
  });
}

/** A server that has just started is slow until its code has been compiled. */
function roundsOfAStep(quick, step) {
  if (quick) return {rounds: 2, warmUp: 1};
  return {rounds: 3, warmUp: step === 0 ? 4 : 1};
}

/** Each point is the median of its rounds, and the lowest and the highest of them. */
function curveOf(measured, {unit = 'ms', better = 'less', of = ({value}) => value, ...words}) {
  const series = Object.entries(measured).map(([name, steps]) => ({
    name,
    points: steps.map(({x, measures}) => {
      const {median, min, max} = spread(measures.map(of));
      return {x, y: median, min, max};
    }),
  }));
  const correct = Object.values(measured).flat()
    .every(({measures}) => measures.every(each => each.correct));
  return {...words, unit, better, series, correct};
}

/** Ids that come after all that this server has had: the newest are on the page. */
function nextIds(live, count) {
  live.rounds = (live.rounds ?? 0) + 1;
  return idsOf(live.rounds, count);
}

/** The category that is written to first, then others, some to a socket. */
async function openViews({clients}, count, from = 0, ofASocket = VIEWS_OF_A_SOCKET) {
  const categories = Array.from({length: count}, (_, i) =>
    from + i === 0 ? CATEGORY : `other-${from + i}`);
  const plan = [];
  if (from === 0) plan.push(categories.splice(0, 1));
  for (let at = 0; at < categories.length; at += ofASocket) {
    plan.push(categories.slice(at, at + ofASocket));
  }
  await clients.call('join', plan);
}

/**
 * Writes one after the other, so that neither waiting nor batching is in the figure.
 *
 * @param listeners how many connections, from the first, are to hear of it
 * @param atOnce how many are written before those have arrived
 */
async function cpuOfWrites({server, clients, database}, ids, {listeners = 1, atOnce = PAGE} = {}) {
  let correct = true;
  await server.call('cpuMs');
  for (let at = 0; at < ids.length; at += atOnce) {
    const some = ids.slice(at, at + atOnce);
    await clients.call('expect', some, CATEGORY, listeners);
    await server.call('one', some, CATEGORY);
    correct &&= (await clients.call('arrived')).correct;
  }
  const cpuMs = await server.call('cpuMs');
  correct &&= await areStored(database, ids, CATEGORY);
  return {value: cpuMs / ids.length, correct};
}
