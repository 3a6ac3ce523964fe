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

/**
 * The answer for what the database refuses because of the data that the caller sent; undefined for
 * every other error, and for one that has a status of its own. The database's own text is not
 * repeated: it quotes values.
 */
export function databaseRefusalOf(error: unknown): DatabaseRefusal | undefined {
  const {code, constraint, statusCode} = (error ?? {}) as {
    code?: unknown;
    constraint?: unknown;
    statusCode?: unknown;
  };
  if (typeof code !== 'string' || statusCode !== undefined) return undefined;
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
    case '23514': {
      const message = `The values break a rule of the table${named}.`;
      return {statusCode: 422, code: 'CONSTRAINT_VIOLATION', message};
    }
    default: {
      // PostgreSQL's class 22: a text that is no number, a number out of range, a NUL, …
      if (!/^22[0-9A-Z]{3}$/.test(code)) return undefined;
      const message = 'A value does not have the form that its column takes.';
      return {statusCode: 400, code: 'INVALID_VALUE', message};
    }
  }
}
