/** Milliseconds of work after which others get their turn. */
const SLICE_MS = 10;

/** Changes, each as often as a window looks at it, that are dealt with in one go. */
const AT_ONCE = 5000;

const nothing = () => undefined;

/** Does one job after the other, and lets the process do something else now and then. */
export class Slices {
  private jobs: (() => void)[] = [];
  private next = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Jobs that are still to be done. */
  get size(): number {
    return this.jobs.length - this.next;
  }

  /**
   * Does jobs at once where they are little work together, else one after the other, with others
   * served in between.
   *
   * @param work Changes that they look at
   */
  run(jobs: readonly (() => void)[], work: number): void {
    for (const job of jobs) {
      if (work > AT_ONCE) this.add(job);
      else job();
    }
  }

  add(job: () => void): void {
    if (this.size === 0) setImmediate(() => this.work());
    this.jobs.push(job);
  }

  private work(): void {
    const until = this.now() + SLICE_MS;
    do {
      const job = this.jobs[this.next];
      // What is done must not keep its window alive until all are.
      this.jobs[this.next++] = nothing;
      job();
    } while (this.size > 0 && this.now() < until);
    if (this.size > 0) {
      setImmediate(() => this.work());
      return;
    }
    this.jobs = [];
    this.next = 0;
  }
}
