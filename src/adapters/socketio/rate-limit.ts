import {LiveEntityError} from '../../core/errors';

/**
 * A token bucket: so many calls a second, with as many in a burst after a quiet second; and so many
 * that wait for their answer at the same time.
 */
export class RateLimit {
  private tokens: number;
  private refilled: number;
  private open = 0;

  constructor(
    private readonly perSecond: number,
    private readonly atOnce = Infinity,
    private readonly now: () => number = monotonic,
  ) {
    this.tokens = perSecond;
    this.refilled = now();
  }

  /**
   * Begins a call; to be told when it is done.
   *
   * @throws LiveEntityError `RATE_LIMITED` (429)
   */
  take(): () => void {
    const time = this.now();
    const earned = ((time - this.refilled) / 1000) * this.perSecond;
    this.tokens = Math.min(this.perSecond, this.tokens + earned);
    this.refilled = time;
    if (this.tokens < 1) {
      throw new LiveEntityError('RATE_LIMITED', `at most ${this.perSecond} calls a second`, 429);
    }
    if (this.open >= this.atOnce) {
      throw new LiveEntityError('RATE_LIMITED', `at most ${this.atOnce} calls at once`, 429);
    }
    this.tokens--;
    this.open++;
    return () => void this.open--;
  }
}

/** Of the module: a default made anew would be one for each connection. */
function monotonic(): number {
  return performance.now();
}
