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

/**
 * Delivers committed transactions, whoever wrote them, whole and in commit order.
 *
 * `start` resolves once every transaction that commits from now on will be delivered; it rejects
 * with an error whose `code` says what the server lacks. After `interrupted` the feed goes on
 * trying by itself until `stop`.
 */
export interface ChangeFeed {
  readonly name: string;
  start(entities: readonly EntityShape[], sink: FeedSink): Promise<void>;
  stop(): Promise<void>;
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
   * database's state at that point of the feed.
   */
  readonly mark: string;
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
