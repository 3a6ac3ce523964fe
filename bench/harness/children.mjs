/** The outside of the bench's child processes: start, call, end. */
import {fork} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {killDescendants} from './processes.mjs';

const children = new Set();
let profiles;
let home;
let over = false;
const SECONDS_TO_END = 5;

/** Has every subject that is started from now on write a CPU profile into that folder. */
export function profileInto(folder) {
  profiles = folder;
}

/**
 * Starts a subject, a module that calls `serve()`.
 *
 * @param module its path from the folder of the bench
 * @param options `node`: another Node.js to run it with; `env`: more of the environment
 * @returns `call(name, ...args)`, which answers what the subject's function of that name does, and
 * `end()`
 */
export async function start(module, {node = process.execPath, env = {}} = {}) {
  if (over) throw new Error('the run is over');
  home ??= makeHome();
  const file = fileURLToPath(new URL(`../${module}`, import.meta.url));
  const child = fork(file, [], {
    // Some peers write logs and the like where they were started.
    cwd: home,
    execPath: node,
    execArgv: ['--expose-gc'],
    env: {
      ...process.env, TMPDIR: home, TEMP: home, TMP: home,
      ...env,
      NODE_ENV: 'production', BENCH_PROFILES: profiles ?? '',
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  children.add(child);
  const output = [];
  const note = chunk => {
    output.push(String(chunk));
    if (output.length > 50) output.shift();
  };
  child.stdout.on('data', note);
  child.stderr.on('data', note);

  const waiting = new Map();
  const ready = new Promise((resolve, reject) => waiting.set('ready', {resolve, reject}));
  let calls = 0;
  child.on('message', ({id, result, error}) => {
    const {resolve, reject} = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(`${module}: ${error}`));
  });
  child.on('exit', (code, signal) => {
    children.delete(child);
    const last = output.join('').trim().split('\n').slice(-20).join('\n');
    const error = new Error(`${module} has ended (${signal ?? code})\n${last}`);
    for (const {reject} of waiting.values()) reject(error);
    waiting.clear();
  });
  await ready;
  return {
    name: module,
    call(name, ...args) {
      const id = ++calls;
      return new Promise((resolve, reject) => {
        waiting.set(id, {resolve, reject});
        child.send({id, name, args}, error => {
          if (error) reject(error);
        });
      });
    },
    end: () => endChild(child),
  };
}

/** Ends all that are left, and what they have written; none can be started afterwards. */
export async function endAll() {
  over = true;
  await Promise.all([...children].map(endChild));
  if (home) rmSync(home, {recursive: true, force: true});
}

/** A folder that the children work in, and all that they write goes with. */
function makeHome() {
  const folder = mkdtempSync(join(tmpdir(), 'live-entities-bench-'));
  process.once('exit', () => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

async function endChild(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  if (child.connected) child.disconnect();
  else child.kill('SIGTERM');
  const impatience = setTimeout(() => {
    killDescendants(child.pid);
    child.kill('SIGKILL');
  }, SECONDS_TO_END * 1000);
  await ended;
  clearTimeout(impatience);
}
