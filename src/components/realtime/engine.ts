import type {Context} from '@loopback/core';
import {sumOf, type HubCounters} from '../../core/counters';
import {asUnavailable} from '../../core/database-errors';
import type {LiveStatus} from '../../core/status';
import {LiveEntitiesBindings} from '../../keys';
import {LiveControllers} from './live.controller';
import {LiveService} from './live.service';
import {findLiveRepositories} from './registry';
import type {ResolvedRealtimeConfig} from './config';
import {LiveSources, type LiveSource, type SourcePublisher} from './sources';
import {noticeUpdate, type UpdateNotice} from './update-notice';
import {RowValidator} from './validate';

/**
 * Everything live of one application while it runs: for each datasource a feed and a hub, and the
 * service on top that clients talk to.
 */
export class LiveEngine {
  private constructor(
    private readonly sources: readonly LiveSource[],
    readonly controllers: LiveControllers,
  ) {}

  /**
   * Finds what is live, checks its declarations, and starts the feeds.
   *
   * @throws when a view is declared wrongly, a table is missing, or the database cannot deliver
   * changes; the error says what to do
   */
  static async start(
    application: Context,
    config: ResolvedRealtimeConfig,
    publisher: SourcePublisher,
  ): Promise<LiveEngine> {
    const guard = await application.get(LiveEntitiesBindings.ACCESS_GUARD);
    const found = await findLiveRepositories(application);
    const sources = await LiveSources.open(application, found, config, publisher);
    const live = sources.flatMap(source => source.entities);
    const entities = new Map(live.map(entity => [entity.name, entity]));
    const {defaultPageSize, maxPageSize, limits} = config;
    const service = new LiveService({
      entities,
      guard,
      validator: new RowValidator(),
      defaultPageSize,
      maxPageSize,
      maxOffset: limits.offset,
      viewParamsBytes: limits.viewParams,
      context: application,
      logger: config.logger,
    });
    const classes = found.map(({name, repositoryClass}) => [name, repositoryClass] as const);
    return new LiveEngine(sources, new LiveControllers(service, new Map(classes)));
  }

  /** How the feeds are, for health checks. */
  status(): LiveStatus {
    const feeds = this.sources.map(({feed, entities}) => {
      const {error, ...status} = feed.status();
      const types = entities.map(({name}) => name);
      // Health checks show it to whoever asks; the log has the driver's own words and addresses.
      const told = asUnavailable(error) as Error | undefined;
      return {name: feed.name, types, ...status, ...(told && {error: told.message})};
    });
    const sizes = this.sources.map(({hub}) => hub.size);
    return {
      live: feeds.every(({state}) => state === 'live'),
      feeds,
      windows: sizes.reduce((sum, {windows}) => sum + windows, 0),
      channels: sizes.reduce((sum, {channels}) => sum + channels, 0),
    };
  }

  /** The entities whose pages stand still, because their feed is interrupted. */
  get standingStill(): readonly string[] {
    return this.sources
      .filter(({feed}) => !feed.isLive)
      .flatMap(({entities}) => entities.map(({name}) => name));
  }

  /** @throws LiveEntityError `UNKNOWN_TYPE` */
  notifyUpdate(notice: UpdateNotice): Promise<void> {
    return noticeUpdate(this.sources, notice);
  }

  /** What happened and what is there, over all data sources, for metrics. */
  counters(): HubCounters {
    return sumOf(this.sources.map(({hub}) => hub.counters));
  }

  async stop(): Promise<void> {
    for (const {hub} of this.sources) hub.close();
    await Promise.all(this.sources.map(source => source.close()));
  }
}
