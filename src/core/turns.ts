/** Milliseconds of work after which others get their turn. */
const SLICE_MS = 10;

/** Does one job after the other, and lets the process do something else now and then. */
export class Turns {
  private jobs: (() => void)[] = [];
  private next = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Jobs that are still to be done. */
  get size(): number {
    return this.jobs.length - this.next;
  }

  add(job: () => void): void {
    if (this.size === 0) setImmediate(() => this.work());
    this.jobs.push(job);
  }

  private work(): void {
    const until = this.now() + SLICE_MS;
    do this.jobs[this.next++]();
    while (this.size > 0 && this.now() < until);
    if (this.size > 0) {
      setImmediate(() => this.work());
      return;
    }
    this.jobs = [];
    this.next = 0;
  }
}
