import type {CommittedTransaction} from './change';

/**
 * The feed's recent transactions, in order.
 *
 * A transaction can reach Node before new snapshots see it, so a window that has just read its rows
 * replays from here whatever its snapshot does not see, also what was delivered before it began.
 * For each read that is under way, what came since it began stays, and as much before as is kept in
 * any case; so reads that overlap without end do not keep everything.
 */
export class RecentTransactions {
  private transactions: CommittedTransaction[] = [];
  /** Weights of all that was ever added, and of what was dropped of it. */
  private added = 0;
  private dropped = 0;
  /** Reads under way, the oldest first. */
  private readonly reads = new Set<{readonly since: number}>();

  /** @param capacity changes kept before the oldest read; the last transaction is always kept */
  constructor(private readonly capacity = 10_000) {}

  get size(): number {
    return this.transactions.length;
  }

  add(transaction: CommittedTransaction): void {
    this.transactions.push(transaction);
    this.added += weightOf(transaction);
    const [oldest] = this.reads;
    const since = oldest?.since ?? this.added;
    // Half as much again before cutting, so that cutting costs next to nothing per transaction.
    if (since - this.dropped > 1.5 * this.capacity) this.cut(since - this.capacity);
  }

  /** Keeps everything from now until the function that it answers is called. */
  hold(): () => void {
    const read = {since: this.added};
    this.reads.add(read);
    return () => void this.reads.delete(read);
  }

  unseenBy(sees: (id: number) => boolean): CommittedTransaction[] {
    return this.transactions.filter(({id}) => !sees(id));
  }

  clear(): void {
    this.transactions = [];
    this.dropped = this.added;
  }

  private cut(until: number): void {
    let from = 0;
    while (from < this.transactions.length - 1) {
      const after = this.dropped + weightOf(this.transactions[from]);
      if (after > until) break;
      this.dropped = after;
      from++;
    }
    this.transactions = this.transactions.slice(from);
  }
}

function weightOf({changes}: CommittedTransaction): number {
  return 1 + changes.length;
}
