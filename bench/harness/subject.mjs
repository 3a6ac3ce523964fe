/**
 * The inside of a child process of the bench: it answers the runner's calls, and measures itself.
 * A child ends when its runner does, however that ends.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {Session} from 'node:inspector/promises';
import {createRequire} from 'node:module';
import {basename, join} from 'node:path';
import {monitorEventLoopDelay} from 'node:perf_hooks';
import {killDescendants} from './processes.mjs';

/** The clock that all processes of a machine share, in milliseconds. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Runs the work and says what it took: milliseconds of the clock and of this process's CPU. */
export async function measured(work) {
  const cpu = process.cpuUsage();
  const start = now();
  const result = await work();
  const wallMs = now() - start;
  const {user, system} = process.cpuUsage(cpu);
  return {wallMs, cpuMs: (user + system) / 1000, result};
}

/** Offers these functions to the runner, beside those that every subject has. */
export function serve(handlers) {
  const all = {...common(), ...handlers};
  process.on('message', async ({id, name, args}) => {
    try {
      if (!all[name]) throw new Error(`the subject has no ${name}()`);
      const result = await all[name](...args);
      if (name === 'open') await startProfile();
      process.send({id, result});
    } catch (error) {
      process.send({id, error: error?.stack ?? String(error)});
    }
  });
  process.on('disconnect', () => void stopProfile().finally(() => process.exit()));
  // What a peer has started would stay: some put it into process groups of its own.
  process.once('exit', () => killDescendants());
  // Ctrl-C in the terminal reaches the whole group; the runner ends its children in order.
  process.on('SIGINT', () => undefined);
  process.send({id: 'ready'});
}

let profiler;

/** From here on only: what a program loads and compiles when it starts is another matter. */
async function startProfile() {
  if (!process.env.BENCH_PROFILES) return;
  profiler = new Session();
  profiler.connect();
  await profiler.post('Profiler.enable');
  await profiler.post('Profiler.start');
}

async function stopProfile() {
  if (!profiler) return;
  const {profile} = await profiler.post('Profiler.stop');
  const folder = process.env.BENCH_PROFILES;
  const name = `${basename(process.argv[1], '.mjs')}-${process.pid}.cpuprofile`;
  mkdirSync(folder, {recursive: true});
  writeFileSync(join(folder, name), JSON.stringify(profile));
}

function common() {
  let statements = [];
  let delay;
  let cpu = process.cpuUsage();
  return {
    /** Milliseconds of CPU since the last call. */
    cpuMs() {
      const {user, system} = process.cpuUsage(cpu);
      cpu = process.cpuUsage();
      return (user + system) / 1000;
    },
    /** Bytes, after everything that can be collected has been. */
    async memory() {
      for (let i = 0; i < 4; i++) {
        global.gc();
        await new Promise(resolve => setTimeout(resolve, 50));
      }
      const {rss, heapUsed, external} = process.memoryUsage();
      return {rss, heapUsed, external};
    },
    /** Begins to watch for blocks of the event loop, and to note the statements sent. */
    watch() {
      statements = [];
      noteStatements(text => statements.push(text));
      delay = monitorEventLoopDelay({resolution: 1});
      delay.enable();
    },
    /** The longest block since `watch()`, in milliseconds, and the texts of statements. */
    seen() {
      delay.disable();
      return {blockMs: delay.max / 1e6, statements};
    },
  };
}

let noting;

/** Every statement of every `pg` client of this process, whatever library sends it. */
function noteStatements(note) {
  if (!noting) {
    const {Client} = createRequire(process.argv[1])('pg');
    const query = Client.prototype.query;
    Client.prototype.query = function (...args) {
      noting(args[0]?.text ?? String(args[0]));
      return query.apply(this, args);
    };
  }
  noting = note;
}
