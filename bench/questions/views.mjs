/**
 * What a write costs the server when many views are alive and one is affected, and how that cost
 * grows with the views, the subscribers of the view, and its page.
 */
import {idsOf} from '../harness/ids.mjs';
import {areStored, FEATHERS, OURS, PARSE, RAW, startLive, whyNot, ZERO} from '../harness/live.mjs';
import {alternate, compare} from '../harness/rounds.mjs';
import {median} from '../harness/stats.mjs';

const CATEGORY = 'chairs';
const QUESTION = 'cpu-per-write-10k-views';
const VIEWS_OF_A_SOCKET = 100;
/** Of each view. No more is written before what was has arrived: it could come to lie past it. */
const PAGE = 20;

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
      ...(await manyAgainstOne(context, PARSE, [{views: quick ? 100 : 1_000}])),
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
const HOW_OF_ZERO = {rounds: 3, warmUp: 1, writes: 10, atOnce: 1};

/**
 * Servers of one kind, in turns: one with the affected view only, others with many alive.
 *
 * @param cases `{views, ofASocket}` of those with many
 */
async function manyAgainstOne({postgres, quick, progress}, name, cases, how = {}) {
  const {rounds = quick ? 4 : 8, warmUp = quick ? 1 : 2, writes = quick ? 60 : 150, atOnce} = how;
  const running = {};
  for (const each of [{views: 1}, ...cases]) {
    const words = wordsOf(each);
    progress(`${name}: opening ${words}`);
    running[words] = await startLive(postgres, name);
    await openViews(running[words], each.views, 0, each.ofASocket);
  }
  const [one, ...many] = Object.keys(running);
  const measures = await alternate([one, ...many], {
    rounds,
    warmUp,
    run(which, round) {
      progress(`${name}: round ${round + 1}, ${which}`);
      return cpuOfWrites(running[which], idsOf(round, writes), {atOnce});
    },
  });
  for (const each of Object.values(running)) await each.end();
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
async function byViews({postgres, quick, progress}) {
  const steps = quick ? [1, 10, 100, 1_000] : [1, 10, 100, 1_000, 10_000, 50_000, 100_000];
  const cpu = [];
  const rate = [];
  for (const name of [OURS, RAW]) {
    const live = await startLive(postgres, name);
    const measured = [];
    let open = 0;
    for (const [step, views] of steps.entries()) {
      progress(`${name}: opening ${views.toLocaleString('en')} views`);
      await openViews(live, views - open, open);
      open = views;
      measured.push({x: views, measures: await repeated(live, quick, step)});
    }
    await live.end();
    cpu.push(curveOf(name, measured, ({value}) => value));
    rate.push(curveOf(name, measured, ({perSecond}) => perSecond));
  }
  const label = 'views alive, one affected';
  const title = 'Server CPU per write, by views alive';
  const writes = 'Writes a second, by views alive';
  return [
    {id: 'cpu-by-views', title, label, unit: 'ms', series: cpu},
    {id: 'writes-by-views', title: writes, label, unit: '1/s', series: rate},
  ];
}

async function bySubscribers({postgres, quick, progress}) {
  const steps = quick ? [1, 10, 100] : [1, 10, 100, 1_000, 3_000];
  const series = [];
  for (const name of [OURS, RAW]) {
    const live = await startLive(postgres, name);
    const measured = [];
    let open = 0;
    for (const [step, subscribers] of steps.entries()) {
      progress(`${name}: ${subscribers.toLocaleString('en')} subscribers of a view`);
      await live.clients.call('join', Array(subscribers - open).fill([CATEGORY]));
      open = subscribers;
      const measures = await repeated(live, quick, step, {listeners: subscribers});
      measured.push({x: subscribers, measures});
    }
    await live.end();
    series.push(curveOf(name, measured, ({value}) => value));
  }
  return {
    id: 'cpu-by-subscribers',
    title: 'Server CPU per write, by subscribers of the view',
    label: 'subscribers of one view',
    unit: 'ms',
    series,
  };
}

/** Of this project alone: nobody else among the peers has a page. */
async function byPage({postgres, quick, progress}) {
  const measured = [];
  for (const [step, pageSize] of (quick ? [10, 100] : [10, 30, 100, 300, 1_000]).entries()) {
    progress(`${OURS}: a page of ${pageSize} rows`);
    const options = {options: {page: 2 * pageSize}, clientOptions: {pageSize}};
    const live = await startLive(postgres, OURS, options);
    await live.clients.call('join', [[CATEGORY]]);
    const measures = await repeated(live, quick, step, {atOnce: Math.min(PAGE, pageSize)});
    measured.push({x: pageSize, measures});
    await live.end();
  }
  return {
    id: 'cpu-by-page',
    title: 'Server CPU per write, by rows of the page',
    label: 'rows of the page',
    unit: 'ms',
    series: [curveOf(OURS, measured, ({value}) => value)],
  };
}

function curveOf(name, measured, of) {
  return {name, points: measured.map(({x, measures}) => ({x, y: median(measures.map(of))}))};
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

/** Many subscribers make a round long enough with fewer writes. */
function writesOfARound(quick, listeners) {
  if (quick) return 40;
  return listeners >= 1_000 ? 40 : 100;
}

async function repeated(live, quick, step, {listeners = 1, atOnce} = {}) {
  const rounds = quick ? 2 : 5;
  const measures = [];
  for (let round = -1; round < rounds; round++) {
    const ids = idsOf(step * 10 + round, writesOfARound(quick, listeners));
    const measure = await cpuOfWrites(live, ids, {listeners, atOnce});
    if (!measure.correct) throw new Error('a round of a curve went wrong');
    if (round >= 0) measures.push(measure);
  }
  return measures;
}

/**
 * Writes one after the other, so that neither waiting nor batching is in the figure.
 *
 * @param listeners how many connections, from the first, are to hear of it
 * @param atOnce how many are written before those have arrived
 */
async function cpuOfWrites({server, clients, database}, ids, {listeners = 1, atOnce = PAGE}) {
  let correct = true;
  let writing = 0;
  await server.call('cpuMs');
  for (let at = 0; at < ids.length; at += atOnce) {
    const some = ids.slice(at, at + atOnce);
    await clients.call('expect', some, listeners);
    const started = performance.now();
    await server.call('one', some, CATEGORY);
    writing += performance.now() - started;
    const {missing, twice} = await clients.call('arrived');
    correct &&= missing === 0 && twice === 0;
  }
  const cpuMs = await server.call('cpuMs');
  correct &&= await areStored(database, ids, CATEGORY);
  return {value: cpuMs / ids.length, perSecond: (ids.length / writing) * 1000, correct};
}
