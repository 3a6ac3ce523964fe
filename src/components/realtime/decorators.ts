import {
  BindingScope,
  ClassDecoratorFactory,
  injectable,
  MetadataInspector,
  type Constructor,
} from '@loopback/core';
import type {Entity} from '@loopback/repository';
import type {RealtimeDefinition} from './types';

const REALTIME_KEY = 'loopback4-live-entities.realtime';

/** A constructor of a repository of entities of type `T`. */
type RepositoryClass<T extends object> = abstract new (...args: any[]) => {
  entityClass: typeof Entity & {prototype: T};
};

/**
 * Makes the entity of a repository live: its rows can be watched through the named views, and read
 * and written over the socket, as its filters allow.
 *
 * @example
 * ```ts
 * @realtime<Category>({
 *   views: {alphabeticalView: {transform: () => ({order: ['name ASC']})}},
 * })
 * export class CategoryRepository extends DefaultTransactionalRepository<Category, string> {}
 * ```
 */
export function realtime<T extends object>(
  definition: RealtimeDefinition<T>,
): (target: RepositoryClass<T>) => void {
  return target => {
    ClassDecoratorFactory.createDecorator(REALTIME_KEY, definition, {decoratorName: '@realtime'})(
      target,
    );
  };
}

/** What `@realtime` said of a repository class, if it did. */
export function realtimeDefinitionOf(
  repositoryClass: Constructor<unknown>,
): RealtimeDefinition<object> | undefined {
  return MetadataInspector.getClassMetadata<RealtimeDefinition<object>>(
    REALTIME_KEY,
    repositoryClass,
  );
}

/** Where an access filter that is bound as a provider applies. */
export interface AccessFilterSpec {
  readonly phase: 'pre' | 'post';
  /** The entity's model name. */
  readonly entity: string;
}

export const ACCESS_FILTER_TAG = 'loopback4-live-entities.access-filter';

/**
 * Marks a provider class whose value is an access filter, so that it can have dependencies
 * injected. Bind it with `app.add(createBindingFromClass(TenantFilter))` or through boot.
 *
 * @example
 * ```ts
 * @accessFilter({phase: 'pre', entity: 'Product'})
 * export class OfficeHours implements Provider<AccessFilter> {
 *   value(): AccessFilter {
 *     return (req, next) => (new Date().getHours() < 18 ? next() : next(new Error('Closed.')));
 *   }
 * }
 * ```
 */
export function accessFilter(spec: AccessFilterSpec): ClassDecorator {
  return target => {
    injectable({scope: BindingScope.TRANSIENT, tags: {[ACCESS_FILTER_TAG]: spec}})(
      target as unknown as Constructor<unknown>,
    );
  };
}
