import {LiveEntityError} from '../../core/errors';

/** A token bucket: so many calls a second, with as many at once after a quiet second. */
export class RateLimit {
  private tokens: number;
  private refilled: number;

  constructor(
    private readonly perSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.tokens = perSecond;
    this.refilled = now();
  }

  /** @throws LiveEntityError `RATE_LIMITED` (429) */
  take(): void {
    const time = this.now();
    const earned = ((time - this.refilled) / 1000) * this.perSecond;
    this.tokens = Math.min(this.perSecond, this.tokens + earned);
    this.refilled = time;
    if (this.tokens < 1) {
      throw new LiveEntityError('RATE_LIMITED', `at most ${this.perSecond} calls a second`, 429);
    }
    this.tokens--;
  }
}
