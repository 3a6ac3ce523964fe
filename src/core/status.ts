/** The state of the live side. */
export interface LiveStatus {
  /** Whether every feed delivers. */
  readonly live: boolean;
  readonly feeds: readonly {
    readonly name: string;
    readonly state: string;
    /** Transactions delivered since the start. */
    readonly delivered: number;
    /** Milliseconds from the last transaction's commit to its delivery. */
    readonly lagMs?: number;
    readonly error?: string;
  }[];
  readonly windows: number;
  readonly channels: number;
}
