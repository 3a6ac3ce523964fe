/**
 * Runs all tests, on two cores or more in two processes side by side: each has databases of its
 * own. What the second says is shown once the first is through.
 *
 *     npm test                        all tests
 *     npm test -- -g 'stale version'  in one process, with these words for mocha
 */
import {spawn} from 'node:child_process';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {stripVTControlCharacters} from 'node:util';
import {root} from './support/run.mjs';

const ALL = ['dist/__tests__/**/*.test.js', 'examples/inventory/dist/__tests__/**/*.test.js'];
/** About half of the time; the example's tests, which share built files, stay in one process. */
const HALF = ['acceptance', 'integration', 'property']
  .map(folder => `dist/__tests__/${folder}/**/*.test.js`);
const OTHER_HALF = [...ALL, ...HALF.flatMap(pattern => ['--ignore', pattern])];
/** Milliseconds for what a process has said last; a child of its own may hold the pipe for ever. */
const PATIENCE = 3_000;

/** Starts mocha; `show()` lets out what it has said and what it says from then on. */
function start(args) {
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
  const colours = process.stdout.isTTY ? ['--color'] : [];
  const child = spawn(process.execPath, [mocha, ...colours, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = [];
  let printed = '';
  let isShown = false;
  const hear = (from, to) => from.on('data', chunk => {
    if (to === process.stdout) printed += chunk;
    if (isShown) to.write(chunk);
    else said.push([to, chunk]);
  });
  hear(child.stdout, process.stdout);
  hear(child.stderr, process.stderr);
  const closed = new Promise(resolve => child.on('close', resolve));
  const ended = new Promise(resolve => {
    child.on('error', error => resolve({code: error.message, printed}));
    child.on('exit', async (code, signal) => {
      await Promise.race([closed, sleep(PATIENCE, undefined, {ref: false})]);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({code: code ?? signal, printed});
    });
  });
  return {
    kill: signal => child.kill(signal),
    show() {
      isShown = true;
      for (const [to, chunk] of said.splice(0)) to.write(chunk);
      return ended;
    },
  };
}

/** The number in a closing line of mocha's, such as `  120 passing (5s)`. */
function count(word, printed) {
  const lines = stripVTControlCharacters(printed);
  const [, number = 0] = lines.match(new RegExp(`^ +(\\d+) ${word}\\b`, 'm')) ?? [];
  return Number(number);
}

const words = process.argv.slice(2);
const isSplit = words.length === 0 && availableParallelism() > 1;
if (isSplit) console.log('Half of the tests run beside the others, and are shown after them.');
const runs = (isSplit ? [HALF, OTHER_HALF] : [[...ALL, ...words]]).map(start);

for (const signal of ['SIGTERM', 'SIGHUP']) {
  process.on(signal, () => runs.forEach(run => run.kill(signal)));
}
// The first Ctrl-C in a terminal reaches the children too: they stop, and then this ends.
process.once('SIGINT', () => process.on('SIGINT', () => runs.forEach(run => run.kill('SIGINT'))));

const results = [];
for (const run of runs) results.push(await run.show());
const sum = word => results.reduce((total, {printed}) => total + count(word, printed), 0);
console.log(`In all: ${sum('passing')} passed, ${sum('failing')} failed.`);
let isWell = true;
for (const {code, printed} of results) {
  // One that has ended well without a word has ended before its tests.
  const isThrough = count('passing', printed) + count('failing', printed) > 0;
  if (!isThrough) console.log(`Tests ended before they were through (${code}).`);
  isWell &&= code === 0 && isThrough;
}
// Not `exit()`: a pipe that is read slowly would lose what has not been taken out of it yet.
process.exitCode = isWell ? 0 : 1;
