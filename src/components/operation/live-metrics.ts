import type {HubCounters} from '../../core/counters';
import type {LiveStatus} from '../../core/status';

/** What the live side knows of itself, at one moment. */
export interface LiveMetrics {
  readonly counters: HubCounters;
  readonly feeds: LiveStatus['feeds'];
  readonly connections: number;
  /** Calls and handshakes that were refused since the start, by code. */
  readonly refused: ReadonlyMap<string, number>;
}

/** A number with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric by its name for Prometheus. Those that only grow end in `_total`. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  read(metrics: LiveMetrics): readonly Sample[];
}

const PREFIX = 'live_entities_';

const GROWING: Readonly<Record<Exclude<keyof HubCounters, keyof typeof PRESENT>, string>> = {
  transactions: 'Transactions that the change feeds have delivered',
  probes: 'Times that a window was handed a transaction that may concern it',
  reads: "Statements that read a window's rows",
  asks: 'Statements that had the database judge what Node cannot',
  deltas: 'Deltas sent, each counted once whatever the number of its subscribers',
  coalesced: 'Deltas that took the place of several for a client that was behind',
  refusals: 'Subscriptions refused because the server keeps as many windows as it may',
  resyncs: 'Times that all windows were read anew because a feed was interrupted',
  audits: 'Windows that were compared with the database',
  auditDivergences: 'Windows of which the comparison showed other rows',
  divergences: "Pages that a client found to differ from the server's",
};

const PRESENT = {
  windows: 'Windows kept live',
  channels: 'Pages kept live, a window as one audience sees it',
  subscribers: 'Subscriptions',
  waiting: 'Subscriptions whose connection is behind',
  residue: 'Windows that no index helps to find',
  rows: 'Rows that all windows hold, each as often as it is held',
} as const;

/** Every metric of the live side. */
export const METRICS: readonly Metric[] = [
  ...Object.entries(GROWING).map(([name, help]) =>
    counted(`${snake(name)}_total`, help, name as keyof HubCounters)),
  ...Object.entries(PRESENT).map(([name, help]) => counted(name, help, name as keyof HubCounters)),
  single('connections', 'Connected clients', ({connections}) => connections),
  {
    name: `${PREFIX}refused_total`,
    help: 'Calls and handshakes that were refused',
    labelNames: ['code'],
    read: ({refused}) => [...refused].map(([code, value]) => ({labels: {code}, value})),
  },
  ofFeeds('feed_up', 'Whether the change feed delivers', ({state}) => Number(state === 'live')),
  ofFeeds(
    'feed_lag_seconds',
    "From the last transaction's commit to its delivery",
    ({lagMs}) => lagMs === undefined ? undefined : lagMs / 1000,
  ),
  ofFeeds(
    'feed_lag_bytes',
    'Log that the database keeps for the change feed, as of at most five seconds ago',
    ({lagBytes}) => lagBytes,
  ),
];

function counted(name: string, help: string, of: keyof HubCounters): Metric {
  return single(name, help, ({counters}) => counters[of]);
}

function single(name: string, help: string, read: (metrics: LiveMetrics) => number): Metric {
  return {
    name: PREFIX + name,
    help,
    labelNames: [],
    read: metrics => [{labels: {}, value: read(metrics)}],
  };
}

function ofFeeds(
  name: string,
  help: string,
  read: (feed: LiveStatus['feeds'][number]) => number | undefined,
): Metric {
  return {
    name: PREFIX + name,
    help,
    labelNames: ['feed'],
    read: ({feeds}) => feeds.flatMap((feed, index) => {
      const value = read(feed);
      // Two data sources can have feeds of the same name.
      const label = feeds.length === 1 ? feed.name : `${feed.name}-${index + 1}`;
      return value === undefined ? [] : [{labels: {feed: label}, value}];
    }),
  };
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}
