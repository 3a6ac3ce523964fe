import {invokeMethodWithInterceptors, type Context} from '@loopback/core';
import type {AccessRequest} from '../../core/access';
import {demandsAuthorization, inheritAuthorization} from '../authorization';
import type {FoundRepository} from './registry';

/** What LoopBack's interceptors are asked about: whether rows of the entity may be read. */
abstract class IncludedRows {
  find(): void {
    // Who gets here may.
  }
}

/**
 * Lets `@authorize` on a repository hold for its rows when another entity includes them: LoopBack's
 * own interceptors are run as for a read of the entity itself. Entities without it cost nothing.
 */
export function includedAuthorization(
  found: readonly Pick<FoundRepository, 'name' | 'repositoryClass'>[],
): (request: AccessRequest) => Promise<void> {
  const guarded = new Map<string, object>();
  for (const {name, repositoryClass} of found) {
    if (!demandsAuthorization(repositoryClass, 'find')) continue;
    const className = `Included${name}Rows`;
    const {[className]: rows} = {[className]: class extends IncludedRows {}};
    inheritAuthorization(repositoryClass, rows, {find: 'find'});
    guarded.set(name, new rows());
  }
  return async ({query, context, source, socket}) => {
    const rows = guarded.get(query.type);
    if (!rows) return;
    await invokeMethodWithInterceptors(context as Context, rows, 'find', [], {
      source: {type: source, value: socket},
      skipParameterInjection: true,
    });
  };
}
