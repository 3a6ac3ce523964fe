import type {HeaderObject, ParameterObject, ResponsesObject, SchemaObject} from '@loopback/rest';

/** How many rows a call concerned. */
export const COUNT: SchemaObject = {
  type: 'object',
  title: 'loopback.Count',
  'x-typescript-type': '@loopback/repository#Count',
  properties: {count: {type: 'number'}},
};
export const ETAG: HeaderObject = {
  description: 'The version of the row, in quotes',
  schema: {type: 'string'},
};
/** The answer to who has the current state already. */
export const NOT_MODIFIED: ResponsesObject = {
  304: {description: 'If-None-Match names its version', headers: {ETag: ETAG}},
};
export const IF_MATCH: ParameterObject = {
  name: 'If-Match',
  in: 'header',
  description:
    'The ETag that was read, or several: the write is refused when the row has changed since.',
  schema: {type: 'string'},
};
/** The properties in which two states differ. */
export const CHANGES: SchemaObject = {
  type: 'array',
  items: {
    type: 'object',
    required: ['property'],
    properties: {
      property: {type: 'string'},
      from: {description: 'The value in the first state.'},
      to: {description: 'The value in the second.'},
    },
  },
};
export const AS_OF: ParameterObject = {
  name: 'asOf',
  in: 'query',
  description: 'Answer the row as it was at this moment.',
  schema: {type: 'string', format: 'date-time'},
};
export const REVISION_OR_CURRENT: SchemaObject = {
  type: 'string',
  pattern: '^([1-9]\\d{0,14}|current)$',
  description: 'The number of a revision, or current.',
};
export const HISTORY_FILTER: ParameterObject = {
  name: 'filter',
  in: 'query',
  content: {
    'application/json': {
      schema: {
        type: 'object',
        additionalProperties: false,
        properties: {
          where: {type: 'object', additionalProperties: true},
          order: {oneOf: [{type: 'string'}, {type: 'array', items: {type: 'string'}}]},
          limit: {type: 'integer', minimum: 1},
          offset: {type: 'integer', minimum: 0},
          skip: {type: 'integer', minimum: 0},
        },
      },
    },
  },
};
