import assert from 'node:assert/strict';
import type {Change, CommittedTransaction, RowImage} from '../../core/change';
import type {LiveHub} from '../../core/hub';
import type {Random} from './random';

/** How many of ten steps are a commit, and how many a delivery; the rest answers a read. */
export interface Chances {
  readonly commits: number;
  readonly deliveries: number;
}

/** A database whose commits, snapshots and feed are moved by chance. All its states are kept. */
export class ChanceDatabase<State> {
  readonly history: State[];
  private readonly log: CommittedTransaction[] = [];
  private readonly inFlight: (() => void)[] = [];
  private delivered = 0;
  private marks = 0;

  constructor(
    private readonly random: Random,
    first: State,
    private readonly chances: Chances,
  ) {
    this.history = [first];
  }

  get now(): State {
    return this.history[this.history.length - 1];
  }

  committed(state: State, changes: readonly Change[]): void {
    this.history.push(state);
    this.log.push({id: this.history.length - 1, changes, marks: []});
  }

  /** A snapshot can be behind what was delivered; its mark comes after all that it sees. */
  async read(limit: number, select: (state: State) => RowImage[]) {
    const last = this.history.length - 1;
    const seen = Math.max(0, last - (this.random.chance(0.5) ? 0 : this.random.below(3)));
    const all = select(this.history[seen]);
    const mark = `mark ${++this.marks}`;
    this.log.push({id: 1_000_000 + this.marks, changes: [], marks: [mark]});
    await new Promise<void>(resolve => this.inFlight.push(resolve));
    return {
      rows: all.slice(0, limit), total: all.length, sees: (id: number) => id <= seen, mark,
    };
  }

  /** Something happens: a commit, a delivery, the answer to a read. */
  async step(hub: LiveHub, commit: () => void): Promise<void> {
    const what = this.random.below(10);
    if (what < this.chances.commits) commit();
    else if (what < this.chances.commits + this.chances.deliveries) this.deliver(hub);
    else this.inFlight.splice(this.random.below(this.inFlight.length || 1), 1)[0]?.();
    await promisesToRun();
  }

  /** Steps until something is so. */
  async stepUntil(done: () => boolean, hub: LiveHub, commit: () => void): Promise<void> {
    for (let steps = 0; !done(); steps++) {
      assert.ok(steps < 2000, 'there is never a page');
      await this.step(hub, commit);
    }
  }

  /** Everything is delivered and answered. */
  async settle(hub: LiveHub): Promise<void> {
    for (let [quiet, rounds] = [0, 0]; quiet < 5; quiet++) {
      assert.ok(++rounds < 1000, 'it never comes to rest');
      if (this.delivered < this.log.length || this.inFlight.length > 0) quiet = 0;
      this.deliver(hub);
      this.inFlight.shift()?.();
      await promisesToRun();
    }
  }

  private deliver(hub: LiveHub): void {
    const transaction = this.log[this.delivered];
    if (!transaction) return;
    this.delivered++;
    hub.committed(transaction);
  }
}

/** A step's promises lead to others; there are never as many in a row. */
async function promisesToRun(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}
