import type {Entity} from '@loopback/repository';
import type {ParameterObject, RequestBodyObject, ResponsesObject, SchemaObject} from '@loopback/rest';
import type {EmbeddedModel} from '../../mixins/embedded/embedded-model';
import {childBodySchema, idSchema, type NamedSchema, rowSchema} from './schemas';
import type {EmbeddedActions} from './embedded-actions';
import type {ErrorStatus} from './error-answers';
import type {Operation} from './operation';
import {ETAG, IF_MATCH, NOT_MODIFIED} from './parameters';
import {childRefusalsOf, type EmbeddedOperationName} from './refusals';

/** A route to the children of a row, and what answers it. */
export interface EmbeddedOperation extends Operation {
  readonly property: string;
  /** Calls the action with the arguments of the route. */
  readonly run: (actions: EmbeddedActions, args: unknown[]) => Promise<unknown>;
}

/** How a path describes errors and rows, which embedded routes share with those of the entity. */
export interface RouteParts {
  readonly entity: typeof Entity;
  /** The parameter of the parent's id. */
  readonly id: ParameterObject;
  readonly versioned: boolean;
  errors(...statuses: ErrorStatus[]): ResponsesObject;
}

/** The routes to what one property embeds: `/{id}/author`, or `/{id}/chapters` and each of them. */
export function embeddedOperations(parts: RouteParts, model: EmbeddedModel): EmbeddedOperation[] {
  const routes = new EmbeddedRoutes(parts, model);
  return model.property.kind === 'one' ? routes.ofOne() : routes.ofMany();
}

class EmbeddedRoutes {
  private readonly base: string;
  private readonly row: NamedSchema;

  constructor(
    private readonly parts: RouteParts,
    private readonly model: EmbeddedModel,
  ) {
    this.base = `/{id}/${model.name}`;
    this.row = rowSchema(model.property.target as typeof Entity);
  }

  ofOne(): EmbeddedOperation[] {
    const withoutChildId = (args: unknown[]) => [args[0], undefined, ...args.slice(1)];
    return [
      this.route('get', 'get', this.base, [], undefined, (actions, [id]) => actions.get(id)),
      this.creation(),
      this.route('replace', 'put', this.base, this.ifMatch(), 'replace', (actions, args) =>
        actions.replace(...(withoutChildId(args) as Parameters<EmbeddedActions['replace']>)),
      ),
      this.route('delete', 'delete', this.base, this.removal(), undefined, (actions, args) =>
        actions.delete(...this.deletion(withoutChildId(args))),
      ),
    ];
  }

  ofMany(): EmbeddedOperation[] {
    const {target} = this.model.property;
    const schema = idSchema(target as typeof Entity);
    const childId: ParameterObject = {name: 'childId', in: 'path', required: true, schema};
    const path = `${this.base}/{childId}`;
    return [
      this.route('list', 'get', this.base, [], undefined, (actions, [id]) => actions.list(id)),
      this.creation(),
      this.route('get', 'get', path, [childId], undefined, (actions, args) =>
        actions.get(...(args as Parameters<EmbeddedActions['get']>)),
      ),
      this.route('replace', 'put', path, [childId, ...this.ifMatch()], 'replace', (actions, args) =>
        actions.replace(...(args as Parameters<EmbeddedActions['replace']>)),
      ),
      this.route('delete', 'delete', path, [childId, ...this.removal()], undefined, (actions, a) =>
        actions.delete(...this.deletion(a)),
      ),
    ];
  }

  private creation(): EmbeddedOperation {
    return this.route('create', 'post', this.base, this.ifMatch(), 'create', (actions, args) =>
      actions.create(...(args as Parameters<EmbeddedActions['create']>)),
    );
  }

  private ifMatch(): ParameterObject[] {
    return this.parts.versioned ? [IF_MATCH] : [];
  }

  /** A DELETE has no body to name versions in. */
  private removal(): ParameterObject[] {
    const schema: SchemaObject = {type: 'string'};
    const {versioned} = this.model.property;
    const version = (name: string, of: string): ParameterObject => ({
      name, in: 'query', description: `The version of the ${of} that was read.`, schema,
    });
    const query = [version('_version', 'child'), version('_parentVersion', 'parent')];
    return [...(versioned ? query : []), ...this.ifMatch()];
  }

  /** Where there are no versions to name, the header follows the ids. */
  private deletion([id, childId, ...rest]: unknown[]): Parameters<EmbeddedActions['delete']> {
    const named = this.model.property.versioned ? rest : [undefined, undefined, ...rest];
    return [id, childId, ...named] as Parameters<EmbeddedActions['delete']>;
  }

  private route(
    action: EmbeddedOperationName,
    verb: Operation['verb'],
    path: string,
    parameters: ParameterObject[],
    body: 'create' | 'replace' | undefined,
    run: EmbeddedOperation['run'],
  ): EmbeddedOperation {
    const {id, errors, versioned} = this.parts;
    const {name} = this.model;
    const writes = verb !== 'get';
    return {
      property: name,
      // As in getAuthor; a prefix keeps it apart from the methods of the entity itself.
      method: `${action}Embedded${name[0].toUpperCase()}${name.slice(1)}`,
      stands: writes ? 'updateById' : 'findById',
      verb,
      path,
      parameters: [id, ...parameters],
      body: body && this.body(body),
      spec: {
        responses: {
          ...this.answers(action),
          ...errors(...childRefusalsOf(action, versioned, this.model)),
        },
      },
      run,
    };
  }

  private answers(action: EmbeddedOperationName): ResponsesObject {
    if (action === 'delete') return {204: {description: 'The child was deleted'}};
    const schema = action === 'list' ? {type: 'array' as const, items: this.row} : this.row;
    const tagged = action !== 'list' && this.parts.versioned;
    return {
      200: {
        description: action === 'list' ? 'The children' : 'The child',
        ...(tagged ? {headers: {ETag: ETAG}} : {}),
        content: {'application/json': {schema}},
      },
      ...(tagged && action === 'get' ? NOT_MODIFIED : {}),
    };
  }

  private body(kind: 'create' | 'replace'): RequestBodyObject {
    const schema = childBodySchema(this.parts.entity, this.model, kind);
    return {required: true, content: {'application/json': {schema}}};
  }
}
