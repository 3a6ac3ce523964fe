import {databaseRefusalOf} from '../../core/database-errors';
import {CRUDBlockedError, LiveEntityError} from '../../core/errors';
import {travelling} from '../../core/travelling';
import type {WireError} from '../../protocol/errors';
import type {Row} from '../../protocol/page';

interface Thrown {
  readonly code?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
  readonly statusCode?: unknown;
  readonly status?: unknown;
  readonly details?: unknown;
  readonly current?: unknown;
}

/** LoopBack's own errors leave their status to its REST server. */
const STATUS: Readonly<Record<string, number>> = {ENTITY_NOT_FOUND: 404, INVALID_BODY: 400};

/**
 * What a client is told of an error. Errors that are meant for callers carry a status below 500
 * and keep their message; of all others a client learns only that something failed.
 */
export function toWireError(thrown: unknown): WireError {
  const error = (thrown ?? {}) as Thrown;
  if (thrown instanceof CRUDBlockedError) return blocked(thrown);
  if (thrown instanceof LiveEntityError) return plain(thrown);
  const refusal = databaseRefusalOf(thrown);
  if (refusal) return refusal;
  const statusCode = Number(error.statusCode ?? error.status ?? STATUS[String(error.code)]);
  if (!(statusCode >= 400 && statusCode < 500)) {
    return {code: 'INTERNAL_ERROR', message: 'the server failed; see its log', statusCode: 500};
  }
  const code = typeof error.code === 'string' ? error.code : codeOf(error, statusCode);
  return {code, message: String(error.message), statusCode, details: detailsOf(error)};
}

/** Whether the server's log should have it. */
export function isInternal({code}: WireError): boolean {
  return code === 'INTERNAL_ERROR' || code === 'DATABASE_UNAVAILABLE';
}

function plain(error: LiveEntityError): WireError {
  const {code, message, statusCode} = error;
  return {code, message, statusCode, details: detailsOf(error)};
}

function blocked(error: CRUDBlockedError): WireError {
  const {message, statusCode, type} = error;
  const code = statusCode === 401 ? 'NOT_AUTHENTICATED' : 'CRUD_BLOCKED';
  return {code, message, statusCode, details: {type}};
}

function codeOf({name}: Thrown, statusCode: number): string {
  if (name === 'ValidationError' || statusCode === 422) return 'VALIDATION_FAILED';
  if (statusCode === 401) return 'NOT_AUTHENTICATED';
  if (statusCode === 403) return 'FORBIDDEN';
  return statusCode === 404 ? 'ENTITY_NOT_FOUND' : 'BAD_REQUEST';
}

/** Details that cannot travel stay behind: the code and the message say enough. */
function detailsOf({details, current}: Thrown): WireError['details'] {
  const result = {...travellingOr({}, details), ...(current === undefined ? {} : {current})};
  return Object.keys(result).length > 0 ? result : undefined;
}

function travellingOr(otherwise: Row, details: unknown): Row {
  try {
    return travelling(details);
  } catch {
    return otherwise;
  }
}
