import {LiveEntityError} from './errors';

/** How to answer a caller whose data the database refused. */
export interface DatabaseRefusal {
  readonly statusCode: 400 | 409 | 422;
  readonly code:
    | 'INVALID_VALUE'
    | 'UNIQUE_VIOLATION'
    | 'REFERENCE_VIOLATION'
    | 'CONSTRAINT_VIOLATION';
  readonly message: string;
}

interface Thrown {
  readonly code?: unknown;
  readonly constraint?: unknown;
  readonly statusCode?: unknown;
  readonly routine?: unknown;
  readonly message?: unknown;
}

/** What MySQL and MariaDB say of a value that its column cannot take. */
const MYSQL_VALUES: ReadonlySet<string> = new Set([
  'ER_DATA_TOO_LONG',
  'ER_INVALID_JSON_TEXT',
  'ER_TRUNCATED_WRONG_VALUE',
  'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
  'ER_WARN_DATA_OUT_OF_RANGE',
  'ER_WRONG_VALUE',
  'WARN_DATA_TRUNCATED',
]);

/**
 * The answer for what the database refuses because of the data that the caller sent; undefined for
 * every other error, and for one that has a status of its own. The database's own text is not
 * repeated: it quotes values.
 */
export function databaseRefusalOf(error: unknown): DatabaseRefusal | undefined {
  const {code, constraint, statusCode} = (error ?? {}) as Thrown;
  // MySQL's connector gives each error of the database a status, always the same.
  const hasStatus = statusCode !== undefined && statusCode !== 500;
  if (typeof code !== 'string' || hasStatus) return undefined;
  const named = constraint ? ` (${String(constraint)})` : '';
  switch (code) {
    case '23505':
    case 'ER_DUP_ENTRY': {
      const message = `Another row has the same unique value${named}.`;
      return {statusCode: 409, code: 'UNIQUE_VIOLATION', message};
    }
    case '23503':
    case 'ER_NO_REFERENCED_ROW_2':
    case 'ER_ROW_IS_REFERENCED_2': {
      const message = `A reference would be broken${named}.`;
      return {statusCode: 409, code: 'REFERENCE_VIOLATION', message};
    }
    case '23502':
    case '23514':
    case 'ER_BAD_NULL_ERROR':
    case 'ER_NO_DEFAULT_FOR_FIELD':
    case 'ER_CONSTRAINT_FAILED':
    case 'ER_CHECK_CONSTRAINT_VIOLATED': {
      const message = `The values break a rule of the table${named}.`;
      return {statusCode: 422, code: 'CONSTRAINT_VIOLATION', message};
    }
    default: {
      if (isUnknownComparison(error as Thrown)) {
        const message = 'A column is compared in a way that the database does not have.';
        return {statusCode: 400, code: 'INVALID_VALUE', message};
      }
      // PostgreSQL's class 22: a text that is no number, a number out of range, a NUL, …
      if (!/^22[0-9A-Z]{3}$/.test(code) && !MYSQL_VALUES.has(code)) return undefined;
      const message = 'A value does not have the form that its column takes.';
      return {statusCode: 400, code: 'INVALID_VALUE', message};
    }
  }
}

/**
 * Raised where the database cannot be reached, or the connection to it broke. `cause` is what the
 * driver said; the message itself names no address. A write that was under way may have been
 * carried out all the same.
 */
export class DatabaseUnavailableError extends LiveEntityError {
  /** Has LoopBack's REST server answer the message, although the mistake is not the caller's. */
  readonly expose = true;

  constructor(message: string, options: {cause: unknown}) {
    super('DATABASE_UNAVAILABLE', message, 503);
    this.name = 'DatabaseUnavailableError';
    this.cause = options.cause;
    // LoopBack's REST server logs the stack alone.
    this.stack += `\n  because: ${String(options.cause)}`;
  }
}

/** SQLSTATEs of a server that goes, comes or takes nobody in: 08, 57P01 to 57P05, 53300. */
const LOST_STATES = /^(08[0-9A-Z]{3}|57P0[1-5]|53300)$/;
/** Of the network, and of a socket's file that is not there. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN',
  'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENOENT',
]);
/** What the driver of PostgreSQL says without a code. */
const LOST_MESSAGES = new RegExp(
  '^(Connection terminated|timeout exceeded when trying to connect|timeout expired$' +
    '|Client (has encountered a connection error|was closed) and is not queryable)',
);

/** Whether an error of a database's driver says that there is no connection, or none any more. */
export function isConnectionLoss(error: unknown): boolean {
  const {code, message} = (error ?? {}) as {code?: unknown; message?: unknown};
  if (typeof code === 'string') return LOST_STATES.test(code) || NETWORK_CODES.has(code);
  return LOST_MESSAGES.test(String(message));
}

/** An error of a database's driver, as {@link DatabaseUnavailableError} where it is one. */
export function asUnavailable(
  error: unknown,
  message = 'The database cannot be reached at the moment.',
): unknown {
  return isConnectionLoss(error) ? new DatabaseUnavailableError(message, {cause: error}) : error;
}

/** A regular expression for a UUID on PostgreSQL; any for MariaDB, where MySQL has a function. */
function isUnknownComparison({code, routine, message}: Thrown): boolean {
  if (code === '42883') return routine === 'op_error';
  return code === 'ER_SP_DOES_NOT_EXIST' && /REGEXP_LIKE/.test(String(message));
}
