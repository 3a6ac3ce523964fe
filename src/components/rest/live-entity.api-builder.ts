import {type Constructor, inject, injectable} from '@loopback/core';
import {
  asModelApiBuilder,
  type ModelApiBuilder,
  type ModelApiConfig,
} from '@loopback/model-api-builder';
import {
  type ApplicationWithRepositories,
  Entity,
  type juggler,
  type Model,
} from '@loopback/repository';
import {LiveEntitiesBindings} from '../../keys';
import type {MixinSettings} from '../../mixins/behaviours-of';
import {BaseEntityRepository} from '../../mixins/mixins';
import {defineEntityController, type EntityRepositoryClass} from './entity-controller';

/** What a `*.rest-config.ts` with the pattern `LiveEntity` says. */
export interface LiveEntityApiConfig extends ModelApiConfig {
  readonly pattern: 'LiveEntity';
  readonly basePath: string;
}

/**
 * Makes the REST controller of a model that a `*.rest-config.ts` names, when `@loopback/boot` finds
 * one, and a `BaseEntityRepository` for it where the application has no repository of its own.
 *
 * @example
 * ```ts
 * const config: LiveEntityApiConfig = {
 *   model: Product, pattern: 'LiveEntity', dataSource: 'db', basePath: '/products',
 * };
 * module.exports = config;
 * ```
 */
@injectable(asModelApiBuilder)
export class LiveEntityApiBuilder implements ModelApiBuilder {
  readonly pattern = 'LiveEntity';

  async build(
    application: ApplicationWithRepositories,
    modelClass: typeof Model & {prototype: Model},
    {basePath, dataSource}: ModelApiConfig & {basePath?: string},
  ): Promise<void> {
    const {name} = modelClass;
    if (!basePath) throw new TypeError(`The rest-config of ${name} lacks its basePath.`);
    if (!(modelClass.prototype instanceof Entity)) throw new TypeError(`${name} is no Entity.`);
    const entityClass = modelClass as typeof Entity;
    const repositoryKey = `repositories.${name}Repository`;
    if (!application.isBound(repositoryKey)) {
      application.repository(repositoryOf(entityClass, dataSource));
    }
    const repositoryClass = application.getBinding(repositoryKey).valueConstructor;
    if (!repositoryClass) throw new TypeError(`${repositoryKey} is not bound to a class.`);
    const {mixins} = (await application.getConfig<{mixins?: MixinSettings}>(
      LiveEntitiesBindings.COMPONENT,
    )) ?? {};
    application.controller(
      defineEntityController(entityClass, repositoryClass as EntityRepositoryClass<Entity>, {
        basePath,
        repositoryKey,
        mixins,
      }),
    );
  }
}

function repositoryOf(entityClass: typeof Entity, dataSource: string) {
  class EntityRepository extends BaseEntityRepository<Entity, unknown> {
    constructor(source: juggler.DataSource) {
      super(entityClass, source);
    }
  }
  Object.defineProperty(EntityRepository, 'name', {value: `${entityClass.name}Repository`});
  inject(`datasources.${dataSource}`)(EntityRepository, undefined, 0);
  return EntityRepository as Constructor<BaseEntityRepository<Entity, unknown>>;
}
