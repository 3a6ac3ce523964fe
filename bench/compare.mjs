/**
 * Compares the figures of two runs, as `--json` has written them: does each ratio of the one lie
 * within the spread of the other?
 *
 *     node bench/compare.mjs first.json second.json
 *
 * The exit code is 1 where one does not, where the runs have not the same results, and where
 * answers were wrong; it is 2 where a file is not what `--json` writes.
 */
import {readFile} from 'node:fs/promises';
import {pathToFileURL} from 'node:url';
import {formatSpread} from './report/format.mjs';

/**
 * One entry for each result of either run.
 *
 * @returns `{question, subject, against, first, second, verdict}`, where `first` and `second` are
 * ratios, or undefined, and `verdict` is one of `VERDICTS`
 */
export function compareRuns(first, second) {
  const others = new Map(second.results.map(result => [nameOf(result), result]));
  const names = new Set(first.results.map(nameOf));
  const all = [...first.results, ...second.results.filter(result => !names.has(nameOf(result)))];
  return all.map(result => {
    const {question, subject, against} = result;
    const one = names.has(nameOf(result)) ? result : undefined;
    const other = others.get(nameOf(result));
    const verdict = verdictOf(one, other);
    return {question, subject, against, first: one?.ratio, second: other?.ratio, verdict};
  });
}

export const VERDICTS = {
  repeated: 'repeated',
  outsideFirst: 'the second is outside the spread of the first',
  outsideSecond: 'the first is outside the spread of the second',
  apart: 'each is outside the spread of the other',
  missing: 'not in both runs',
  wrong: 'answers were wrong',
};

function verdictOf(one, other) {
  if (!one || !other) return VERDICTS.missing;
  if (!one.correct || !other.correct) return VERDICTS.wrong;
  const inFirst = isWithin(other.ratio.median, one.ratio);
  const inSecond = isWithin(one.ratio.median, other.ratio);
  if (inFirst) return inSecond ? VERDICTS.repeated : VERDICTS.outsideSecond;
  return inSecond ? VERDICTS.outsideFirst : VERDICTS.apart;
}

function isWithin(value, {min, max}) {
  return min <= value && value <= max;
}

function nameOf({question, subject, against}) {
  return JSON.stringify([question, subject, against]);
}

/**
 * A run, as `--json` has written it.
 *
 * @throws Error that says of the file what is amiss with it
 */
async function readRun(file) {
  let text;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`${file} cannot be read: ${error.code ?? error.message}`);
  }
  let run;
  try {
    run = JSON.parse(text);
  } catch {
    throw new Error(`${file} is not JSON`);
  }
  if (Array.isArray(run?.answers)) {
    throw new Error(`${file} was written by --details; compare what --json writes`);
  }
  if (!isRun(run)) throw new Error(`${file} was not written by npm run bench -- --json`);
  if (run.results.length === 0) throw new Error(`${file} has no results`);
  return run;
}

function isRun(run) {
  const {environment, results} = run ?? {};
  return typeof environment === 'object' && environment !== null &&
    Array.isArray(results) && results.every(isResult);
}

function isResult(result) {
  const {question, subject, against, ratio, correct} = result ?? {};
  return [question, subject, against].every(each => typeof each === 'string') &&
    [ratio?.median, ratio?.min, ratio?.max].every(Number.isFinite) && typeof correct === 'boolean';
}

async function main([first, second, ...more]) {
  if (!first || !second || more.length) {
    console.error('node bench/compare.mjs first.json second.json');
    return 2;
  }
  let runs;
  try {
    runs = [await readRun(first), await readRun(second)];
  } catch (error) {
    console.error(error.message);
    return 2;
  }
  for (const {date, commit, quick} of runs.map(({environment}) => environment)) {
    console.log(`${date}, commit ${commit}${quick ? ', --quick' : ''}`);
  }
  return report(compareRuns(...runs));
}

function report(compared) {
  for (const {question, subject, against, first, second, verdict} of compared) {
    const ratios = [first, second].map(ratio => (ratio ? formatSpread(ratio) : '–'));
    console.log(`${question}, ${subject}: ${ratios.join(', then ')} × ${against}: ${verdict}`);
  }
  const repeated = compared.filter(({verdict}) => verdict === VERDICTS.repeated).length;
  console.log(`${repeated} of ${compared.length} ratios are repeated within each other's spread.`);
  return repeated === compared.length ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main(process.argv.slice(2));
}
