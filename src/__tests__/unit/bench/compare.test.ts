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
    assert.deepEqual(await compareFiles(one, same), {
      code: 0, last: "1 of 1 ratios are repeated within each other's spread.",
    });
    assert.deepEqual(await compareFiles(one, far), {
      code: 1, last: "0 of 1 ratios are repeated within each other's spread.",
    });
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

/** As the command does it. */
async function compareFiles(first: Run, second: Run): Promise<{code: number; last: string}> {
  const folder = await mkdtemp(join(tmpdir(), 'live-entities-compare-'));
  try {
    const files = [join(folder, 'first.json'), join(folder, 'second.json')];
    await writeFile(files[0], JSON.stringify(first));
    await writeFile(files[1], JSON.stringify(second));
    return await new Promise(done => {
      execFile(process.execPath, [`${root}/bench/compare.mjs`, ...files], (error, stdout) => {
        done({code: Number(error?.code ?? 0), last: stdout.trim().split('\n').at(-1) ?? ''});
      });
    });
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}
