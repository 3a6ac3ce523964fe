import {DefaultCrudRepository} from '@loopback/repository';

/** The steps of a repository that make entities of what was read. */
export interface Conversions {
  readonly toEntity: unknown;
  readonly toEntities: unknown;
}

const {toEntity, toEntities} = DefaultCrudRepository.prototype as unknown as Conversions;
const known = new Set<unknown>([toEntity, toEntities]);

/** Notes the steps of a class of our own, which hide nothing that live views would show. */
export function knowConversionsOf(prototype: object): void {
  known.add((prototype as Conversions).toEntity);
}

/** The steps that an application has put its own in place of. */
export function ownConversions(repository: object): string[] {
  const steps = repository as Conversions;
  return (['toEntity', 'toEntities'] as const).filter(name => !known.has(steps[name]));
}
