import type {Entity} from '@loopback/repository';
import {LiveEntityError} from '../../core/errors';
import type {ViewDefinition} from '../../core/view';
import type {FoundRepository} from './registry';

/** The repository layer's way to look for encrypted values; absent without behaviours. */
interface WithSearch {
  readonly surroundings?: {
    codec(): Promise<{readonly search: Search; ready(): Promise<void>} | undefined>;
  };
}

interface Search {
  filterNow<F extends object>(filter: F): F;
}

/**
 * The views of an entity with encrypted properties. Searchable ones are compared
 * by their blind indexes, which are as much part of a row as its ciphertext is.
 *
 * @throws LiveEntityError `VIEW_QUERY_UNSUPPORTED` for a view that compares what cannot be compared
 */
export async function viewsOf({
  repository,
  definition,
}: FoundRepository): Promise<ReadonlyMap<string, ViewDefinition>> {
  const views = Object.entries(definition.views ?? {}) as unknown as [string, ViewDefinition][];
  const codec = await (repository as unknown as WithSearch).surroundings?.codec();
  if (!codec) return new Map(views);
  await codec.ready();
  return new Map(
    views.map(([name, view]) => {
      refuseIncomparable(repository.entityClass, name, view, codec.search);
      return [name, searching(view, codec.search)];
    }),
  );
}

function searching(view: ViewDefinition, search: Search): ViewDefinition {
  const transform: ViewDefinition['transform'] = (params, context) =>
    search.filterNow(view.transform(params, context) ?? {});
  return {...view, transform};
}

/**
 * Tries a view with texts for parameters. Without any, every comparison is with null, which is the
 * one thing that can be asked of all ciphertext.
 */
function refuseIncomparable(
  {modelName}: typeof Entity,
  name: string,
  view: ViewDefinition,
  search: Search,
): void {
  const params = Object.fromEntries((view.paramFields ?? []).map(param => [param, 'x']));
  let filter: object;
  try {
    filter = view.transform(params, {now: new Date()}) ?? {};
  } catch {
    // It wants parameters of another type, and is checked again with each that it gets.
    return;
  }
  try {
    search.filterNow(filter);
  } catch (error) {
    const message = `view ${modelName}.${name}: ${(error as Error).message}`;
    throw new LiveEntityError('VIEW_QUERY_UNSUPPORTED', message, 500);
  }
}
