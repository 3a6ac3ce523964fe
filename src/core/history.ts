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
  private readers = 0;

  /** @param capacity transactions kept while nobody reads */
  constructor(private readonly capacity = 4096) {}

  add(transaction: CommittedTransaction): void {
    this.transactions.push(transaction);
    // Twice the capacity before cutting, so that cutting costs next to nothing per transaction.
    if (this.readers === 0 && this.transactions.length > 2 * this.capacity) this.cut();
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
  }

  private cut(): void {
    this.transactions = this.transactions.slice(-this.capacity);
  }
}
