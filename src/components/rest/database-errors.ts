import {HttpErrors} from '@loopback/rest';

/**
 * The answer for what the database refuses because of the data that the caller sent, which
 * LoopBack would answer as a fault of the server. Other errors stay as they are. The database's
 * own text is not repeated: it quotes values.
 */
export function asClientError(error: unknown): unknown {
  const {code, constraint, statusCode} = error as {
    code?: unknown;
    constraint?: string;
    statusCode?: unknown;
  };
  if (typeof code !== 'string' || statusCode !== undefined) return error;
  const named = constraint ? ` (${constraint})` : '';
  switch (code) {
    case '23505':
    case 'ER_DUP_ENTRY':
      return answer(409, 'UNIQUE_VIOLATION', `Another row has the same unique value${named}.`);
    case '23503':
    case 'ER_NO_REFERENCED_ROW_2':
    case 'ER_ROW_IS_REFERENCED_2':
      return answer(409, 'REFERENCE_VIOLATION', `A reference would be broken${named}.`);
    case '23502':
    case '23514':
      return answer(422, 'CONSTRAINT_VIOLATION', `The values break a rule of the table${named}.`);
    default:
      // PostgreSQL's class 22: a text that is no number, a number out of range, a NUL, …
      return /^22[0-9A-Z]{3}$/.test(code)
        ? answer(400, 'INVALID_VALUE', 'A value does not have the form that its column takes.')
        : error;
  }
}

function answer(status: number, code: string, message: string): Error {
  return Object.assign(HttpErrors(status, message), {code});
}
