import type {CommittedTransaction, RowImage} from './change';
import type {ViewQuery} from './query';
import type {EntityShape} from './shape';

/** Receives what a feed delivers. Calls are synchronous and in order. */
export interface FeedSink {
  /** A transaction was committed. Those without changes or marks need not be delivered. */
  committed(transaction: CommittedTransaction): void;
  /** The feed lost its connection: changes may be missed from here on. */
  interrupted(reason: Error): void;
  /** The feed is back; what was missed is not replayed, so every window is read anew. */
  resumed(): void;
}

/** How a feed is doing, for health checks and metrics. */
export interface FeedStatus {
  readonly state: 'starting' | 'live' | 'interrupted' | 'stopped';
  /** Transactions delivered since the start. */
  readonly delivered: number;
  /** When the last one was delivered. */
  readonly deliveredAt?: Date;
  /** Milliseconds from its commit, by the server's clock, to its delivery, by ours. */
  readonly lagMs?: number;
  /** Bytes of the server's log that the feed had not dealt with when that was last looked at. */
  readonly lagBytes?: number;
  /** Why the feed is interrupted, or was last. */
  readonly error?: Error;
}

/**
 * Where changes of live rows come from. The package has two: PostgreSQL's log (`postgres`) and the
 * application's own repositories (`repository`); an application can bind one of its own at
 * `LiveEntitiesBindings.CHANGE_FEED`.
 *
 * - `start` resolves once every transaction that commits from now on will be delivered; it rejects
 *   with an error that says what is lacking. After `interrupted` the feed goes on trying by itself
 *   until `stop`.
 * - A feed that is bound need not be exact. Its images are hints: every page that a row could
 *   belong to, as it was before or as it is after, is read anew from the repository's data source,
 *   once the change has been delivered. So a change must not be delivered before it can be read,
 *   and an image that is not known is better told as `truncate`, which has all pages of the entity
 *   read anew.
 * - `id` of a transaction is any number, `marks` an empty list; only the `postgres` feed has a use
 *   for them.
 */
export interface ChangeFeed {
  readonly name: string;
  start(entities: readonly EntityShape[], sink: FeedSink): Promise<void>;
  stop(): Promise<void>;
  /** Left out: a feed counts as live from its start on, but for the time between its `interrupted`
   * and its `resumed`. */
  status?(): FeedStatus;
}

/** The first rows of a view at one snapshot of the database. */
export interface SnapshotRows {
  readonly rows: readonly RowImage[];
  /** All rows of the view, beyond those read. Present when asked for. */
  readonly total?: number;
  /** Whether the snapshot shows what the feed's transaction with this id did. */
  sees(transactionId: number): boolean;
  /**
   * Left in the feed after the snapshot was taken. Once the transaction with this mark has been
   * delivered, the rows plus every delivered transaction that `sees` denies are exactly the
   * database's state at that point of the feed. Absent where the feed gives hints: then the rows
   * are the state that is shown.
   */
  readonly mark?: string;
}

/** The database's word on a row image: whether the condition holds, and its rank in the order. */
export interface Judgement {
  readonly matches: boolean;
  /** Rank among the images given, from 0, by the query's order. */
  readonly rank: number;
}

/** Reads rows for windows. */
export interface RowSource {
  /** The first `limit` rows of the query, with the count of all of them if `count` is true. */
  read(query: ViewQuery, limit: number, count: boolean): Promise<SnapshotRows>;
  /**
   * Decides what Node cannot decide exactly, from the images alone, so the answer holds whatever
   * the tables contain by now. Answers in the order of `images`.
   */
  judge(query: ViewQuery, images: readonly RowImage[]): Promise<readonly Judgement[]>;
}
