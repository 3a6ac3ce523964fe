import type {LiveErrorCode} from '../protocol/errors';

/** An error of the live side, with the code that travels and the status it has over REST. */
export class LiveEntityError extends Error {
  constructor(
    readonly code: LiveErrorCode,
    message: string,
    readonly statusCode = 400,
    readonly details?: Readonly<Record<string, unknown>>,
  ) {
    super(message);
    this.name = 'LiveEntityError';
  }
}

/** Raised where an access filter refuses; `type` says which of the two phases did. */
export class CRUDBlockedError extends LiveEntityError {
  constructor(
    readonly type: 'pre' | 'post',
    message: string,
    statusCode = 403,
  ) {
    super('CRUD_BLOCKED', message, statusCode, {type});
    this.name = 'CRUDBlockedError';
  }
}

/** Raised to those who wait for something in the feed when the feed is interrupted. */
export class FeedInterruptedError extends LiveEntityError {
  constructor() {
    super('FEED_UNAVAILABLE', 'the change feed is interrupted', 503);
    this.name = 'FeedInterruptedError';
  }
}

/** Raised to those who wait for a page when the server stops keeping it. */
export class SubscriptionEndedError extends LiveEntityError {
  constructor() {
    super('SUBSCRIPTION_ENDED', 'the server does not keep this page any more', 503);
    this.name = 'SubscriptionEndedError';
  }
}

/** Whether trying again would fail again, until somebody asks for less, or others do. */
export function isRefusal(thrown: unknown): thrown is LiveEntityError {
  return thrown instanceof LiveEntityError && REFUSALS.includes(thrown.code);
}

const REFUSALS: readonly LiveErrorCode[] = ['LIMIT_EXCEEDED', 'SERVER_BUSY'];

/** Makes an error from whatever was thrown. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
