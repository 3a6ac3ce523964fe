import type {ResponseObject, ResponsesObject} from '@loopback/rest';
import {errorSchema} from './schemas';

/** Marks an operation of the document as one of a generated controller, with its entity. */
export const OF_ENTITY = 'x-live-entity';

const ERRORS = {
  400: 'The request is malformed',
  401: 'Nobody is signed in, or the token is not valid',
  403: 'The access filters or the scope refuse it',
  404: 'There is no such row, or it is deleted',
  409: 'The row has changed since it was read, or its values or its absence clash with other rows',
  412: 'If-Match names no version that is the current one, or there is no row for its *',
  422: 'The values are not valid, or the query compares encrypted properties',
  428: 'The write does not say which version it changes',
} as const;

export type ErrorStatus = keyof typeof ERRORS;

/** An error for a document that describes others already, and so has the schema of errors. */
export function errorAnswer(status: ErrorStatus): ResponseObject {
  const {$ref} = errorSchema();
  return {description: ERRORS[status], content: {'application/json': {schema: {$ref}}}};
}

/** The errors of a route, with their schema. */
export function errors(...statuses: ErrorStatus[]): ResponsesObject {
  const content = () => ({'application/json': {schema: errorSchema()}});
  return Object.fromEntries(
    [...new Set(statuses)].map(status => [
      status,
      {description: ERRORS[status], content: content()},
    ]),
  );
}
