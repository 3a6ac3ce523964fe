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

type Code = DatabaseRefusal['code'];

const REFUSALS: Readonly<Record<Code, [DatabaseRefusal['statusCode'], string]>> = {
  UNIQUE_VIOLATION: [409, 'Another row has the same unique value'],
  REFERENCE_VIOLATION: [409, 'A reference would be broken'],
  CONSTRAINT_VIOLATION: [422, 'The values break a rule of the table'],
  INVALID_VALUE: [400, 'A value does not have the form that its column takes'],
};

interface DatabaseError {
  readonly code?: unknown;
  readonly constraint?: unknown;
  readonly statusCode?: unknown;
  /** Of MySQL and MariaDB, whose drivers give names of MySQL's to some errors of MariaDB. */
  readonly errno?: unknown;
  readonly sqlState?: unknown;
  /** Of PostgreSQL: where in its code the error was raised. */
  readonly routine?: unknown;
  readonly message?: unknown;
}

/**
 * The answer for what the database refuses because of the data that the caller sent; undefined for
 * every other error, and for one that has a status of its own. The database's own text is not
 * repeated: it quotes values.
 */
export function databaseRefusalOf(thrown: unknown): DatabaseRefusal | undefined {
  const error = (thrown ?? {}) as DatabaseError;
  if (typeof error.code !== 'string') return undefined;
  if (isUnknownComparison(error)) {
    const message = 'A column is compared in a way that the database does not have.';
    return {statusCode: 400, code: 'INVALID_VALUE', message};
  }
  const ofMysql = typeof error.errno === 'number' && typeof error.sqlState === 'string';
  // LoopBack's connector gives a status to a duplicate of MySQL, and leaves its text as it is.
  if (error.statusCode !== undefined && !ofMysql) return undefined;
  const code = ofMysql ? refusedByMysql(error) : refusedBy(error.code);
  if (code === undefined) return undefined;
  const [statusCode, text] = REFUSALS[code];
  // What a value has to look like is not told by a constraint.
  const named = error.constraint && code !== 'INVALID_VALUE';
  const message = `${text}${named ? ` (${String(error.constraint)})` : ''}.`;
  return {statusCode, code, message};
}

/** By PostgreSQL's SQLSTATE, and by MySQL's name where that is all that is known. */
function refusedBy(code: string): Code | undefined {
  switch (code) {
    case '23505':
    case 'ER_DUP_ENTRY':
      return 'UNIQUE_VIOLATION';
    case '23503':
    case 'ER_NO_REFERENCED_ROW_2':
    case 'ER_ROW_IS_REFERENCED_2':
      return 'REFERENCE_VIOLATION';
    case '23502':
    case '23514':
      return 'CONSTRAINT_VIOLATION';
    default:
      return isDataException(code) ? 'INVALID_VALUE' : undefined;
  }
}

function refusedByMysql({errno, sqlState}: DatabaseError): Code | undefined {
  switch (errno) {
    case 1062: // ER_DUP_ENTRY
    case 1586: // ER_DUP_ENTRY_WITH_KEY_NAME
      return 'UNIQUE_VIOLATION';
    case 1216: // ER_NO_REFERENCED_ROW
    case 1217: // ER_ROW_IS_REFERENCED
    case 1451: // ER_ROW_IS_REFERENCED_2
    case 1452: // ER_NO_REFERENCED_ROW_2
      return 'REFERENCE_VIOLATION';
    case 1048: // ER_BAD_NULL_ERROR
    case 1364: // ER_NO_DEFAULT_FOR_FIELD
    case 3819: // ER_CHECK_CONSTRAINT_VIOLATED, of MySQL
    case 4025: // ER_CONSTRAINT_FAILED, of MariaDB
      return 'CONSTRAINT_VIOLATION';
    case 1139: // ER_REGEXP_ERROR
    case 1265: // WARN_DATA_TRUNCATED, of a text that is none of an enum
    case 1366: // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, HY000 on MySQL
      return 'INVALID_VALUE';
    default:
      return isDataException(String(sqlState)) ? 'INVALID_VALUE' : undefined;
  }
}

/** Class 22: a text that is no number, a number out of range, a text too long, … */
function isDataException(sqlState: string): boolean {
  return /^22[0-9A-Z]{3}$/.test(sqlState);
}

/** A regular expression for a UUID on PostgreSQL; any for MariaDB, where MySQL has a function. */
function isUnknownComparison({code, routine, message}: DatabaseError): boolean {
  if (code === '42883') return routine === 'op_error';
  return code === 'ER_SP_DOES_NOT_EXIST' && /REGEXP_LIKE/.test(String(message));
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
