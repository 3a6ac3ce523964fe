import assert from 'node:assert/strict';
import {resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

const root = resolve(__dirname, '../../../..').replace(/[\\/]\.build$/, '');

/** As much of the report's modules as is asked here: they are JavaScript, and not the package's. */
interface ReportModule {
  reportOf(run: {environment: object; answers: object[]}): {file: string; text: string}[];
}
interface LossesModule {
  lossesOf(answers: {results: object[]; curves?: object[]}[]): string[];
  reasonOf(result: {question: string}): string;
}
interface FiguresModule {
  figuresOf(run: {environment: object; results: object[]}): object;
}
interface PlotModule {
  linePlot(plot: object): string;
}
interface BudgetsModule {
  BUDGETS: {question: string}[];
}

const QUESTIONS = [
  'fanout', 'latency-p50', 'latency-p99', 'cpu-per-write-10k-views', 'memory-per-subscriber',
  'create-all-five', 'update-all-five', 'delete-all-five', 'find-behaviours', 'find-crypto',
  'bulk-history', 'reconnect-block-ms',
];
const SUBJECTS = [
  'loopback4-live-entities', 'all five behaviours', 'version, audit, soft delete: findById',
  'encrypted column: find of 20', 'Zero 1',
];

describe("the bench's report", () => {
  it('has no gap, whichever question has how many results, far apart or near', async () => {
    const {reportOf} = await givenModule<ReportModule>('report/report.mjs');
    for (const ratio of [0.001, 0.03, 0.5, 0.62, 1, 1.3, 2, 41, 4100]) {
      for (const subjects of [SUBJECTS, SUBJECTS.slice(0, 2), SUBJECTS.slice(-1)]) {
        const answers = QUESTIONS.map(question => givenAnswer(question, subjects, ratio));
        for (const {file, text} of reportOf({environment: givenEnvironment(), answers})) {
          assert.doesNotMatch(text, /undefined|NaN|Infinity/, file);
        }
      }
    }
  });

  it('is refused when a figure is missing, and not written with a gap', async () => {
    const {reportOf} = await givenModule<ReportModule>('report/report.mjs');
    const answer = givenAnswer('fanout', SUBJECTS, 2);
    const facts = [{text: 'Until the last was back (raw: NaN ms)', value: 1, unit: 'ms'}];
    assert.throws(
      () => reportOf({environment: givenEnvironment(), answers: [{...answer, facts}]}),
      /would say "NaN": - Until the last/,
    );
  });

  it('has a reason for a loss of every question that has a budget', async () => {
    const {BUDGETS} = await givenModule<BudgetsModule>('report/budgets.mjs');
    const {reasonOf} = await givenModule<LossesModule>('report/losses.mjs');
    assert.deepEqual([...new Set(BUDGETS.map(({question}) => question))].sort(), [
      ...QUESTIONS,
    ].sort());
    for (const question of QUESTIONS) assert.notEqual(reasonOf({question}), '', question);
  });

  it('tells where this project loses: in time, in CPU, to a peer, along a curve', async () => {
    const {lossesOf} = await givenModule<LossesModule>('report/losses.mjs');
    const ours = (question: string, ratio: number, cpu?: number) => ({
      ...givenResult(question, 'loopback4-live-entities', ratio),
      ...(cpu && {cpu: {unit: 'ms', value: cpu, ratio: {median: cpu, min: cpu, max: cpu}}}),
    });
    const heads = (results: object[], curves?: object[]) =>
      lossesOf([{results, curves}]).map(sentence => sentence.split('. ')[0]);
    assert.deepEqual(heads([ours('fanout', 2, 0.5), ours('latency-p50', 1.004)]), []);
    assert.deepEqual(heads([ours('fanout', 0.97)]), [
      '`fanout`, loopback4-live-entities: 0.97 (0.78–1.36) × raw Socket.IO, within the budget',
    ]);
    assert.deepEqual(heads([ours('latency-p50', 0.9, 1.5)]), [
      '`latency-p50`, loopback4-live-entities, its CPU: 1.50 × that of raw Socket.IO',
    ]);
    assert.deepEqual(heads([ours('reconnect-block-ms', 0.9)]), []);
    assert.deepEqual(heads([{...ours('reconnect-block-ms', 0.9), value: 300}]), [
      '`reconnect-block-ms`, loopback4-live-entities: 300 ms, 0.90 (0.72–1.26) × raw Socket.IO, ' +
        'beyond the budget',
    ]);
    assert.deepEqual(heads([ours('memory-per-subscriber', 0.9),
      givenResult('memory-per-subscriber', 'Parse Server 9', 0.25),
      givenResult('memory-per-subscriber', 'Feathers 5', 0.95)]), [
      '`memory-per-subscriber`: Parse Server 9 has 0.25 (0.20–0.35) where ' +
        'loopback4-live-entities has 0.90 (0.72–1.26) (× raw Socket.IO)',
    ]);
    const points = (y: number) => [{x: 1, y: 1}, {x: 10, y}];
    const series = [
      {name: 'loopback4-live-entities', points: points(3)},
      {name: 'raw Socket.IO', points: points(2)},
    ];
    const words = {id: 'cpu-by-views', title: 'CPU', label: 'views', unit: 'ms'};
    const curve = {...words, better: 'less', series};
    assert.deepEqual(heads([], [curve]), ['CPU: 3 ms at 10 (views), where raw Socket.IO has 2']);
    assert.deepEqual(heads([], [{...curve, better: 'more'}]), []);
  });

  it('writes for scripts what is promised to them, and nothing else', async () => {
    const {figuresOf} = await givenModule<FiguresModule>('report/figures.mjs');
    const result = givenResult('fanout', 'Zero 1', 2);
    const cpu = {unit: 'ms', value: 1, ratio: result.ratio};
    assert.deepEqual(figuresOf({environment: {cores: 2}, results: [{...result, cpu}]}), {
      environment: {cores: 2},
      results: [result],
    });
  });

  it('names each place of an axis that has room for its figure, the last among them', async () => {
    const {linePlot} = await givenModule<PlotModule>('report/svg.mjs');
    const points = [1, 10, 50_000, 100_000].map(x => ({x, y: 1, min: 1, max: 1}));
    const series = [{name: 'ours', ours: true, points}];
    const svg = linePlot({title: 'A curve', label: 'views', unit: 'ms', series});
    assert.match(svg, />100,000</);
    assert.match(svg, />10</);
    assert.doesNotMatch(svg, />50,000</);
  });

  it('shows ratios far apart from where the reference is, and others from nought', async () => {
    const {reportOf} = await givenModule<ReportModule>('report/report.mjs');
    const plotOf = (ratios: number[]) => {
      const results = ratios.map(ratio => givenResult('fanout', `a subject of ${ratio}`, ratio));
      const answers = [{name: 'fanout', title: 'Fan-out', results}];
      const files = reportOf({environment: givenEnvironment(), answers});
      return files.find(({file}) => file === 'plots/fanout.svg')?.text ?? '';
    };
    assert.match(plotOf([0.03, 2]), /logarithmic/);
    assert.doesNotMatch(plotOf([0.5, 2]), /logarithmic/);
  });
});

async function givenModule<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(`${root}/bench/${path}`).href)) as T;
}

function givenResult(question: string, subject: string, ratio: number) {
  const spread = {median: ratio, min: ratio * 0.8, max: ratio * 1.4};
  const figures = {value: ratio * 7, ratio: spread, rounds: 3, correct: true};
  return {question, subject, against: 'raw Socket.IO', unit: 'ms', ...figures};
}

function givenAnswer(question: string, subjects: string[], ratio: number) {
  const points = [1, 10, 100].map(x => {
    const y = ratio * x;
    return {x, y, min: y * 0.9, max: y * 1.2};
  });
  const series = [{name: subjects[0], points}];
  return {
    name: question,
    title: `The title of ${question}`,
    results: subjects.map((subject, i) => givenResult(question, subject, ratio * (i + 1))),
    curves: [{
      id: 'curve', title: 'A curve', label: 'views',
      unit: 'ms', better: 'less', series, correct: true,
    }],
  };
}

function givenEnvironment() {
  const versions = {'loopback4-live-entities': '0.1.0'};
  const peers = {'parse-server': '9.10.0'};
  return {commit: undefined, cores: 2, versions, peers, postgresqlSettings: {fsync: 'off'}};
}
