import type {EntityShape} from '../../core/shape';
import {connectionOf, rawPool} from './connection';
import {describeEntities, type LiveModel} from './describe';
import {PostgresFeed} from './feed';
import type {JugglerDataSource, JugglerModel} from './juggler';
import type {Logger} from './logger';
import {Marks} from './marks';
import {PostgresRowSource} from './row-source';

export interface PostgresLiveOptions {
  /** A datasource on `loopback-connector-postgresql`; its settings say how to reach the server. */
  readonly dataSource: JugglerDataSource;
  /** The models whose entities are to be live (`repository.modelClass`). */
  readonly models: readonly (JugglerModel | LiveModel)[];
  /** Tells applications that share a database apart. Default: `live_entities`. */
  readonly name?: string;
  /** Default: `console`. */
  readonly logger?: Logger;
  /** Connections for reading, beside the one that streams. Default: 4. */
  readonly maxConnections?: number;
  /**
   * Changes of one transaction kept in memory; past it every window is read anew instead.
   * Default: 100,000.
   */
  readonly maxChangesPerTransaction?: number;
  /**
   * Bytes of its log that the server may keep for a feed that has fallen behind; past them every
   * window is read anew instead. Default: 1 GiB.
   */
  readonly maxLagBytes?: number;
  /** Milliseconds without a sound after which the server counts as gone. Default 30,000. */
  readonly silenceLimit?: number;
}

export interface PostgresLive {
  readonly shapes: readonly EntityShape[];
  readonly feed: PostgresFeed;
  readonly source: PostgresRowSource;
  /** Stops the feed and closes all connections. */
  close(): Promise<void>;
}

/**
 * Makes everything that live views need of PostgreSQL 14 or later: what the entities look like,
 * the feed of committed transactions, and the reader of rows. The tables must exist; the feed
 * starts when it is told to.
 *
 * @throws PostgresLiveError `TABLE_NOT_FOUND`, `NOT_A_TABLE`, `COLUMN_NOT_FOUND`
 *
 * @example
 * ```ts
 * const live = await createPostgresLive({dataSource, models: [repo.modelClass]});
 * ```
 */
export async function createPostgresLive(options: PostgresLiveOptions): Promise<PostgresLive> {
  const {dataSource, models, name = 'live_entities', logger = console} = options;
  const {maxConnections = 4, maxChangesPerTransaction = 100_000, maxLagBytes = 2 ** 30} = options;
  const {silenceLimit} = options;
  const connection = connectionOf(dataSource.settings, `${name} live`);
  const pool = rawPool(connection, maxConnections);
  try {
    const entities = await describeEntities(pool, dataSource, models);
    const tables = new Map(entities.map(entity => [entity.shape.name, entity]));
    const marks = new Marks();
    const feed = new PostgresFeed(tables, {
      name, connection, pool, marks, logger, maxChangesPerTransaction, maxLagBytes, silenceLimit,
    });
    const close = async () => {
      await feed.stop();
      await pool.end();
    };
    const shapes = entities.map(({shape}) => shape);
    return {shapes, feed, source: new PostgresRowSource(pool, tables, marks), close};
  } catch (error) {
    await pool.end();
    throw error;
  }
}
