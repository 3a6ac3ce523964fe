import type {Change, CommittedTransaction} from '../../core/change';
import type {FeedSink} from '../../core/ports';

/** A sink that remembers what a feed delivered, and lets a test wait for it. */
export class Recorder implements FeedSink {
  readonly transactions: CommittedTransaction[] = [];
  /** `interrupted` and `resumed`, in order. */
  readonly events: string[] = [];
  private readonly waiting = new Set<() => void>();

  committed(transaction: CommittedTransaction): void {
    this.transactions.push(transaction);
    this.wake();
  }

  interrupted(): void {
    this.events.push('interrupted');
    this.wake();
  }

  resumed(): void {
    this.events.push('resumed');
    this.wake();
  }

  /** Resolves as soon as the condition holds, which is asked after each delivery. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>(resolve => this.waiting.add(resolve));
  }

  /** All changes so far of rows with this key. */
  changesOf(key: string): Change[] {
    const all = this.transactions.flatMap(({changes}) => changes);
    return all.filter(change => keyOf(change) === key);
  }

  /** Waits until a row with this key was inserted, and answers all transactions up to there. */
  async upTo(key: string): Promise<CommittedTransaction[]> {
    const inserts = ({changes}: CommittedTransaction) =>
      changes.some(change => change.kind === 'insert' && change.after.key === key);
    await this.until(() => this.transactions.some(inserts));
    return this.transactions.slice(0, this.transactions.findIndex(inserts) + 1);
  }

  forget(): void {
    this.transactions.length = 0;
    this.events.length = 0;
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

function keyOf(change: Change): string | undefined {
  switch (change.kind) {
    case 'insert':
    case 'update':
      return change.after.key;
    case 'delete':
      return change.before.key;
    case 'truncate':
      return undefined;
  }
}
