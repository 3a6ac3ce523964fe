import type {Context} from '@loopback/core';
import type {AccessRequest} from '../../core/access';
import {ReadPermission} from '../authorization';
import type {FoundRepository} from './registry';

/**
 * Lets `@authorize` on a repository hold for its rows when another entity includes them, and when a
 * write answers one: LoopBack's own interceptors are run as for a read of the entity itself.
 * Entities without it cost nothing.
 */
export function includedAuthorization(
  found: readonly Pick<FoundRepository, 'name' | 'repositoryClass'>[],
): (request: AccessRequest) => Promise<void> {
  const guarded = new Map(
    found.map(({name, repositoryClass}) => [
      name,
      ReadPermission.of(`Included${name}Rows`, repositoryClass),
    ]),
  );
  return async ({query, context, source, socket}) => {
    const permission = guarded.get(query.type);
    await permission?.ask(context as Context, {type: source, value: socket}, query.id);
  };
}
