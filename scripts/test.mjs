/**
 * Runs all tests, on two cores or more in two processes side by side: each has databases of its
 * own. What the second says is shown once the first is through.
 *
 *     node scripts/test.mjs           all tests
 *     npx mocha dist/__tests__/…      some of them
 */
import {spawn} from 'node:child_process';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {stripVTControlCharacters} from 'node:util';
import {root} from './support/run.mjs';

const ALL = ['dist/__tests__/**/*.test.js', 'examples/inventory/dist/__tests__/**/*.test.js'];
/** About half of the time; the example's tests, which share built files, stay in one process. */
const HALF = ['acceptance', 'integration', 'property'].map(each => `dist/__tests__/${each}/**/*.test.js`);
const OTHER_HALF = [...ALL, ...HALF.flatMap(pattern => ['--ignore', pattern])];

const runs = [];

/** Starts mocha; `show()` lets out what it has said and what it says from then on. */
function start(args) {
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
  const colours = process.stdout.isTTY ? ['--color'] : [];
  const child = spawn(process.execPath, [mocha, ...colours, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = [];
  let text = '';
  let isShown = false;
  for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
    from.on('data', chunk => {
      text += chunk;
      if (isShown) to.write(chunk);
      else said.push([to, chunk]);
    });
  }
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({code: code ?? signal, text}));
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
function count(word, text) {
  const lines = stripVTControlCharacters(text);
  const [, number = 0] = lines.match(new RegExp(`^ +(\\d+) ${word}\\b`, 'm')) ?? [];
  return Number(number);
}

// Ctrl-C in a terminal reaches the children as well: they stop their servers, and then this ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => runs.forEach(run => run.kill('SIGTERM')));

const sideBySide = availableParallelism() > 1;
if (sideBySide) console.log('Half of the tests run beside the others, and are shown after them.');
for (const args of sideBySide ? [HALF, OTHER_HALF] : [ALL]) runs.push(start(args));
const results = [];
for (const run of runs) results.push(await run.show());

const sum = word => results.reduce((total, {text}) => total + count(word, text), 0);
console.log(`In all: ${sum('passing')} passed, ${sum('failing')} failed.`);
for (const {code, text} of results) {
  if (code !== 0 && count('failing', text) === 0) console.log(`Tests ended early (${code}).`);
}
process.exitCode = results.every(({code}) => code === 0) ? 0 : 1;
