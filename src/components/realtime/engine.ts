import type {Context} from '@loopback/core';
import type {Entity, juggler} from '@loopback/repository';
import type {JugglerDataSource, JugglerModel} from '../../adapters/postgres/juggler';
import {createPostgresLive, type PostgresLive} from '../../adapters/postgres/live';
import {LiveHub, type Publisher} from '../../core/hub';
import type {LiveStatus} from '../../core/status';
import {checkView} from '../../core/view';
import {LiveEntitiesBindings} from '../../keys';
import {
  isPostgresConnector,
  surviveLostConnections,
} from '../../mixins/executors/postgres-connector';
import type {Row} from '../../protocol/page';
import {RealtimeEntity} from './realtime-entity';
import {LiveControllers} from './live.controller';
import {LiveService} from './live.service';
import {findLiveRepositories, type FoundRepository} from './registry';
import type {ResolvedRealtimeConfig} from './config';
import {RowValidator} from './validate';

/** The repository layer's way to decrypt; absent in repositories without behaviours. */
interface WithCodec {
  readonly surroundings?: {
    codec(): Promise<
      | {
          readonly properties: readonly string[];
          decrypt(row: Row, context: {id: unknown}): Row | Promise<Row>;
        }
      | undefined
    >;
  };
}

interface Source {
  readonly postgres: PostgresLive;
  readonly hub: LiveHub;
}

/** Deltas that a channel keeps for clients that come back. */
const RESUME_RING = 100;

/**
 * Everything live of one application while it runs: for each datasource a feed and a hub, and the
 * service on top that clients talk to.
 */
export class LiveEngine {
  private constructor(
    private readonly sources: readonly Source[],
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
    publisher: Publisher,
  ): Promise<LiveEngine> {
    const guard = await application.get(LiveEntitiesBindings.ACCESS_GUARD);
    const found = await findLiveRepositories(application);
    const sources: Source[] = [];
    const entities = new Map<string, RealtimeEntity>();
    try {
      for (const [dataSource, members] of byDataSource(found)) {
        const {source, live} = await startSource(dataSource, members, config, publisher);
        sources.push(source);
        for (const entity of live) entities.set(entity.name, entity);
      }
    } catch (error) {
      await Promise.all(sources.map(({postgres}) => postgres.close()));
      throw error;
    }
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
    const feeds = this.sources.map(({postgres}) => {
      const {state, delivered, lagMs, error} = postgres.feed.status();
      return {name: postgres.feed.name, state, delivered, lagMs, error: error?.message};
    });
    const sizes = this.sources.map(({hub}) => hub.size);
    return {
      live: feeds.every(({state}) => state === 'live'),
      feeds,
      windows: sizes.reduce((sum, {windows}) => sum + windows, 0),
      channels: sizes.reduce((sum, {channels}) => sum + channels, 0),
    };
  }

  async stop(): Promise<void> {
    for (const {hub} of this.sources) hub.close();
    await Promise.all(this.sources.map(({postgres}) => postgres.close()));
  }
}

async function startSource(
  dataSource: juggler.DataSource,
  found: readonly FoundRepository[],
  config: ResolvedRealtimeConfig,
  publisher: Publisher,
): Promise<{source: Source; live: RealtimeEntity[]}> {
  const {logger} = config;
  const postgres = await createPostgresLive({
    dataSource: dataSource as JugglerDataSource,
    models: found.map(({repository}) => repository.modelClass as unknown as JugglerModel),
    logger: {
      info: message => logger.info?.(message),
      warn: message => logger.warn(message),
      error: message => logger.error(message),
    },
  });
  try {
    const shapes = new Map(postgres.shapes.map(shape => [shape.name, shape]));
    const hub = new LiveHub({
      shapes,
      source: postgres.source,
      publisher,
      logger,
      cacheDuration: config.cacheDisabled ? 0 : config.cacheDuration,
      resumeRing: RESUME_RING,
    });
    const live = found.map(({key, repository, definition}) => {
      const shape = shapes.get(repository.entityClass.modelName)!;
      const entityClass = repository.entityClass as typeof Entity;
      return new RealtimeEntity(key, entityClass, definition, shape, hub, revealerOf(repository));
    });
    for (const entity of live) {
      for (const [name, view] of entity.views) checkView(entity.shape, name, view);
    }
    await postgres.feed.start(postgres.shapes, hub);
    hub.start();
    const {connector} = dataSource;
    if (isPostgresConnector(connector)) surviveLostConnections(connector);
    return {source: {postgres, hub}, live};
  } catch (error) {
    await postgres.close();
    throw error;
  }
}

function byDataSource(found: readonly FoundRepository[]) {
  const groups = new Map<juggler.DataSource, FoundRepository[]>();
  for (const each of found) {
    const {dataSource} = each.repository;
    groups.set(dataSource, [...(groups.get(dataSource) ?? []), each]);
  }
  return groups;
}

/** Decrypts the wanted properties of a stored row. */
function revealerOf(repository: FoundRepository['repository']) {
  const {surroundings} = repository as unknown as WithCodec;
  if (!surroundings) return undefined;
  const idName = repository.entityClass.getIdProperties()[0];
  return async (row: Row, wanted: readonly string[]): Promise<Row> => {
    const codec = await surroundings.codec();
    const secret = codec?.properties.filter(name => wanted.includes(name) && row[name] != null);
    if (!codec || !secret?.length) return row;
    const sealed = Object.fromEntries(secret.map(name => [name, row[name]]));
    return {...row, ...(await codec.decrypt(sealed, {id: row[idName]}))};
  };
}
