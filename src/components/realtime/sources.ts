import type {Context} from '@loopback/core';
import type {Entity, juggler} from '@loopback/repository';
import {createLoopbackLive} from '../../adapters/loopback/live';
import {PostgresLiveError, type PostgresLiveErrorCode} from '../../adapters/postgres/errors';
import type {JugglerDataSource, JugglerModel} from '../../adapters/postgres/juggler';
import {createPostgresLive} from '../../adapters/postgres/live';
import {LiveHub} from '../../core/hub';
import type {Publisher} from '../../core/hub-options';
import type {ChangeFeed, RowSource} from '../../core/ports';
import type {EntityShape} from '../../core/shape';
import {checkView, type ViewDefinition} from '../../core/view';
import {LiveEntitiesBindings} from '../../keys';
import {guardConnector} from '../../mixins/executors/guarded-connector';
import {isPostgresConnector} from '../../mixins/executors/postgres-connector';
import type {FeedMessage} from '../../protocol/messages';
import {viewsOf} from './encrypted-views';
import {FeedWatch} from './feed-watch';
import {RealtimeEntity} from './realtime-entity';
import {
  refuseOwnRules, refuseRulesBeyondLog, rulesBeyondLog, withDefaultScope,
} from './read-rules';
import type {FoundRepository} from './registry';
import {withRelations} from './relations';
import {revealerOf} from './reveal';
import type {ResolvedRealtimeConfig} from './config';

/** A feed that runs, the hub that it fills, and the entities whose changes it brings. */
export interface LiveSource {
  readonly hub: LiveHub;
  readonly feed: FeedWatch;
  readonly rows: RowSource;
  readonly entities: readonly RealtimeEntity[];
  close(): Promise<void>;
}

/** What sources send to clients. */
export interface SourcePublisher extends Publisher {
  feed(message: FeedMessage): void;
}

/** A feed before it is started, with what reads rows for it. */
interface Prepared {
  readonly feed: ChangeFeed;
  readonly images: 'exact' | 'hints';
  readonly shapes: readonly EntityShape[];
  readonly source: RowSource;
  close(): Promise<void>;
}

/** Deltas that a channel keeps for clients that come back. */
const RESUME_RING = 100;

/** What a server, a role or a table can lack for the log, of which `auto` makes the best. */
const LACKING: ReadonlySet<PostgresLiveErrorCode> = new Set<PostgresLiveErrorCode>([
  'SERVER_TOO_OLD',
  'WAL_LEVEL_NOT_LOGICAL',
  'ROLE_LACKS_REPLICATION',
  'ROLE_LACKS_PRIVILEGE',
  'REPLICATION_SLOTS_EXHAUSTED',
  'COLUMN_NOT_REPLICATED',
  'NOT_A_TABLE',
  'TABLE_NOT_LOGGED',
  'TABLE_INHERITED',
  'ROW_SECURITY_ACTIVE',
]);

/**
 * Opens the sources of changes for all live entities: the feed that the application has bound for
 * all of them, or else one for each data source.
 *
 * @throws when a view is declared wrongly, or changes cannot be had as the configuration asks; the
 * error says what to do
 */
export class LiveSources {
  private readonly opened: LiveSource[] = [];

  private constructor(
    private readonly config: ResolvedRealtimeConfig,
    private readonly publisher: SourcePublisher,
  ) {}

  static async open(
    application: Context,
    found: readonly FoundRepository[],
    config: ResolvedRealtimeConfig,
    publisher: SourcePublisher,
  ): Promise<readonly LiveSource[]> {
    const sources = new LiveSources(config, publisher);
    try {
      refuseOwnRules(found);
      const own = await ownFeed(application, config);
      if (own) await sources.start(preparedFromRepositories(found, own), found, 'it is bound');
      else for (const group of byDataSource(found)) await sources.openGroup(group);
      return sources.opened;
    } catch (error) {
      await Promise.all(sources.opened.map(source => source.close()));
      throw error;
    }
  }

  private async openGroup(found: readonly FoundRepository[]): Promise<void> {
    const {feed} = this.config;
    const {dataSource} = found[0].repository;
    const {connector} = dataSource;
    guardConnector(connector);
    if (feed === 'postgres') {
      refuseRulesBeyondLog(found);
      return this.openLog(found, 'as configured');
    }
    if (feed === 'repository') return this.openRepositories(found, 'as configured');
    if (!isPostgresConnector(connector)) {
      const name = (connector as {name?: string} | undefined)?.name ?? dataSource.name;
      return this.openRepositories(found, `${name} has no log that could be read`);
    }
    const rules = rulesBeyondLog(found);
    if (rules !== undefined) return this.openRepositories(found, rules);
    try {
      await this.openLog(found, 'the server allows it');
    } catch (error) {
      if (!(error instanceof PostgresLiveError) || !LACKING.has(error.code)) throw error;
      await this.openRepositories(found, error.message);
    }
  }

  private async openLog(found: readonly FoundRepository[], why: string): Promise<void> {
    const {logger} = this.config;
    const prepared = await createPostgresLive({
      dataSource: found[0].repository.dataSource as JugglerDataSource,
      models: found.map(({repository}) => repository.modelClass as unknown as JugglerModel),
      logger: {
        info: message => logger.info?.(message),
        warn: message => logger.warn(message),
        error: message => logger.error(message),
      },
    });
    await this.start({...prepared, images: 'exact'}, found, why);
  }

  private openRepositories(found: readonly FoundRepository[], why: string): Promise<void> {
    return this.start(preparedFromRepositories(found), found, why);
  }

  private async start(
    {feed, images, shapes, source, close}: Prepared,
    found: readonly FoundRepository[],
    why: string,
  ): Promise<void> {
    const {config, publisher} = this;
    try {
      const classes = new Map(found.map(({repository: {entityClass}}) =>
        [entityClass.modelName, entityClass as typeof Entity]));
      const scoped = found.map(each =>
        withDefaultScope(shapes.find(({name}) => name === each.name)!, each, images));
      const byName = withRelations(scoped, name => classes.get(name));
      const hub = new LiveHub({
        shapes: byName,
        source,
        images,
        publisher,
        logger: config.logger,
        cacheDuration: config.cacheDisabled ? 0 : config.cacheDuration,
        resumeRing: RESUME_RING,
        maxWindows: config.limits.windows,
        maxRows: config.limits.rows,
        auditInterval: config.audit?.interval,
      });
      const entities = await Promise.all(found.map(each => entityOf(each, byName, hub)));
      const types = shapes.map(({name}) => name);
      const watch = new FeedWatch(feed, hub, live => publisher.feed({types, live}));
      await feed.start(shapes, watch);
      watch.started();
      hub.start();
      this.opened.push({hub, feed: watch, rows: source, entities, close});
      this.report(feed.name, types, why);
    } catch (error) {
      await close();
      throw error;
    }
  }

  private report(feed: string, types: readonly string[], why: string): void {
    const unseen = feed === 'repository' ? '; it sees what this process writes, nothing else' : '';
    const {logger} = this.config;
    const say = logger.info ?? logger.warn;
    say.call(logger, `live changes of ${types.join(', ')}: feed '${feed}' (${why})${unseen}`);
  }
}

async function entityOf(
  found: FoundRepository,
  shapes: ReadonlyMap<string, EntityShape>,
  hub: LiveHub,
): Promise<RealtimeEntity> {
  const {key, repository, definition} = found;
  const shape = shapes.get(repository.entityClass.modelName)!;
  const entityClass = repository.entityClass as typeof Entity;
  const reveal = revealerOf(repository);
  const declared = Object.entries(definition.views ?? {}) as unknown as [string, ViewDefinition][];
  for (const [name, view] of declared) checkView(shape, name, view);
  const views = await viewsOf(found);
  return new RealtimeEntity(key, entityClass, definition, views, shape, hub, reveal);
}

/** The repositories' own feed, or another one with the repositories' way to read rows. */
function preparedFromRepositories(found: readonly FoundRepository[], own?: ChangeFeed): Prepared {
  const live = createLoopbackLive(found.map(({repository}) => repository.modelClass));
  const feed = own ?? live.feed;
  return {...live, feed, images: 'hints', close: () => feed.stop()};
}

/** The application's own feed: the configured one, and for `'auto'` the one that is bound. */
async function ownFeed(
  application: Context,
  {feed}: ResolvedRealtimeConfig,
): Promise<ChangeFeed | undefined> {
  if (typeof feed === 'object') return feed;
  if (feed !== 'auto') return undefined;
  return application.get(LiveEntitiesBindings.CHANGE_FEED, {optional: true});
}

function byDataSource(found: readonly FoundRepository[]): Iterable<readonly FoundRepository[]> {
  const groups = new Map<juggler.DataSource, FoundRepository[]>();
  for (const each of found) {
    const {dataSource} = each.repository;
    groups.set(dataSource, [...(groups.get(dataSource) ?? []), each]);
  }
  return groups.values();
}
