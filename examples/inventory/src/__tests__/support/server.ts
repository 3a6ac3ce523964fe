import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {homeOutside} from '../../database/cluster';

const PROGRAM = join(__dirname, '../../main.js');

/** How a server ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

const running = new Set<ServerProcess>();

/** A test that failed leaves its server running; nothing may be left after the last one. */
after(async () => {
  const left = [...running];
  for (const server of left) server.signal('SIGKILL');
  await Promise.all(left.map(server => server.ended));
});

/** The inventory as a process of its own, as `npm start` runs it. */
export class ServerProcess {
  output = '';
  errors = '';
  readonly ended: Promise<End>;
  private readonly child: ChildProcess;

  constructor(env: NodeJS.ProcessEnv) {
    running.add(this);
    // Its own process group, so that a signal can be sent to all of it, as a terminal does.
    this.child = spawn(process.execPath, [PROGRAM], {
      env: {...process.env, DATABASE_URL: '', HOST: '', PORT: '0', ...env},
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      running.delete(this);
      return {code, signal, output: this.output, errors: this.errors} as End;
    });
  }

  /** Waits for a text on the standard output; fails when the server ends without it. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found) return found;
      const more = this.child.stdout ? once(this.child.stdout, 'data') : this.ended;
      const end = await Promise.race([more.then(() => undefined), this.ended]);
      if (end && !pattern.test(this.output)) {
        throw new Error(`It ended without ${pattern}:\n${this.output}\n${this.errors}`);
      }
    }
  }

  /** Waits until it serves, and answers where. */
  async url(): Promise<string> {
    const [, url] = await this.says(/Health +(http:\S+)\/health/);
    await this.says(/Ctrl-C stops everything/);
    return url;
  }

  /** Sends a signal to the server and everything in its process group. */
  signal(name: NodeJS.Signals): void {
    if (this.child.pid && this.child.exitCode === null) process.kill(-this.child.pid, name);
  }

  /** Stops it as Ctrl-C does. */
  async stop(): Promise<End> {
    this.signal('SIGINT');
    return this.ended;
  }
}

/** A folder for data that is deleted after the tests of the suite, also where it was moved to. */
export function givenDataDir(): {readonly path: string} {
  const path = mkdtempSync(join(tmpdir(), 'inventory-'));
  after(() => {
    rmSync(path, {recursive: true, force: true});
    rmSync(homeOutside(path), {recursive: true, force: true});
  });
  return {path};
}
