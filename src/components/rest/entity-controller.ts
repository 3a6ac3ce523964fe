import {type Constructor, inject, intercept, type Interceptor} from '@loopback/core';
import type {DefaultCrudRepository, Entity} from '@loopback/repository';
import {
  api,
  operation,
  param,
  type RequestContext,
  requestBody,
  RestBindings,
} from '@loopback/rest';
import type {AccessGuard} from '../../core/access';
import {LiveEntitiesBindings} from '../../keys';
import {behavioursOf, type MixinSettings} from '../../mixins/behaviours-of';
import {embeddedProperties} from '../../mixins/embedded/definition';
import {EmbeddedModel} from '../../mixins/embedded/embedded-model';
import {addProperties} from '../../mixins/model-definition';
import {noteDefinition} from '../../mixins/model-metadata';
import {behavioursNamed} from '../../mixins/planner';
import {demandsAuthorization, inheritAuthorization, isAuthorized} from '../authorization';
import {asClientError} from './client-errors';
import {EntityActions} from './entity-actions';
import type {EmbeddedActions} from './embedded-actions';
import {errors, OF_ENTITY} from './error-answers';
import type {EmbeddedOperation} from './embedded-operations';
import type {Operation} from './operation';
import {embeddedOperationsOf, operationsOf} from './operations';
import type {ControllerEntity, EntityRepository} from './types';

/** How a generated controller is mounted. */
export interface EntityControllerOptions {
  /** Where its routes begin, such as `/products`. */
  readonly basePath: string;
  /** The key that the repository is bound under. Default: `repositories.<name of the class>`. */
  readonly repositoryKey?: string;
  /**
   * What the application's own configuration says of behaviours, for a `BaseEntityRepository`:
   * the routes are decided on before the application runs.
   */
  readonly mixins?: MixinSettings;
}

/* eslint-disable @typescript-eslint/no-explicit-any -- repositories are constructed by LoopBack */

/** A repository class, with decorators or mixins or without. */
export type EntityRepositoryClass<T extends Entity> = abstract new (
  ...args: any[]
) => DefaultCrudRepository<T, any, any>;

/** The class of a generated controller, to be given to `app.controller` or extended. */
export type EntityControllerClass = Constructor<EntityActions>;

/**
 * Makes a REST controller for an entity, with the routes that the behaviours of its repository
 * offer: create, find, count, findById, updateById, replaceById and deleteById always, bulk patch
 * only without versions, `DELETE /{id}/{version}` with them, `POST /{id}/restore` with soft delete,
 * and with history `GET /history`, `/{id}/history`, `/{id}/diff`, `?asOf=` and
 * `POST /{id}/revert/{revision}`. What a property embeds has routes below the row: `/{id}/author`.
 *
 * With versions, single reads and writes answer an `ETag`, writes take `If-Match` (412 when it is
 * stale; 409 when the body or the path names the stale version) and reads `If-None-Match` (304).
 * Both take lists and `*`; as `If-Match`, `*` asks that there is a row and names no version.
 *
 * `@authorize` of `@loopback/authorization` on the repository holds for its routes, unless a class
 * that extends the controller says otherwise. Who may write a row and not read it is answered its
 * id. A PUT leaves what its sender cannot have been shown: hidden properties, and what filters cut.
 *
 * The access filters of `@realtime` guard every route, and its scope is part of every query and
 * write: what is outside does not exist. Included relations are guarded by their own entity's; a
 * polymorphic one, which could lead past them, is refused. Rows that a `post` filter refuses are
 * left out of lists, yet where and count compare all rows within the scope: hide a property from
 * people who must not learn its value, and give them a view instead of `find`.
 *
 * @throws TypeError for an entity without an id property, or with several
 * @example
 * ```ts
 * app.controller(defineEntityController(Product, ProductRepository, {basePath: '/products'}));
 * ```
 */
export function defineEntityController<T extends Entity>(
  entityClass: typeof Entity & {prototype: T},
  repositoryClass: EntityRepositoryClass<T>,
  options: EntityControllerOptions,
): EntityControllerClass {
  const described = describe(entityClass, repositoryClass, options.mixins);
  const {modelName: name} = entityClass;
  const {[`${name}Controller`]: controllerClass} = {
    [`${name}Controller`]: class extends EntityActions {
      protected override readonly described = described;

      constructor(repository: EntityRepository, http: RequestContext, guard?: AccessGuard) {
        super(repository, http, guard, entityClass);
      }
    },
  };
  inject(options.repositoryKey ?? `repositories.${repositoryClass.name}`)(
    controllerClass,
    undefined,
    0,
  );
  inject(RestBindings.Http.CONTEXT)(controllerClass, undefined, 1);
  inject(LiveEntitiesBindings.ACCESS_GUARD, {optional: true})(
    controllerClass,
    undefined,
    2,
  );
  intercept(answerForClients)(controllerClass);
  api({basePath: options.basePath, paths: {}})(controllerClass);
  const ofChildren = embeddedOperationsOf(described);
  for (const route of ofChildren) addMethod(controllerClass, route);
  const routes = [...operationsOf(described), ...ofChildren].map(route => ({
    ...route,
    stands: standsFor(repositoryClass, route),
  }));
  for (const route of routes) {
    const {stands, spec} = route;
    const refusals = demandsAuthorization(repositoryClass, stands) ? errors(401, 403) : {};
    const responses = {...refusals, ...spec.responses};
    mount(controllerClass, {...route, spec: {...spec, responses, [OF_ENTITY]: name}});
  }
  const methods = routes.map(({method, stands}) => [method, stands]);
  inheritAuthorization(repositoryClass, controllerClass, Object.fromEntries(methods));
  return controllerClass;
}

function standsFor(
  repositoryClass: EntityRepositoryClass<any>,
  {method, stands = method}: Operation,
): string {
  return isAuthorized(repositoryClass, method) ? method : stands;
}

function describe(
  entity: typeof Entity,
  repositoryClass: object,
  mixins: MixinSettings | undefined,
): ControllerEntity {
  noteDefinition(entity);
  const behaviours = behavioursNamed(behavioursOf(repositoryClass, entity.definition, mixins));
  // The repository will do the same, but only once it is constructed.
  addProperties(entity, behaviours);
  const reachable = 'embedded' in (repositoryClass as {prototype: object}).prototype;
  const properties = reachable ? embeddedProperties(entity.definition) : [];
  const embedded = properties.map(property => new EmbeddedModel(property));
  return {entity, behaviours, embedded};
}

/** Each embedded property has methods of its own, because a route is known by its method. */
function addMethod({prototype}: EntityControllerClass, route: EmbeddedOperation): void {
  const {method, property, run} = route;
  Object.defineProperty(prototype, method, {
    configurable: true,
    writable: true,
    value(this: WithChildren, ...args: unknown[]) {
      return run(this.children(property), args);
    },
  });
}

interface WithChildren {
  children(property: string): EmbeddedActions;
}

function mount({prototype}: EntityControllerClass, route: Operation): void {
  const {method, verb, path, parameters, body, spec} = route;
  const headers = parameters.filter(parameter => parameter.in === 'header');
  const others = parameters.filter(parameter => parameter.in !== 'header');
  const decorators = [
    ...others.map(param),
    ...(body ? [requestBody(body)] : []),
    ...headers.map(param),
  ];
  decorators.forEach((decorate, index) => decorate(prototype, method, index));
  const descriptor = Object.getOwnPropertyDescriptor(prototype, method) ??
    {value: prototype[method as keyof EntityActions]};
  operation(verb, path, spec)(prototype, method, descriptor);
}

const answerForClients: Interceptor = async (_invocation, next) => {
  try {
    return await next();
  } catch (error) {
    throw asClientError(error);
  }
};
