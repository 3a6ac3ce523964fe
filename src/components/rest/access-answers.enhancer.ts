import {CoreBindings, inject, injectable, type Application} from '@loopback/core';
import {
  asSpecEnhancer,
  type OASEnhancer,
  type OpenApiSpec,
  type OperationObject,
} from '@loopback/rest';
import {FilterGuard} from '../../core/access';
import {LiveEntitiesBindings} from '../../keys';
import {errorAnswer, OF_ENTITY} from './error-answers';

const SCHEME = 'liveEntitiesToken';
const VERBS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/**
 * Completes the OpenAPI document of generated controllers by what depends on the application: that
 * a token can be sent, and who is answered 401 or 403. Filters can be bound after controllers are
 * made, so it is decided when the document is asked for.
 */
@injectable(asSpecEnhancer)
export class AccessAnswersEnhancer implements OASEnhancer {
  readonly name = 'live-entities-access';

  constructor(
    @inject(CoreBindings.APPLICATION_INSTANCE) private readonly application: Application,
  ) {}

  async modifySpec(spec: OpenApiSpec): Promise<OpenApiSpec> {
    const key = LiveEntitiesBindings.ACCESS_GUARD;
    const guard = await this.application.get(key, {optional: true});
    const takesTokens = await this.application.get(LiveEntitiesBindings.TOKEN_SERVICE, {
      optional: true,
    });
    for (const operation of operationsIn(spec)) {
      const entity = operation[OF_ENTITY] as string;
      const mayRefuse = guard instanceof FilterGuard ? guard.mayRefuse(entity) : Boolean(guard);
      if (takesTokens || mayRefuse) operation.responses[401] ??= errorAnswer(401);
      if (mayRefuse) operation.responses[403] ??= errorAnswer(403);
      // The past of a row that is not there is empty; that of one out of reach is not found.
      const isHistory = operation['x-operation-name'] === 'history';
      const isScoped = guard instanceof FilterGuard && guard.hasScope(entity);
      if (isHistory && isScoped) operation.responses[404] ??= errorAnswer(404);
      // Without a token a call passes as nobody's; the filters say what that may do.
      if (takesTokens) operation.security ??= [{}, {[SCHEME]: []}];
    }
    if (!takesTokens) return spec;
    const scheme = {type: 'http', scheme: 'bearer'} as const;
    const securitySchemes = {...spec.components?.securitySchemes, [SCHEME]: scheme};
    return {...spec, components: {...spec.components, securitySchemes}};
  }
}

/** The operations of generated controllers. */
function operationsIn({paths}: OpenApiSpec): OperationObject[] {
  return Object.values(paths)
    .flatMap(path => VERBS.map(verb => path[verb] as OperationObject | undefined))
    .filter(operation => operation !== undefined)
    .filter(operation => OF_ENTITY in operation);
}
