import {LiveEntityError} from '../../core/errors';

/** Milliseconds in which the attempts of a key are earned back. */
const WINDOW = 5 * 60_000;
/** Attempts that may wait for one key. */
const WAITING = 1000;

/** What attempts are counted by, how many may fail, and how many an attempt counts for. */
export interface Key {
  readonly id: string;
  readonly allowed: number;
  readonly weight: number;
}

interface Failures {
  count: number;
  since: number;
}

interface Waiting {
  readonly keys: readonly Key[];
  begin(): void;
  refuse(error: Error): void;
}

/**
 * How many attempts may still fail, key by key. An attempt counts from its beginning, so that a
 * burst of guesses cannot pass. Where only those that are under way leave no room, the next waits
 * until they are answered: a burst of right ones passes, in its order, a few at a time. Where those
 * that have failed leave none, it is refused.
 */
export class LoginAllowance {
  private readonly failures = new Map<string, Failures>();
  /** What the attempts that are under way count for; a key that has some waiting has some here. */
  private readonly underWay = new Map<string, number>();
  /** Each waits at the first of its keys that has no room. */
  private readonly queues = new Map<string, Waiting[]>();

  constructor(
    private readonly now: () => number,
    private readonly remembered: number,
    private readonly waiting = WAITING,
  ) {}

  /**
   * Resolves when an attempt may begin; it is to {@link leave} then.
   *
   * @param mayWait whether it is small enough to be kept meanwhile
   * @throws LiveEntityError `TOO_MANY_ATTEMPTS` (429); `details.retryAfter` in seconds
   */
  async enter(keys: readonly Key[], mayWait: () => boolean): Promise<void> {
    // With time there is room for those who wait already.
    for (const {id} of keys) this.advance(id);
    this.checkFailures(keys);
    const full = keys.find(key => this.queues.has(key.id) || this.isFull(key));
    if (!full) return this.begin(keys);
    const isCrowded = (this.queues.get(full.id)?.length ?? 0) >= this.waiting;
    if (isCrowded || !mayWait()) throw tooMany(this.longest(keys, key => this.current(key)));
    await new Promise<void>((begin, refuse) => this.file(full, {keys, begin, refuse}));
  }

  /** An attempt is answered. What it counted for is given back unless it `failed`. */
  leave(keys: readonly Key[], outcome: 'failed' | 'back'): void {
    for (const key of keys) {
      const rest = (this.underWay.get(key.id) ?? 0) - key.weight;
      if (rest > 0) this.underWay.set(key.id, rest);
      else this.underWay.delete(key.id);
      if (outcome === 'back') this.count(key, -key.weight);
    }
    for (const {id} of keys) this.advance(id);
  }

  private begin(keys: readonly Key[]): void {
    for (const key of keys) {
      this.underWay.set(key.id, (this.underWay.get(key.id) ?? 0) + key.weight);
      this.count(key, key.weight);
    }
  }

  private file({id}: Key, attempt: Waiting): void {
    const queue = this.queues.get(id);
    if (queue) queue.push(attempt);
    else this.queues.set(id, [attempt]);
  }

  /** Lets those go on who wait at a key, one after the other, until there is no room for one. */
  private advance(id: string): void {
    const queue = this.queues.get(id);
    if (!queue) return;
    let gone = 0;
    while (gone < queue.length && this.goesOn(queue[gone], id)) gone++;
    queue.splice(0, gone);
    if (queue.length === 0) this.queues.delete(id);
  }

  /** Whether one who waits at a key does so no longer: it begins, waits elsewhere or is refused. */
  private goesOn(attempt: Waiting, id: string): boolean {
    const {keys} = attempt;
    try {
      this.checkFailures(keys);
    } catch (error) {
      attempt.refuse(error as Error);
      return true;
    }
    const full = keys.find(key => this.isFull(key));
    if (full) {
      if (full.id !== id) this.file(full, attempt);
      return full.id !== id;
    }
    this.begin(keys);
    attempt.begin();
    return true;
  }

  private checkFailures(keys: readonly Key[]): void {
    const wait = this.longest(keys, key => this.failed(key));
    if (wait > 0) throw tooMany(wait);
  }

  /** Milliseconds until there is room at all keys, a whole attempt at a time. */
  private longest(keys: readonly Key[], counted: (key: Key) => number): number {
    return Math.max(...keys.map(key => (excess(key, counted(key)) / key.allowed) * WINDOW));
  }

  private isFull(key: Key): boolean {
    return excess(key, this.current(key)) > 0;
  }

  private count(key: Key, change: number): void {
    const count = Math.max(0, this.current(key) + change);
    this.failures.delete(key.id);
    if (count === 0) return;
    this.failures.set(key.id, {count, since: this.now()});
    if (this.failures.size > this.remembered) {
      this.failures.delete(this.failures.keys().next().value!);
    }
  }

  /** What counts of those that have failed and those that are under way. */
  private current({id, allowed}: Key): number {
    const known = this.failures.get(id);
    if (!known) return 0;
    return Math.max(0, known.count - ((this.now() - known.since) / WINDOW) * allowed);
  }

  private failed(key: Key): number {
    return Math.max(0, this.current(key) - (this.underWay.get(key.id) ?? 0));
  }
}

/** By how much an attempt would be too many where so many count already. */
function excess({allowed, weight}: Key, counted: number): number {
  return Math.max(0, counted + Math.min(weight, allowed) - allowed);
}

function tooMany(wait: number): LiveEntityError {
  const retryAfter = Math.max(1, Math.ceil(wait / 1000));
  const message = `too many failed logins; try again in ${retryAfter} seconds`;
  return new LiveEntityError('TOO_MANY_ATTEMPTS', message, 429, {retryAfter});
}
