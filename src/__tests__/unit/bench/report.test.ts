import assert from 'node:assert/strict';
import {resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

const root = resolve(__dirname, '../../../..').replace(/[\\/]\.build$/, '');

/** As much of the report's modules as is asked here: they are JavaScript, and not the package's. */
interface ReportModule {
  reportOf(run: {environment: object; answers: object[]}): {file: string; text: string}[];
}
interface LossesModule {
  reasonOf(result: {question: string}): string;
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
  const points = [1, 10, 100].map(x => ({x, y: ratio * x}));
  const series = [{name: subjects[0], points}];
  return {
    name: question,
    title: `The title of ${question}`,
    results: subjects.map((subject, i) => givenResult(question, subject, ratio * (i + 1))),
    curves: [{id: 'curve', title: 'A curve', label: 'views', unit: 'ms', series}],
  };
}

function givenEnvironment() {
  const versions = {'loopback4-live-entities': '0.1.0'};
  const peers = {'parse-server': '9.10.0'};
  return {commit: undefined, cores: 2, versions, peers, postgresqlSettings: {fsync: 'off'}};
}
