import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

const root = resolve(__dirname, '../../../..').replace(/[\\/]\.build$/, '');

interface Ratio {
  median: number;
  min: number;
  max: number;
}
interface Result {
  question: string;
  subject: string;
  against: string;
  ratio: Ratio;
  correct: boolean;
}
interface Run {
  environment: object;
  results: Result[];
}
interface CompareModule {
  compareRuns(first: Run, second: Run): {question: string; verdict: string}[];
}

describe('two runs of the bench, compared', () => {
  it('repeat a ratio when each lies within the spread of the other', async () => {
    assert.deepEqual(await verdicts([1, 0.9, 1.1], [1.05, 0.95, 1.2]), ['repeated']);
    assert.deepEqual(await verdicts([1, 0.9, 1.1], [1.1, 1, 1.2]), ['repeated']);
  });

  it('say which of two ratios is outside the other\'s spread', async () => {
    const [narrow, wide] = [[1, 0.99, 1.01], [1.2, 0.8, 1.6]];
    assert.deepEqual(await verdicts(narrow, wide), [
      'the second is outside the spread of the first',
    ]);
    assert.deepEqual(await verdicts(wide, narrow), [
      'the first is outside the spread of the second',
    ]);
    assert.deepEqual(await verdicts([1, 0.9, 1.1], [2, 1.9, 2.1]), [
      'each is outside the spread of the other',
    ]);
  });

  it('tell of a result that only one of them has, and of wrong answers', async () => {
    const {compareRuns} = await givenModule();
    const first = givenRun({fanout: [1, 0.9, 1.1], 'latency-p50': [1, 0.9, 1.1]});
    const second = givenRun({fanout: [1, 0.9, 1.1], 'latency-p99': [1, 0.9, 1.1]});
    second.results[0].correct = false;
    assert.deepEqual(compareRuns(first, second).map(({question, verdict}) => [question, verdict]), [
      ['fanout', 'answers were wrong'],
      ['latency-p50', 'not in both runs'],
      ['latency-p99', 'not in both runs'],
    ]);
  });

  it('end with 0 when everything is repeated, and with 1 when something is not', async () => {
    const one = givenRun({fanout: [1, 0.9, 1.1]});
    const same = givenRun({fanout: [1.01, 0.9, 1.1]});
    const far = givenRun({fanout: [3, 2, 4]});
    assert.deepEqual(await outcome(one, same), {
      code: 0, last: "1 of 1 ratios are repeated within each other's spread.",
    });
    assert.deepEqual(await outcome(one, far), {
      code: 1, last: "0 of 1 ratios are repeated within each other's spread.",
    });
  });

  it('say what is amiss with a file that no run has written, and end with 2', async () => {
    const run = givenRun({fanout: [1, 0.9, 1.1]});
    const gap = {...run, results: [{...run.results[0], ratio: {median: 1, min: null, max: 1}}]};
    for (const [text, message] of [
      [undefined, /second\.json cannot be read: ENOENT/],
      ['{"results": [', /second\.json is not JSON/],
      ['null', /second\.json was not written by npm run bench -- --json/],
      [JSON.stringify({results: []}), /was not written by npm run bench/],
      [JSON.stringify(gap), /was not written by npm run bench/],
      [JSON.stringify({environment: {}, answers: []}), /was written by --details/],
      [JSON.stringify({environment: {}, results: []}), /second\.json has no results/],
    ] as const) {
      const {code, last, error} = await compareFiles(json(run), text);
      assert.deepEqual({code, last}, {code: 2, last: ''});
      assert.match(error ?? '', message);
      assert.doesNotMatch(error ?? '', /\n *at /, 'a message, and no stack');
    }
  });

  it('tell both medians and both spreads', async () => {
    const far = givenRun({fanout: [3, 2, 4]});
    const {text} = await compareFiles(json(givenRun({fanout: [1, 0.9, 1.1]})), json(far));
    assert.match(text ?? '', /^fanout, ours: 1\.00 \(0\.90–1\.10\), then 3\.00 \(2\.00–4\.00\) × /m);
  });
});

async function verdicts(first: number[], second: number[]): Promise<string[]> {
  const {compareRuns} = await givenModule();
  const compared = compareRuns(givenRun({fanout: first}), givenRun({fanout: second}));
  return compared.map(({verdict}) => verdict);
}

async function givenModule(): Promise<CompareModule> {
  return (await import(pathToFileURL(`${root}/bench/compare.mjs`).href)) as CompareModule;
}

function givenRun(ratios: Record<string, number[]>): Run {
  return {
    environment: {date: '2026-01-01', commit: 'abc'},
    results: Object.entries(ratios).map(([question, [median, min, max]]) => ({
      question, subject: 'ours', against: 'the limit', ratio: {median, min, max}, correct: true,
    })),
  };
}

async function outcome(first: Run, second: Run): Promise<{code: number; last: string}> {
  const {code, last} = await compareFiles(json(first), json(second));
  return {code, last};
}

const json = (run: Run) => JSON.stringify(run);

interface Outcome {
  code: number;
  last: string;
  text?: string;
  error?: string;
}

/** As the command does it; a file without text is not there. */
async function compareFiles(first: string, second: string | undefined): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'live-entities-compare-'));
  try {
    const files = [join(folder, 'first.json'), join(folder, 'second.json')];
    await writeFile(files[0], first);
    if (second !== undefined) await writeFile(files[1], second);
    return await new Promise(done => {
      execFile(process.execPath, [`${root}/bench/compare.mjs`, ...files], (error, text, errors) => {
        const last = text.trim().split('\n').at(-1) ?? '';
        done({code: Number(error?.code ?? 0), last, text, error: errors});
      });
    });
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}
