import type {DeltaMessage} from '../protocol/messages';
import type {RowSource} from './ports';
import type {EntityShape} from './shape';

/** Sends a delta to all members of its channel, encoded once. */
export interface Publisher {
  publish(delta: DeltaMessage): void;
}

export interface Logger {
  warn(message: string, error?: unknown): void;
}

export interface HubOptions {
  readonly shapes: ReadonlyMap<string, EntityShape>;
  readonly source: RowSource;
  /**
   * Whether the feed's images are exact and tied to the source's snapshots, so that windows can be
   * moved on by them, or hints, by which windows know when to read anew. Default: exact.
   */
  readonly images?: 'exact' | 'hints';
  readonly publisher: Publisher;
  readonly logger: Logger;
  /** Milliseconds that an unwatched channel and its window stay warm. */
  readonly cacheDuration: number;
  /** Deltas kept per channel for clients that come back. */
  readonly resumeRing: number;
  /** Windows kept at the same time; unwatched ones make room. Default: 50,000. */
  readonly maxWindows?: number;
  /** Rows that all windows hold, beyond which none is opened. Default: 1,000,000. */
  readonly maxRows?: number;
  /** Milliseconds between two windows that are compared with the database. Default: never. */
  readonly auditInterval?: number;
}
