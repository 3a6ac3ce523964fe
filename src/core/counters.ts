/** What happened on the live side since its start, each a number that only grows. */
export interface Totals {
  /** Transactions delivered by the feed. */
  readonly transactions: number;
  /** Times that a window was handed a transaction that may concern it. */
  readonly probes: number;
  /** Statements that read a window's rows: first ones, refills and resyncs. */
  readonly reads: number;
  /** Statements that had the database judge what Node cannot. */
  readonly asks: number;
  /** Deltas sent, each counted once whatever the number of its subscribers. */
  readonly deltas: number;
  /** Deltas that took the place of several for a client that was behind. */
  readonly coalesced: number;
  /** Subscriptions refused because the server keeps as many windows as it may. */
  readonly refusals: number;
  /** Times that all windows were read anew: the feed was interrupted. */
  readonly resyncs: number;
  /** Windows that were compared with the database. */
  readonly audits: number;
  /** Windows of which the comparison showed other rows. */
  readonly auditDivergences: number;
  /** Pages that a client found to differ from the server's, and read anew. */
  readonly divergences: number;
}

/** The totals, and what is there at the moment. */
export interface HubCounters extends Totals {
  readonly windows: number;
  readonly channels: number;
  /** Subscriptions, over all channels. */
  readonly subscribers: number;
  /** Subscriptions whose connection is behind, and which get one delta once it has caught up. */
  readonly waiting: number;
  /** Windows that no index helps to find: each change of their entity asks them all. */
  readonly residue: number;
  /** Rows that all windows hold, each as often as it is held. */
  readonly rows: number;
}

/** The counters of several hubs as those of one. */
export function sumOf(all: readonly HubCounters[]): HubCounters {
  const sum: Record<keyof HubCounters, number> = {
    ...new Tally().snapshot,
    windows: 0, channels: 0, subscribers: 0, waiting: 0, residue: 0, rows: 0,
  };
  for (const each of all) {
    for (const name of Object.keys(sum) as (keyof HubCounters)[]) sum[name] += each[name];
  }
  return sum;
}

/** Counts up. */
export class Tally {
  private readonly totals: {-readonly [K in keyof Totals]: number} = {
    transactions: 0, probes: 0, reads: 0, asks: 0, deltas: 0, coalesced: 0, refusals: 0,
    resyncs: 0, audits: 0, auditDivergences: 0, divergences: 0,
  };

  add(what: keyof Totals, amount = 1): void {
    this.totals[what] += amount;
  }

  get snapshot(): Totals {
    return {...this.totals};
  }
}
