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
    >
  > & {readonly limits: Required<RealtimeLimits>};

/**
 * Fills in the defaults.
 *
 * @throws Error when a value cannot be meant
 */
export function resolveConfig(config: RealtimeConfig = {}): ResolvedRealtimeConfig {
  const resolved: ResolvedRealtimeConfig = {
    ...config,
    path: config.path ?? '/realtime',
    logger: config.logger ?? console,
    defaultPageSize: config.defaultPageSize ?? 10,
    maxPageSize: config.maxPageSize ?? 1000,
    cacheDisabled: config.cacheDisabled ?? false,
    cacheDuration: config.cacheDuration ?? 10_000,
    blockPreByDefault: config.blockPreByDefault ?? false,
    blockPostByDefault: config.blockPostByDefault ?? false,
    feed: config.feed ?? 'auto',
    enabled: config.enabled ?? true,
    limits: {
      subscriptionsPerSocket: config.limits?.subscriptionsPerSocket ?? 100,
      opsPerSecond: config.limits?.opsPerSecond ?? 100,
      payloadBytes: config.limits?.payloadBytes ?? 100_000,
      offset: config.limits?.offset ?? 10_000,
      bufferedBytes: config.limits?.bufferedBytes ?? 4 * 2 ** 20,
    },
  };
  const {defaultPageSize, maxPageSize, cacheDuration, limits, feed} = resolved;
  if (feed !== 'auto' && feed !== 'postgres') {
    throw new Error(`realtime: feed '${String(feed)}' is not one of 'auto', 'postgres'`);
  }
  for (const [name, value] of Object.entries({...limits, defaultPageSize, maxPageSize})) {
    if (!(value > 0)) throw new Error(`realtime: ${name} must be a number above 0`);
  }
  if (!(cacheDuration >= 0)) throw new Error('realtime: cacheDuration must be a number from 0');
  if (defaultPageSize > maxPageSize) {
    throw new Error('realtime: defaultPageSize is larger than maxPageSize');
  }
  return resolved;
}
