import {HttpErrors} from '@loopback/rest';
import {databaseRefusalOf} from '../../core/database-errors';

/**
 * The answer for what the database refuses because of the data that the caller sent, which
 * LoopBack would answer as a fault of the server. Other errors stay as they are.
 */
export function asClientError(error: unknown): unknown {
  const refusal = databaseRefusalOf(error);
  if (!refusal) return error;
  const {statusCode, code, message} = refusal;
  return Object.assign(HttpErrors(statusCode, message), {code});
}
