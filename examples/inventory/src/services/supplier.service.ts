import {BindingScope, inject, lifeCycleObserver} from '@loopback/core';
import {fork, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {InventoryBindings} from '../keys';

export interface SupplierState {
  readonly running: boolean;
}

/** Starts and stops the supplier as a process of its own, for the switch on the page. */
@lifeCycleObserver('supplier', {scope: BindingScope.SINGLETON})
export class SupplierService {
  private child: ChildProcess | undefined;

  constructor(@inject(InventoryBindings.DATABASE) private readonly database: {url: string}) {}

  get state(): SupplierState {
    return {running: this.child !== undefined};
  }

  switchOn(): SupplierState {
    if (this.child) return this.state;
    const child = fork(join(__dirname, '..', 'supplier.js'), {
      env: {...process.env, SUPPLIER_DATABASE_URL: this.database.url},
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.child = child;
    const gone = () => {
      if (this.child === child) this.child = undefined;
    };
    child.once('error', gone).once('exit', gone);
    return this.state;
  }

  async switchOff(): Promise<SupplierState> {
    const child = this.child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 2000);
      await exit;
      clearTimeout(late);
    }
    return this.state;
  }

  /** Called when the application stops, before its database does. */
  async stop(): Promise<void> {
    await this.switchOff();
  }
}
