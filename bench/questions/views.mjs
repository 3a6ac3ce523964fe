/**
 * What a write costs the server when many views are alive and one is affected, and how that cost
 * grows with the views, the subscribers of the view, and its page.
 */
import {idsOf} from '../harness/ids.mjs';
import {areStored, OURS, RAW, startLive} from '../harness/live.mjs';
import {alternate, compare} from '../harness/rounds.mjs';
import {median} from '../harness/stats.mjs';

const CATEGORY = 'chairs';
const FEATHERS = 'Feathers 5, a channel for each category';
const PARSE = 'Parse Server 9';
const QUESTION = 'cpu-per-write-10k-views';
const VIEWS_OF_A_SOCKET = 100;

export const views = {
  title: 'Server CPU per write',
  needsPeers: true,

  async run({postgres, quick, progress}) {
    const context = {postgres, quick, progress};
    const compared = [
      [OURS, quick ? 1_000 : 10_000],
      [RAW, quick ? 1_000 : 10_000],
      [FEATHERS, quick ? 1_000 : 10_000],
      [PARSE, quick ? 100 : 1_000],
    ];
    const results = [];
    for (const [name, count] of compared) results.push(await manyAgainstOne(context, name, count));
    const curves = [
      ...(await byViews(context)),
      await bySubscribers(context),
      await byPage(context),
    ];
    return {
      results,
      curves,
      leftOut: quick
        ? ['--quick has 1,000 views (Parse 100) in place of 10,000 (Parse 1,000)']
        : [`${PARSE} has 1,000 views: 10,000 would take it the whole time of the bench`],
    };
  },
};

/** Two servers of one kind, in turns: one with many views alive, one with the affected only. */
async function manyAgainstOne({postgres, quick, progress}, name, count) {
  const counts = {one: 1, many: count};
  const running = {};
  for (const [which, views] of Object.entries(counts)) {
    progress(`${name}: opening ${views.toLocaleString('en')} views`);
    running[which] = await startLive(postgres, name);
    await openViews(running[which], views);
  }
  const measures = await alternate(['one', 'many'], {
    rounds: quick ? 6 : 12,
    warmUp: 2,
    run(which, round) {
      progress(`${name}: round ${round + 1}, ${counts[which].toLocaleString('en')} views`);
      return cpuOfWrites(running[which], idsOf(round, quick ? 60 : 150));
    },
  });
  await Promise.all(Object.values(running).map(each => each.end()));
  const result = compare(measures, 'many', 'one', {question: QUESTION, unit: 'CPU ms a write'});
  return {...result, subject: `${name}: ${count.toLocaleString('en')} views`, against: 'one view'};
}

/** The CPU of a write, and writes a second, against the number of views alive. */
async function byViews({postgres, quick, progress}) {
  const steps = quick ? [1, 10, 100, 1_000] : [1, 10, 100, 1_000, 10_000, 50_000, 100_000];
  const live = await startLive(postgres, OURS);
  const cpu = [];
  const rate = [];
  let open = 0;
  for (const [step, views] of steps.entries()) {
    progress(`${OURS}: opening ${views.toLocaleString('en')} views`);
    await openViews(live, views - open, open);
    open = views;
    const measures = await repeated(live, quick, step);
    cpu.push({x: views, y: median(measures.map(({value}) => value))});
    rate.push({x: views, y: median(measures.map(({perSecond}) => perSecond))});
  }
  await live.end();
  const label = 'views alive, one affected';
  const title = 'Server CPU per write, by views alive';
  const writes = 'Writes a second, by views alive';
  return [
    {id: 'cpu-by-views', title, label, unit: 'ms', points: cpu},
    {id: 'writes-by-views', title: writes, label, unit: '1/s', points: rate},
  ];
}

async function bySubscribers({postgres, quick, progress}) {
  const steps = quick ? [1, 10, 100] : [1, 10, 100, 1_000, 3_000];
  const live = await startLive(postgres, OURS);
  const points = [];
  let open = 0;
  for (const [step, subscribers] of steps.entries()) {
    progress(`${OURS}: ${subscribers.toLocaleString('en')} subscribers of a view`);
    await live.clients.call('join', Array(subscribers - open).fill([CATEGORY]));
    open = subscribers;
    const measures = await repeated(live, quick, step, subscribers);
    points.push({x: subscribers, y: median(measures.map(({value}) => value))});
  }
  await live.end();
  return {
    id: 'cpu-by-subscribers',
    title: 'Server CPU per write, by subscribers of the view',
    label: 'subscribers of one view',
    unit: 'ms',
    points,
  };
}

async function byPage({postgres, quick, progress}) {
  const points = [];
  for (const [step, pageSize] of (quick ? [10, 100] : [10, 30, 100, 300, 1_000]).entries()) {
    progress(`${OURS}: a page of ${pageSize} rows`);
    const options = {options: {page: 2 * pageSize}, clientOptions: {pageSize}};
    const live = await startLive(postgres, OURS, options);
    await live.clients.call('join', [[CATEGORY]]);
    const measures = await repeated(live, quick, step);
    points.push({x: pageSize, y: median(measures.map(({value}) => value))});
    await live.end();
  }
  return {
    id: 'cpu-by-page',
    title: 'Server CPU per write, by rows of the page',
    label: 'rows of the page',
    unit: 'ms',
    points,
  };
}

/** The category that is written to first, then others, some to a socket. */
async function openViews({clients}, count, from = 0) {
  const categories = Array.from({length: count}, (_, i) =>
    from + i === 0 ? CATEGORY : `other-${from + i}`);
  const plan = [];
  if (from === 0) plan.push(categories.splice(0, 1));
  for (let at = 0; at < categories.length; at += VIEWS_OF_A_SOCKET) {
    plan.push(categories.slice(at, at + VIEWS_OF_A_SOCKET));
  }
  await clients.call('join', plan);
}

async function repeated(live, quick, step, listeners = 1) {
  const rounds = quick ? 3 : 5;
  const measures = [];
  for (let round = -1; round < rounds; round++) {
    const ids = idsOf(step * 10 + round, quick ? 40 : 100);
    const measure = await cpuOfWrites(live, ids, listeners);
    if (!measure.correct) throw new Error('a round of a curve went wrong');
    if (round >= 0) measures.push(measure);
  }
  return measures;
}

/** Writes one after the other, so that neither waiting nor batching is in the figure. */
async function cpuOfWrites({server, clients, database}, ids, listeners = 1) {
  await clients.call('expect', ids, listeners);
  await server.call('cpuMs');
  const started = performance.now();
  await server.call('one', ids, CATEGORY);
  const perSecond = (ids.length / (performance.now() - started)) * 1000;
  const {missing, twice} = await clients.call('arrived');
  const cpuMs = await server.call('cpuMs');
  const correct = missing === 0 && twice === 0 && (await areStored(database, ids, CATEGORY));
  return {value: cpuMs / ids.length, perSecond, correct};
}
