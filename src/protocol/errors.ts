import type {Row} from './page';

/**
 * An error as it travels to a client. `code` is for programs, `message` for people; neither holds
 * a secret, a statement or a stack.
 */
export interface WireError {
  readonly code: string;
  readonly message: string;
  /** The HTTP status that the same mistake has over REST. */
  readonly statusCode: number;
  /** More about it: for a `VERSION_CONFLICT` `expected`, `actual` and `current` (the row now). */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The codes that the realtime side answers besides those of the behaviours. */
export type LiveErrorCode =
  | 'PROTOCOL_UNSUPPORTED'
  | 'BAD_REQUEST'
  | 'UNKNOWN_TYPE'
  | 'UNKNOWN_VIEW'
  | 'UNKNOWN_FIELD'
  | 'UNKNOWN_CHANNEL'
  | 'VIEW_QUERY_UNSUPPORTED'
  | 'VALIDATION_FAILED'
  | 'ENTITY_NOT_FOUND'
  | 'UNIQUE_VIOLATION'
  | 'NOT_AUTHENTICATED'
  | 'SESSION_CHANGED'
  | 'LOGIN_FAILED'
  | 'TOO_MANY_ATTEMPTS'
  | 'CRUD_BLOCKED'
  | 'FORBIDDEN'
  | 'LIMIT_EXCEEDED'
  | 'RATE_LIMITED'
  | 'TOO_MANY_CONNECTIONS'
  | 'SERVER_BUSY'
  | 'FEED_UNAVAILABLE'
  | 'DATABASE_UNAVAILABLE'
  | 'SUBSCRIPTION_ENDED'
  | 'CONNECTION_LOST'
  | 'TIMEOUT'
  | 'CLIENT_CLOSED'
  | 'INTERNAL_ERROR';

/** Raised by the client for every error that the server answers. */
export class LiveError extends Error {
  readonly code: string;
  readonly statusCode: number;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(error: WireError) {
    super(error.message);
    this.name = 'LiveError';
    this.code = error.code;
    this.statusCode = error.statusCode;
    this.details = error.details ?? {};
  }
}

/**
 * Raised by the client when a write named a version that is no longer the current one. `current`
 * is the row as the database has it now, for the person to compare and decide.
 */
export class VersionConflictError<T = Row> extends LiveError {
  readonly current: T | undefined;

  constructor(error: WireError) {
    super(error);
    this.name = 'VersionConflictError';
    this.current = error.details?.current as T | undefined;
  }
}

/** Makes the client's error for a {@link WireError}. */
export function errorFromWire(error: WireError): LiveError {
  return error.code === 'VERSION_CONFLICT' ? new VersionConflictError(error) : new LiveError(error);
}
