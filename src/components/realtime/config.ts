import {FILTER_TIMEOUT} from '../../core/access';
import type {RealtimeConfig, RealtimeLimits} from './types';

/** The configuration with every default filled in. */
export type ResolvedRealtimeConfig = RealtimeConfig &
  Required<
    Pick<
      RealtimeConfig,
      | 'path'
      | 'logger'
      | 'defaultPageSize'
      | 'maxPageSize'
      | 'cacheDisabled'
      | 'cacheDuration'
      | 'blockPreByDefault'
      | 'blockPostByDefault'
      | 'feed'
      | 'enabled'
      | 'filterTimeout'
    >
  > & {readonly limits: Required<RealtimeLimits>};

const LIMITS: Required<RealtimeLimits> = {
  subscriptionsPerSocket: 100,
  rowsPerSocket: 100_000,
  opsPerSecond: 200,
  callsAtOnce: 500,
  payloadBytes: 100_000,
  depth: 32,
  viewParams: 10_000,
  offset: 10_000,
  bufferedBytes: 4 * 2 ** 20,
  slowBytes: 64 * 2 ** 10,
  connectionsPerAddress: Infinity,
  loginAttempts: 10,
  windows: 50_000,
  rows: 1_000_000,
};

const FEEDS: readonly unknown[] = ['auto', 'repository', 'postgres'];

const DEFAULTS = {
  path: '/realtime',
  logger: console,
  defaultPageSize: 10,
  maxPageSize: 1000,
  cacheDisabled: false,
  cacheDuration: 10_000,
  blockPreByDefault: false,
  blockPostByDefault: false,
  feed: 'auto',
  enabled: true,
  filterTimeout: FILTER_TIMEOUT,
} as const;

/**
 * Fills in the defaults.
 *
 * @throws Error when a value cannot be meant
 */
export function resolveConfig(config: RealtimeConfig = {}): ResolvedRealtimeConfig {
  const limits = {...LIMITS, ...given(config.limits ?? {})};
  const resolved: ResolvedRealtimeConfig = {...DEFAULTS, ...given(config), limits};
  const {defaultPageSize, maxPageSize, cacheDuration, feed, filterTimeout} = resolved;
  if (typeof feed !== 'object' && !FEEDS.includes(feed)) {
    throw new Error(`realtime: feed '${String(feed)}' is not one of '${FEEDS.join("', '")}'`);
  }
  const numbers = {...limits, defaultPageSize, maxPageSize, filterTimeout};
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value > 0)) throw new Error(`realtime: ${name} must be a number above 0`);
  }
  if (!(cacheDuration >= 0)) throw new Error('realtime: cacheDuration must be a number from 0');
  if (resolved.audit && !(resolved.audit.interval > 0)) {
    throw new Error('realtime: audit.interval must be a number of milliseconds above 0');
  }
  if (defaultPageSize > maxPageSize) {
    throw new Error('realtime: defaultPageSize is larger than maxPageSize');
  }
  return resolved;
}

/** What is undefined counts as left out. */
function given<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([, v]) => v !== undefined)) as T;
}
