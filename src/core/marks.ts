import {FeedInterruptedError} from './errors';

const MAX_EARLY = 1000;

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/** Brings readers and the marks together that they left in the feed, whichever comes first. */
export class MarkBoard {
  private readonly waiting = new Map<string, Waiting>();
  private readonly early = new Set<string>();

  /** Resolves when the feed has delivered the mark; rejects when the feed is interrupted before. */
  arrival(mark: string): Promise<void> {
    if (this.early.delete(mark)) return Promise.resolve();
    return new Promise((resolve, reject) => this.waiting.set(mark, {resolve, reject}));
  }

  /** A mark can come before its reader has had the answer to its read. */
  arrive(mark: string): void {
    const waiting = this.waiting.get(mark);
    if (waiting) {
      this.waiting.delete(mark);
      waiting.resolve();
      return;
    }
    this.early.add(mark);
    if (this.early.size > MAX_EARLY) this.early.delete(this.early.values().next().value!);
  }

  /** What is awaited will not come any more. */
  interrupt(): void {
    this.early.clear();
    for (const {reject} of this.waiting.values()) reject(new FeedInterruptedError());
    this.waiting.clear();
  }
}
