import type {DefaultCrudRepository, Entity} from '@loopback/repository';
import {DefaultTransactionalRepository} from '@loopback/repository';
import type {BehaviourName} from './behaviour';
import {markDeclarative, markEmbedding, recordCascade} from './behaviours-of';
import {addBehaviour, type SoftDeleteSettings} from './decorators';
import {installLayer} from './install-layer';
import type {EmbeddingRepository} from './embedded/embedded-repository';
import {knowMixinNames} from './known-to-juggler';
import type {RepositoryClass} from './layer';
import type {
  EncryptedRepository,
  HistoricalRepository,
  SoftDeletableRepository,
  VersionedRepository,
} from './repository-methods';

/* eslint-disable @typescript-eslint/no-explicit-any -- TypeScript demands it of mixins */

/** A constructor as TypeScript wants it of a mixin. */
export type MixinConstructor<T> = new (...args: any[]) => T;

type EntityOf<S extends RepositoryClass> =
  InstanceType<S> extends DefaultCrudRepository<infer T, any, any> ? T : never;
type IdOf<S extends RepositoryClass> =
  InstanceType<S> extends DefaultCrudRepository<any, infer ID, any> ? ID : never;

/**
 * The version behaviour as a mixin, which puts its added methods into the type.
 *
 * @example
 * ```ts
 * class ProductRepository extends HistoryMixin(VersionMixin(
 *   DefaultTransactionalRepository<Product, string>,
 * )) {}
 * ```
 */
export function VersionMixin<S extends RepositoryClass>(
  superClass: S,
): S & MixinConstructor<VersionedRepository<EntityOf<S>, IdOf<S>>> {
  return extended(superClass, 'version') as never;
}

/** The audit behaviour as a mixin; it adds no methods. */
export function AuditFieldsMixin<S extends RepositoryClass>(superClass: S): S {
  return extended(superClass, 'audit') as never;
}

/** The soft delete behaviour as a mixin: `restoreById`, `restoreAll`, `purge`. */
export function SoftDeleteMixin<S extends RepositoryClass>(
  superClass: S,
  {cascade}: SoftDeleteSettings = {},
): S & MixinConstructor<SoftDeletableRepository<EntityOf<S>, IdOf<S>>> {
  const mixed = extended(superClass, 'softDelete');
  if (cascade) recordCascade(mixed, cascade);
  return mixed as never;
}

/** The history behaviour as a mixin: `history`, `findAsOf`, `diff`, `revertTo` and more. */
export function HistoryMixin<S extends RepositoryClass>(
  superClass: S,
): S & MixinConstructor<HistoricalRepository<EntityOf<S>, IdOf<S>>> {
  return extended(superClass, 'history') as never;
}

/** The encryption behaviour as a mixin: `reencrypt`. */
export function CryptoMixin<S extends RepositoryClass>(
  superClass: S,
): S & MixinConstructor<EncryptedRepository> {
  return extended(superClass, 'crypto') as never;
}

/**
 * Embedded children as a mixin: `embedded(property)`, for a repository without other behaviours.
 * {@link VersionMixin} has the method, too; with decorators it is there at run time.
 *
 * @example
 * ```ts
 * class OrderRepository extends EmbeddingMixin(
 *   DefaultTransactionalRepository<Product, string>,
 * ) {}
 * ```
 */
export function EmbeddingMixin<S extends RepositoryClass>(
  superClass: S,
): S & MixinConstructor<EmbeddingRepository<EntityOf<S>, IdOf<S>>> {
  abstract class WithChildren extends (superClass as RepositoryClass) {}
  Object.defineProperty(WithChildren, 'name', {value: superClass.name});
  markEmbedding(WithChildren);
  installLayer(WithChildren);
  return WithChildren as never;
}

function extended(superClass: RepositoryClass, name: BehaviourName): RepositoryClass {
  abstract class WithBehaviour extends superClass {}
  Object.defineProperty(WithBehaviour, 'name', {value: superClass.name});
  addBehaviour(WithBehaviour, name);
  return WithBehaviour;
}

/**
 * A repository whose behaviours are declared: by the model's `settings.mixins`, and where that is
 * silent by `app.configure(LiveEntitiesBindings.COMPONENT).to({mixins: {…}})`. Decorators add to
 * them.
 *
 * @example
 * ```ts
 * @model({settings: {mixins: {VersionMixin: true, AuditFieldsMixin: true}}})
 * export class Product extends Entity {}
 *
 * export class ProductRepository extends BaseEntityRepository<Product, string> {}
 * ```
 */
export class BaseEntityRepository<
  T extends Entity,
  ID,
  Relations extends object = {},
> extends DefaultTransactionalRepository<T, ID, Relations> {}

knowMixinNames();
markDeclarative(BaseEntityRepository);
installLayer(BaseEntityRepository);
