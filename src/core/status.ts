/** The state of the live side. */
export interface LiveStatus {
  /** Whether every feed delivers. */
  readonly live: boolean;
  readonly feeds: readonly {
    /** `postgres`, `repository`, or that of a bound feed. */
    readonly name: string;
    /** The entities whose changes it brings. */
    readonly types: readonly string[];
    readonly state: 'starting' | 'live' | 'interrupted' | 'stopped';
    /** Transactions delivered since the start. */
    readonly delivered: number;
    readonly deliveredAt?: Date;
    /** Milliseconds from the last transaction's commit to its delivery. */
    readonly lagMs?: number;
    /** Bytes of the server's log that had not been dealt with when that was last looked at. */
    readonly lagBytes?: number;
    /** Why it is interrupted, or was last. */
    readonly error?: string;
  }[];
  readonly windows: number;
  readonly channels: number;
}
