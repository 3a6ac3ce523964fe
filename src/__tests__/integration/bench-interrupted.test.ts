import assert from 'node:assert/strict';
import {execFileSync, spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, readFileSync} from 'node:fs';
import {chmod, mkdir, mkdtemp, readdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';

const root = resolve(__dirname, '../../..').replace(/[\\/]\.build$/, '');

describe('the bench, interrupted', function () {
  this.timeout(60_000);
  let folder: string;
  let bench: ChildProcess;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'live-entities-interrupted-'));
    // Where the tests run as root, PostgreSQL runs as somebody else.
    await chmod(folder, 0o755);
    await mkdir(join(folder, 'here'));
    await mkdir(join(folder, 'tmp'));
    await chmod(join(folder, 'tmp'), 0o777);
  });

  afterEach(async () => {
    if (bench.exitCode === null) bench.kill('SIGKILL');
    await rm(folder, {recursive: true, force: true});
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`leaves no process, no database and no file after ${signal} in the middle`, async () => {
      bench = givenBench('bulk', '--quick', '--no-build');
      const started = await whenProcessesOf(bench.pid!, args => /repository\.mjs/.test(args));
      assert.ok(started.some(({args}) => args.includes(join(folder, 'tmp'))), 'PostgreSQL runs');
      bench.kill(signal);
      const [code] = (await once(bench, 'exit')) as [number];
      assert.equal(code, 130);
      assert.deepEqual(started.filter(({pid}) => isAlive(pid)), []);
      assert.deepEqual(await readdir(join(folder, 'tmp')), []);
      assert.deepEqual(await readdir(join(folder, 'here')), []);
    });
  }

  function givenBench(...args: string[]) {
    return spawn(process.execPath, [join(root, 'bench/main.mjs'), ...args], {
      cwd: join(folder, 'here'),
      env: {...process.env, TMPDIR: join(folder, 'tmp')},
      stdio: 'ignore',
    });
  }

  /** The processes under it, once one of them is what is waited for. */
  async function whenProcessesOf(pid: number, isThere: (args: string) => boolean) {
    for (;;) {
      const found = descendants(pid);
      if (found.some(({args}) => isThere(args))) return found;
      assert.equal(bench.exitCode, null, 'the bench has ended by itself');
      await new Promise(again => setTimeout(again, 20));
    }
  }
});

interface Process {
  pid: number;
  parent: number;
  args: string;
}

function descendants(of: number): Process[] {
  const all = process.platform === 'linux' ? readProcFs() : askPs();
  const under = (parent: number): Process[] =>
    all.filter(each => each.parent === parent).flatMap(each => [each, ...under(each.pid)]);
  return under(of);
}

/** A small Linux has no `ps`. */
function readProcFs(): Process[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(name => {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return [{pid: Number(name), parent: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]), args}];
    } catch {
      return [];
    }
  });
}

function askPs(): Process[] {
  const columns = ['-o', 'pid=', '-o', 'ppid=', '-o', 'args='];
  const text = execFileSync('ps', ['-A', ...columns], {encoding: 'utf8'});
  return text.split('\n').flatMap(line => {
    const [, pid, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid ? [{pid: Number(pid), parent: Number(parent), args}] : [];
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
