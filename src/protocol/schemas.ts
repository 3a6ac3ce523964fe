import type {ClientToServerEvents} from './messages';

/** The subset of JSON Schema in which requests are described. */
export type RequestSchema = ObjectSchema | {readonly anyOf: readonly ObjectSchema[]};

interface ObjectSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
  readonly additionalProperties: boolean;
}

const NAME = {type: 'string', minLength: 1, maxLength: 200};
const ID = {anyOf: [{type: 'string', maxLength: 1000}, {type: 'number'}]};
const VERSION = {anyOf: [{type: 'string', maxLength: 200}, {type: 'null'}]};
const FIELDS = {type: 'array', items: NAME, maxItems: 500};
const COUNT = {type: 'integer', minimum: 0};

const PAGE = {
  type: NAME,
  view: NAME,
  viewParams: {type: 'object'},
  fields: FIELDS,
  pageOffset: COUNT,
  pageSize: COUNT,
  getCount: {type: 'boolean'},
};
const ROW = {type: NAME, id: ID, fields: FIELDS};

const viewRef = strict(PAGE, ['type', 'view']);
const rowRef = strict(ROW, ['type', 'id']);
const rowOrField = strict({...ROW, field: NAME}, ['type', 'id']);

/** What each call's request must look like. Unknown properties are refused. */
export const REQUEST_SCHEMAS: Readonly<Record<keyof ClientToServerEvents, RequestSchema>> = {
  subscribe: strict(
    {
      ref: {anyOf: [viewRef, rowRef]},
      resume: strict({channel: NAME, epoch: NAME, seq: COUNT}, ['channel', 'epoch', 'seq']),
      diverged: {type: 'boolean'},
    },
    ['ref'],
  ),
  unsubscribe: strict({channel: NAME}, ['channel']),
  read: {anyOf: [viewRef, rowOrField]},
  create: strict({type: NAME, value: {type: 'object'}}, ['type', 'value']),
  update: strict(
    {type: NAME, id: ID, field: NAME, value: {}, version: VERSION},
    ['type', 'id', 'value'],
  ),
  delete: strict({type: NAME, id: ID, field: NAME, version: VERSION}, ['type', 'id']),
  login: {type: 'object', properties: {}, additionalProperties: true},
  authenticate: strict({token: {type: 'string', maxLength: 10_000}}, ['token']),
  renew: strict({}),
  logout: strict({}),
};

function strict(
  properties: ObjectSchema['properties'],
  required: readonly string[] = [],
): ObjectSchema {
  return {type: 'object', properties, required, additionalProperties: false};
}
