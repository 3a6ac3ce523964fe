import type {Application, Binding, Constructor, Context} from '@loopback/core';
import type {DefaultCrudRepository, Entity} from '@loopback/repository';
import type {AccessFilter as CoreFilter, EntityFilters} from '../../core/access';
import {LiveEntityError} from '../../core/errors';
import {noteDefinition} from '../../mixins/model-metadata';
import {
  ACCESS_FILTER_TAG,
  realtimeDefinitionOf,
  type AccessFilterSpec,
} from './decorators';
import type {AccessFilter, RealtimeDefinition} from './types';

type AnyRepository = DefaultCrudRepository<Entity, unknown>;

/** A repository class with `@realtime`, as it was found in the application. */
export interface FoundRepository {
  /** The entity's model name. */
  readonly name: string;
  readonly key: string;
  readonly repository: AnyRepository;
  /** The class as it is bound, with what was decorated on it. */
  readonly repositoryClass: Constructor<unknown>;
  readonly definition: RealtimeDefinition<object>;
}

/** Finds the repositories that `@realtime` made live. */
export async function findLiveRepositories(application: Context): Promise<FoundRepository[]> {
  const found = new Map<string, FoundRepository>();
  for (const binding of application.find('repositories.*')) {
    const definition = definitionOf(binding);
    if (!definition) continue;
    const repository = await application.get<AnyRepository>(binding.key);
    const name = repository.entityClass.modelName;
    noteDefinition(repository.entityClass as typeof Entity);
    if (found.has(name)) {
      throw new LiveEntityError(
        'BAD_REQUEST',
        `two live repositories are bound for ${name}: ${found.get(name)!.key} and ${binding.key}`,
        500,
      );
    }
    const repositoryClass = binding.valueConstructor!;
    found.set(name, {name, key: binding.key, repository, repositoryClass, definition});
  }
  return [...found.values()];
}

/** The access filters of each entity: those of `@realtime` first, then the bound providers. */
export function collectFilters(
  application: Application | Context,
  repositories: readonly Pick<FoundRepository, 'name' | 'definition'>[],
): Map<string, EntityFilters> {
  const filters = new Map<string, {pre: CoreFilter[]; post: CoreFilter[]}>();
  for (const {name, definition} of repositories) {
    const {pre, post} = definition.filters ?? {};
    filters.set(name, {pre: listOf(pre), post: listOf(post)});
  }
  for (const binding of application.findByTag(ACCESS_FILTER_TAG)) {
    const {entity, phase} = binding.tagMap[ACCESS_FILTER_TAG] as AccessFilterSpec;
    const known = filters.get(entity);
    if (!known) {
      throw new LiveEntityError(
        'UNKNOWN_TYPE',
        `the access filter ${binding.key} is for '${entity}', which is not a live entity`,
        500,
      );
    }
    known[phase].push(filterFrom(binding.key));
  }
  return filters;
}

/** The provider is asked in the context of the call, so it can have the user injected. */
function filterFrom(key: string): CoreFilter {
  return async (request, next) => {
    const filter = await (request.context as Context).get<AccessFilter>(key);
    return (filter as CoreFilter)(request, next);
  };
}

function listOf(filters: AccessFilter | readonly AccessFilter[] | undefined): CoreFilter[] {
  return [filters ?? []].flat() as CoreFilter[];
}

function definitionOf(binding: Readonly<Binding>): RealtimeDefinition<object> | undefined {
  const {valueConstructor} = binding;
  return valueConstructor ? realtimeDefinitionOf(valueConstructor) : undefined;
}
