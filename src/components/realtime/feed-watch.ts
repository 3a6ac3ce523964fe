import type {CommittedTransaction} from '../../core/change';
import type {ChangeFeed, FeedSink, FeedStatus} from '../../core/ports';

/**
 * Stands between a feed and the hub: knows how the feed is, also where the feed does not say, and
 * tells when it is interrupted and when it is back.
 */
export class FeedWatch implements FeedSink {
  private state: FeedStatus['state'] = 'starting';
  private delivered = 0;
  private deliveredAt: Date | undefined;
  private error: Error | undefined;

  constructor(
    private readonly feed: ChangeFeed,
    private readonly sink: FeedSink,
    private readonly changed: (live: boolean) => void,
  ) {}

  get name(): string {
    return this.feed.name;
  }

  get isLive(): boolean {
    return this.status().state === 'live';
  }

  status(): FeedStatus {
    const {state, delivered, deliveredAt, error} = this;
    return this.feed.status?.() ?? {state, delivered, deliveredAt, error};
  }

  started(): void {
    this.state = 'live';
  }

  committed(transaction: CommittedTransaction): void {
    this.delivered++;
    this.deliveredAt = new Date();
    this.sink.committed(transaction);
  }

  interrupted(reason: Error): void {
    this.state = 'interrupted';
    this.error = reason;
    this.sink.interrupted(reason);
    this.changed(false);
  }

  resumed(): void {
    this.state = 'live';
    this.sink.resumed();
    this.changed(true);
  }
}
