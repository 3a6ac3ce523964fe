import {fork, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import type {RealtimeConfig} from '../../index';
import type {TestDatabase} from './databases';
import type {ShopReady, ShopSettings} from './shop-server';

/** The shop in a process of its own, which can be killed and started again on its port. */
export class ShopProcess {
  private child?: ChildProcess;
  private port = 0;
  private errors = '';

  constructor(
    private readonly database: TestDatabase,
    private readonly realtime: RealtimeConfig = {},
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get address(): {readonly host: string; readonly port: number} {
    return {host: '127.0.0.1', port: this.port};
  }

  async start(): Promise<void> {
    const {config} = this.database;
    const settings: ShopSettings = {config, realtime: this.realtime, port: this.port};
    const child = fork(join(__dirname, 'shop-server.js'), {
      env: {...process.env, SHOP: JSON.stringify(settings)},
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    const ended = once(child, 'exit').then(() => undefined);
    const ready = await Promise.race([once(child, 'message'), ended]);
    if (!ready) throw new Error(`the shop did not start:\n${this.errors}`);
    this.port = (ready[0] as ShopReady).port;
    this.child = child;
  }

  /** As the kernel does it when memory is short: no goodbye, nothing flushed. */
  async kill(): Promise<void> {
    const {child} = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
