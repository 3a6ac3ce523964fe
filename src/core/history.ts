import type {CommittedTransaction} from './change';

/**
 * The feed's recent transactions, in order.
 *
 * A transaction can reach Node before new snapshots see it, so a window that has just read its rows
 * replays from here whatever its snapshot does not see, also what was delivered before it began.
 * While a read is under way nothing is dropped.
 */
export class RecentTransactions {
  private transactions: CommittedTransaction[] = [];
  private weight = 0;
  private readers = 0;

  /** @param capacity changes kept while nobody reads; the last transaction is kept in any case */
  constructor(private readonly capacity = 10_000) {}

  add(transaction: CommittedTransaction): void {
    this.transactions.push(transaction);
    this.weight += weightOf(transaction);
    // Half as much again before cutting, so that cutting costs next to nothing per transaction.
    if (this.readers === 0 && this.weight > 1.5 * this.capacity) this.cut();
  }

  /** Keeps everything from now until the function that it answers is called. */
  hold(): () => void {
    let held = true;
    this.readers++;
    return () => {
      if (!held) return;
      held = false;
      this.readers--;
    };
  }

  unseenBy(sees: (id: number) => boolean): CommittedTransaction[] {
    return this.transactions.filter(({id}) => !sees(id));
  }

  clear(): void {
    this.transactions = [];
    this.weight = 0;
  }

  private cut(): void {
    let from = 0;
    while (this.weight > this.capacity && from < this.transactions.length - 1) {
      this.weight -= weightOf(this.transactions[from++]);
    }
    this.transactions = this.transactions.slice(from);
  }
}

function weightOf({changes}: CommittedTransaction): number {
  return 1 + changes.length;
}
