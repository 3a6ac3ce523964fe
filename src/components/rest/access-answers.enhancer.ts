import {config, CoreBindings, inject, injectable, type Application} from '@loopback/core';
import {
  asSpecEnhancer,
  type OASEnhancer,
  type OpenApiSpec,
  type OperationObject,
} from '@loopback/rest';
import {FilterGuard} from '../../core/access';
import {LiveEntitiesBindings} from '../../keys';
import {errorAnswer, OF_ENTITY} from './error-answers';
import type {WithErrorStyle} from './oe-errors';

const SCHEME = 'liveEntitiesToken';
const VERBS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/**
 * Completes the OpenAPI document of generated controllers by what depends on the application: that
 * a token can be sent, who is answered 401 or 403, and how versions are refused. Filters can be
 * bound after controllers are made, so it is decided when the document is asked for.
 */
@injectable(asSpecEnhancer)
export class AccessAnswersEnhancer implements OASEnhancer {
  readonly name = 'live-entities-access';

  constructor(
    @inject(CoreBindings.APPLICATION_INSTANCE) private readonly application: Application,
    @config({fromBinding: LiveEntitiesBindings.COMPONENT})
    private readonly settings: WithErrorStyle = {},
  ) {}

  async modifySpec(spec: OpenApiSpec): Promise<OpenApiSpec> {
    const key = LiveEntitiesBindings.ACCESS_GUARD;
    const guard = await this.application.get(key, {optional: true});
    const takesTokens = await this.application.get(LiveEntitiesBindings.TOKEN_SERVICE, {
      optional: true,
    });
    for (const operation of operationsIn(spec)) {
      if (this.settings.errors === 'oe') asOeAnswers(operation);
      const entity = operation[OF_ENTITY] as string;
      const mayRefuse = guard instanceof FilterGuard ? guard.mayRefuse(entity) : Boolean(guard);
      if (takesTokens || mayRefuse) operation.responses[401] ??= errorAnswer(401);
      if (mayRefuse) operation.responses[403] ??= errorAnswer(403);
      if (guard instanceof FilterGuard && guard.hasScope(entity)) asScopedAnswers(operation);
      // Without a token a call passes as nobody's; the filters say what that may do.
      if (takesTokens) operation.security ??= [{}, {[SCHEME]: []}];
    }
    if (!takesTokens) return spec;
    const scheme = {type: 'http', scheme: 'bearer'} as const;
    const securitySchemes = {...spec.components?.securitySchemes, [SCHEME]: scheme};
    return {...spec, components: {...spec.components, securitySchemes}};
  }
}

/** The past of a row that is not there is empty; that of one out of reach is not found. */
function asScopedAnswers({responses, ...operation}: OperationObject): void {
  if (operation['x-operation-name'] === 'history') responses[404] ??= errorAnswer(404);
}

/** Of missing and stale versions oe-common-mixins says 422; other reasons keep their status. */
function asOeAnswers({responses, ...operation}: OperationObject): void {
  const isOfVersion = operation['x-operation-name'] === 'deleteVersion';
  const hasVersions = isOfVersion || responses[428] !== undefined || responses[412] !== undefined;
  if (!hasVersions) return;
  responses[422] ??= errorAnswer(422);
  delete responses[428];
  if (isOfVersion) delete responses[409];
}

/** The operations of generated controllers. */
function operationsIn({paths}: OpenApiSpec): OperationObject[] {
  return Object.values(paths)
    .flatMap(path => VERBS.map(verb => path[verb] as OperationObject | undefined))
    .filter(operation => operation !== undefined)
    .filter(operation => OF_ENTITY in operation);
}
