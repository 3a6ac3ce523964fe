import {LiveEntityError} from '../../core/errors';
import type {LiveRef} from '../../protocol/messages';

export interface ShareLimits {
  /** Pages and rows watched. */
  readonly subscriptions: number;
  /** Rows up to the end of each page watched, which the server has to hold for it. */
  readonly rows: number;
  /** Rows of a page that does not say how many it has. */
  readonly defaultPageSize: number;
}

/** Channels that are joined, and the rows up to the end of each one's page. */
export type JoinedRows = ReadonlyMap<string, {readonly rows: number}>;

/**
 * What one connection may have the server keep, so that it leaves something for the others. A
 * subscription counts from the moment it is asked for: a burst cannot pass the limits.
 */
export class ConnectionShare {
  private subscriptions = 0;
  private rows = 0;

  constructor(private readonly limits: ShareLimits) {}

  /** Whether a subscription waits for its answer. */
  get isClaimed(): boolean {
    return this.subscriptions > 0;
  }

  /**
   * Counts what is asked for beside what is joined, until the answered function is called.
   *
   * @throws LiveEntityError `LIMIT_EXCEEDED`
   */
  claim(ref: LiveRef, joined: JoinedRows): () => void {
    const {subscriptions, rows} = this.limits;
    if (joined.size + this.subscriptions >= subscriptions) {
      throw new LiveEntityError('LIMIT_EXCEEDED', `at most ${subscriptions} subscriptions`);
    }
    const asked = this.rowsOf(ref);
    const held = [...joined.values()].reduce((sum, each) => sum + each.rows, this.rows);
    if (held + asked > rows) {
      const message = `at most ${rows} rows up to the ends of a connection's pages, all together`;
      throw new LiveEntityError('LIMIT_EXCEEDED', message);
    }
    this.subscriptions++;
    this.rows += asked;
    return () => {
      this.subscriptions--;
      this.rows -= asked;
    };
  }

  private rowsOf(ref: LiveRef): number {
    if (!('view' in ref)) return 1;
    const {pageOffset = 0, pageSize = this.limits.defaultPageSize} = ref;
    return pageOffset + pageSize;
  }
}
