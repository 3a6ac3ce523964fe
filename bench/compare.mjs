/**
 * Compares the figures of two runs, as `--json` has written them: does each ratio of the one lie
 * within the spread of the other?
 *
 *     node bench/compare.mjs first.json second.json
 *
 * The exit code is 1 where one does not, where the runs have not the same results, and where
 * answers were wrong.
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

async function main([first, second]) {
  if (!first || !second) {
    console.error('node bench/compare.mjs first.json second.json');
    return 2;
  }
  const read = async file => JSON.parse(await readFile(file, 'utf8'));
  const [one, other] = [await read(first), await read(second)];
  for (const {date, commit, quick} of [one.environment, other.environment]) {
    console.log(`${date}, commit ${commit}${quick ? ', --quick' : ''}`);
  }
  const compared = compareRuns(one, other);
  for (const {question, subject, against, first: a, second: b, verdict} of compared) {
    const ratios = [a, b].map(ratio => (ratio ? formatSpread(ratio) : '–')).join(', then ');
    console.log(`${question}, ${subject}: ${ratios} × ${against}: ${verdict}`);
  }
  const repeated = compared.filter(({verdict}) => verdict === VERDICTS.repeated).length;
  console.log(`${repeated} of ${compared.length} ratios are repeated within each other's spread.`);
  return repeated === compared.length ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main(process.argv.slice(2));
}
