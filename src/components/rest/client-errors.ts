import {HttpErrors} from '@loopback/rest';
import {databaseRefusalOf} from '../../core/database-errors';
import {VersionRequiredError} from '../../mixins/errors';

/**
 * What a REST client is answered: how a version is named over REST where one is missing, and for
 * what the database refuses because of the data that was sent, which LoopBack would answer as a
 * fault of the server. Other errors stay as they are.
 */
export function asClientError(error: unknown): unknown {
  if (error instanceof VersionRequiredError) {
    error.message =
      `A write of ${error.entityName} ${String(error.entityId)} names the version it was read ` +
      'with: send its ETag as "If-Match", or its "_version" in the body.';
    return error;
  }
  const refusal = databaseRefusalOf(error);
  if (!refusal) return error;
  const {statusCode, code, message} = refusal;
  return Object.assign(HttpErrors(statusCode, message), {code});
}
