/**
 * Has work begin one piece in each turn of the event loop, in the order in which it came.
 *
 * When thousands of clients come back at once, Node takes all that they have sent out of the kernel
 * in one turn. If each were served there and then, nobody else would be for the time of them all:
 * here they wait for a turn each, and timers, the database and other clients come in between.
 * Work that nobody is ahead of begins at once.
 */
export class Turns {
  private waiting: (() => void)[] = [];
  private next = 0;
  private isTaken = false;

  take(work: () => void): void {
    if (this.isTaken) this.waiting.push(work);
    else this.begin(work);
  }

  /** Resolves when it is one's turn. */
  mine(): Promise<void> {
    return new Promise(resolve => this.take(resolve));
  }

  private begin(work: () => void): void {
    this.isTaken = true;
    setImmediate(this.goOn);
    work();
  }

  private readonly goOn = (): void => {
    this.isTaken = false;
    if (this.next === this.waiting.length) {
      this.waiting = [];
      this.next = 0;
    } else {
      const work = this.waiting[this.next];
      this.waiting[this.next++] = nothing;
      this.begin(work);
    }
  };
}

function nothing(): void {
  // What has begun is not to be kept.
}
