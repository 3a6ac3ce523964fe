/** What a PostgreSQL server or role lacks for live views, or what went wrong between us and it. */
export type PostgresLiveErrorCode =
  | 'SERVER_TOO_OLD'
  | 'WAL_LEVEL_NOT_LOGICAL'
  | 'ROLE_LACKS_REPLICATION'
  | 'ROLE_LACKS_PRIVILEGE'
  | 'REPLICATION_SLOTS_EXHAUSTED'
  | 'TABLE_NOT_FOUND'
  | 'NOT_A_TABLE'
  | 'TABLE_NOT_LOGGED'
  | 'TABLE_INHERITED'
  | 'ROW_SECURITY_ACTIVE'
  | 'TABLE_BUSY'
  | 'COLUMN_NOT_FOUND'
  | 'COLUMN_NOT_REPLICATED'
  | 'REPLICA_IDENTITY_INCOMPLETE'
  | 'PUBLICATION_CHANGED'
  | 'TRANSACTION_TOO_LARGE'
  | 'LAG_TOO_LARGE'
  | 'CONNECTION_LOST';

/** Raised by the PostgreSQL feed and reader. The message says what to do about it. */
export class PostgresLiveError extends Error {
  constructor(
    readonly code: PostgresLiveErrorCode,
    message: string,
    options?: {cause?: unknown},
  ) {
    super(message, options);
    this.name = 'PostgresLiveError';
  }
}

/** Makes a server's refusal speak: known SQLSTATEs become errors with a code and an advice. */
export function explain(error: unknown): Error {
  const {code, message} = error as {code?: string; message?: string};
  switch (true) {
    case code === '42501' && /replication|wal ?sender/i.test(message ?? ''):
      return new PostgresLiveError(
        'ROLE_LACKS_REPLICATION',
        `${message}: the feed needs it; as a superuser run ALTER ROLE … REPLICATION`,
        {cause: error},
      );
    case code === '28000':
      return new PostgresLiveError(
        'ROLE_LACKS_REPLICATION',
        `${message}: pg_hba.conf must let the role in for the database`,
        {cause: error},
      );
    case code === '53400' || (code === '53300' && /wal_senders/.test(message ?? '')):
      return new PostgresLiveError(
        'REPLICATION_SLOTS_EXHAUSTED',
        `${message}: raise max_replication_slots and max_wal_senders, or end other consumers`,
        {cause: error},
      );
    case code === '55000' && /wal_level/.test(message ?? ''):
      return new PostgresLiveError('WAL_LEVEL_NOT_LOGICAL', WAL_LEVEL_ADVICE, {cause: error});
    default:
      return error instanceof Error ? error : new Error(String(error));
  }
}

export const WAL_LEVEL_ADVICE =
  'the server does not log what logical decoding needs: set wal_level = logical ' +
  '(ALTER SYSTEM SET wal_level = logical) and restart it';
