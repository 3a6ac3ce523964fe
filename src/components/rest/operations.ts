import type {Entity} from '@loopback/repository';
import {
  getFilterSchemaFor,
  getWhereSchemaFor,
  type ParameterObject,
  type ReferenceObject,
  type RequestBodyObject,
  type ResponsesObject,
  type SchemaObject,
} from '@loopback/rest';
import type {Behaviour, BehaviourName} from '../../mixins/behaviour';
import type {EntityActions} from './entity-actions';
import {errors} from './error-answers';
import {embeddedOperations, type EmbeddedOperation} from './embedded-operations';
import type {Operation} from './operation';
import type {ControllerEntity} from './types';
import {hiddenProperties} from './hidden';
import {type EntityOperation, refusalsOf} from './refusals';
import {
  AS_OF,
  CHANGES,
  COUNT,
  ETAG,
  HISTORY_FILTER,
  IF_MATCH,
  NOT_MODIFIED,
  REVISION_OR_CURRENT,
} from './parameters';
import {
  bodySchema,
  type BodyKind,
  idSchema,
  type NamedSchema,
  revisionSchema,
  rowSchema,
} from './schemas';

/**
 * The method whose `@authorize` holds for a route, unless the repository has said something of the
 * route's own: who may not read rows may not read their past, and who may not delete them may not
 * do so by naming the version in the path.
 */
const STANDS_FOR: Partial<Record<EntityOperation, string>> = {
  count: 'find',
  findHistory: 'find',
  history: 'findById',
  diff: 'findById',
  replaceById: 'updateById',
  updateAll: 'updateById',
  restoreById: 'updateById',
  revertTo: 'updateById',
  deleteVersion: 'deleteById',
};

/** The routes that an entity with these behaviours offers. */
export function operationsOf(described: ControllerEntity): readonly Operation[] {
  const routes = new Routes(described);
  return [
    ...routes.basic(),
    ...(routes.has('version') ? routes.ofVersions() : [routes.bulkPatch()]),
    ...(routes.has('softDelete') ? [routes.restore()] : []),
    ...(routes.has('history') ? routes.ofHistory() : []),
  ];
}

/** The routes to what the rows of an entity embed; nothing that the model hides. */
export function embeddedOperationsOf(described: ControllerEntity): readonly EmbeddedOperation[] {
  const {entity, behaviours, embedded} = described;
  const hidden = hiddenProperties(entity);
  const versioned = behaviours.some(({name}) => name === 'version');
  const id = idParameter(entity);
  return embedded
    .filter(({name}) => !hidden.has(name))
    .flatMap(model => embeddedOperations({entity, id, versioned, errors}, model));
}

function idParameter(entity: typeof Entity): ParameterObject {
  return {name: 'id', in: 'path', required: true, schema: idSchema(entity)};
}

class Routes {
  private readonly id: ParameterObject;
  private readonly ifMatch: readonly ParameterObject[];

  private readonly entity: typeof Entity;
  private readonly behaviours: readonly Behaviour[];

  constructor(private readonly described: ControllerEntity) {
    this.entity = described.entity;
    this.behaviours = described.behaviours;
    this.id = idParameter(this.entity);
    this.ifMatch = this.has('version') ? [IF_MATCH] : [];
  }

  has(name: BehaviourName): boolean {
    return this.behaviours.some(behaviour => behaviour.name === name);
  }

  basic(): Operation[] {
    const row = rowSchema(this.entity);
    const rows = {type: 'array', items: rowSchema(this.entity, true)} as const;
    return [
      this.route('create', 'post', '/', {
        body: this.body('create'),
        answers: {200: this.answer('The row as it was created', row, true)},
      }),
      this.route('find', 'get', '/', {
        parameters: [this.filter()],
        answers: {200: this.answer('The rows that the filter selects', rows)},
      }),
      this.route('count', 'get', '/count', {
        parameters: [this.where()],
        answers: {200: this.answer('How many rows there are', COUNT)},
      }),
      this.route('findById', 'get', '/{id}', {
        parameters: [
          this.id,
          this.filter('where'),
          ...(this.has('history') ? [AS_OF] : []),
        ],
        answers: {
          200: this.answer('The row', rowSchema(this.entity, true), true),
          ...(this.has('version') ? NOT_MODIFIED : {}),
        },
      }),
      this.route('updateById', 'patch', '/{id}', {
        parameters: [this.id, ...this.ifMatch],
        body: this.body('patch'),
        answers: {204: this.done('The row was changed')},
      }),
      this.route('replaceById', 'put', '/{id}', {
        parameters: [this.id, ...this.ifMatch],
        body: this.body('replace'),
        answers: {204: this.done('The row was replaced')},
      }),
      this.route('deleteById', 'delete', '/{id}', {
        parameters: [this.id, ...this.ifMatch],
        answers: {204: {description: 'The row was deleted'}},
      }),
    ];
  }

  ofVersions(): Operation[] {
    const version: ParameterObject = {
      name: 'version',
      in: 'path',
      required: true,
      schema: {type: 'string'},
    };
    return [
      this.route('deleteVersion', 'delete', '/{id}/{version}', {
        parameters: [this.id, version],
        answers: {200: this.answer('The row was deleted', COUNT)},
      }),
    ];
  }

  bulkPatch(): Operation {
    return this.route('updateAll', 'patch', '/', {
      parameters: [this.where()],
      body: this.body('patch'),
      answers: {200: this.answer('How many rows were changed', COUNT)},
    });
  }

  restore(): Operation {
    return this.route('restoreById', 'post', '/{id}/restore', {
      parameters: [this.id, ...this.ifMatch],
      answers: {200: this.answer('The row, live again', rowSchema(this.entity), true)},
    });
  }

  ofHistory(): Operation[] {
    const revisions = {type: 'array', items: revisionSchema(this.entity)} as const;
    const between = ['from', 'to'].map(
      (name): ParameterObject => ({name, in: 'query', required: true, schema: REVISION_OR_CURRENT}),
    );
    const revision: ParameterObject = {
      name: 'revision',
      in: 'path',
      required: true,
      schema: {type: 'integer', minimum: 1},
    };
    return [
      this.route('findHistory', 'get', '/history', {
        parameters: [HISTORY_FILTER],
        answers: {200: this.answer('Past states of all rows', revisions)},
      }),
      this.route('history', 'get', '/{id}/history', {
        parameters: [this.id, HISTORY_FILTER],
        answers: {200: this.answer('Past states of the row', revisions)},
      }),
      this.route('diff', 'get', '/{id}/diff', {
        parameters: [this.id, ...between],
        answers: {200: this.answer('What differs between two states', CHANGES)},
      }),
      this.route('revertTo', 'post', '/{id}/revert/{revision}', {
        parameters: [this.id, revision, ...this.ifMatch],
        answers: {
          200: this.answer('The row, as it was in that state', rowSchema(this.entity), true),
        },
      }),
    ];
  }

  private route(
    method: EntityOperation & keyof EntityActions,
    verb: Operation['verb'],
    path: string,
    part: {parameters?: ParameterObject[]; body?: RequestBodyObject; answers: ResponsesObject},
  ): Operation {
    const {parameters = [], body, answers} = part;
    const responses = {...answers, ...errors(...refusalsOf(method, this.described))};
    return {method, stands: STANDS_FOR[method], verb, path, parameters, body, spec: {responses}};
  }

  private body(kind: BodyKind): RequestBodyObject {
    const schema = bodySchema(this.described, kind);
    return {required: true, content: {'application/json': {schema}}};
  }

  private filter(exclude?: 'where'): ParameterObject {
    const schema = getFilterSchemaFor(this.entity, exclude ? {exclude} : undefined);
    return {name: 'filter', in: 'query', content: {'application/json': {schema}}};
  }

  private where(): ParameterObject {
    const schema = getWhereSchemaFor(this.entity);
    return {name: 'where', in: 'query', content: {'application/json': {schema}}};
  }

  private answer(
    description: string,
    schema: SchemaObject | ReferenceObject | NamedSchema,
    single = false,
  ) {
    const headers = single && this.has('version') ? {headers: {ETag: ETAG}} : {};
    return {description, ...headers, content: {'application/json': {schema}}};
  }

  private done(description: string) {
    return {description, ...(this.has('version') ? {headers: {ETag: ETAG}} : {})};
  }
}
