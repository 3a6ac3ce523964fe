import type {Model, DataObject, Options} from '@loopback/repository';
import type {LiveOptions} from '../options';
import type {EmbeddedVersions} from './versions';

/** Data of a child, and the versions that its write names. */
export type EmbeddedData<C extends Model> = DataObject<C> & EmbeddedVersions;

/** Options of a write of a child: those of every call; `version` is the parent's. */
export type EmbeddedOptions = Options & LiveOptions;

/**
 * The one child of each parent that a property embeds.
 *
 * A write of a child is a write of its parent's row: with the parent's behaviours it is checked,
 * recorded and kept in the history. Where child and parent are versioned it names `_parentVersion`
 * and the child's `_version` (one suffices when they are equal), and leaves both equal again.
 */
export interface EmbeddedOneRepository<C extends Model, ID> {
  /** @throws `EntityNotFoundError` when there is no such parent, or it has no child */
  get(parentId: ID, options?: EmbeddedOptions): Promise<C>;
  /**
   * Puts a child where there is none. Where there is one, its version has to be named and the
   * child is updated, as oe-common-mixins did.
   *
   * @throws `EmbeddedExistsError`, `EmbeddedValidationError`, `VersionRequiredError`,
   * `VersionConflictError`
   */
  create(parentId: ID, data: EmbeddedData<C>, options?: EmbeddedOptions): Promise<C>;
  /** Changes some properties of the child. */
  update(parentId: ID, data: EmbeddedData<C>, options?: EmbeddedOptions): Promise<C>;
  /** Replaces the child; what the data lacks is emptied. */
  replace(parentId: ID, data: EmbeddedData<C>, options?: EmbeddedOptions): Promise<C>;
  delete(parentId: ID, versions?: EmbeddedVersions & EmbeddedOptions): Promise<void>;
}

/** The list of children that a property embeds; see {@link EmbeddedOneRepository}. */
export interface EmbeddedManyRepository<C extends Model, ID> {
  get(parentId: ID, childId?: undefined, options?: EmbeddedOptions): Promise<C[]>;
  /** @throws `EntityNotFoundError` when there is no such parent or child */
  get(parentId: ID, childId: string | number, options?: EmbeddedOptions): Promise<C>;
  /**
   * Adds a child at the end of the list.
   *
   * @throws `EmbeddedExistsError` for an id that is taken
   */
  create(parentId: ID, data: EmbeddedData<C>, options?: EmbeddedOptions): Promise<C>;
  update(
    parentId: ID,
    childId: string | number,
    data: EmbeddedData<C>,
    options?: EmbeddedOptions,
  ): Promise<C>;
  replace(
    parentId: ID,
    childId: string | number,
    data: EmbeddedData<C>,
    options?: EmbeddedOptions,
  ): Promise<C>;
  delete(
    parentId: ID,
    childId: string | number,
    versions?: EmbeddedVersions & EmbeddedOptions,
  ): Promise<void>;
}

/** The properties of an entity whose values are models: the names that `embedded` takes. */
export type EmbeddedName<T> = {
  [K in keyof T]-?: NonNullable<T[K]> extends Model | Model[] ? K : never;
}[keyof T] &
  string;

/** What `embedded(property)` answers: one child a parent, or a list. */
export type EmbeddedRepositoryOf<V, ID> =
  NonNullable<V> extends (infer C extends Model)[]
    ? EmbeddedManyRepository<C, ID>
    : NonNullable<V> extends Model
      ? EmbeddedOneRepository<NonNullable<V>, ID>
      : never;

/** What a repository of a model with `@embedsOne` or `@embedsMany` has. */
export interface EmbeddingRepository<T extends Model, ID> {
  /**
   * The children that a property embeds.
   *
   * @example
   * ```ts
   * @model()
   * class Author extends Versioned(Entity) {
   *   @property({type: 'string', id: true}) id: string;
   *   @property({type: 'string', required: true}) name: string;
   * }
   *
   * @model()
   * class Book extends Versioned(Entity) {
   *   @property({type: 'string', id: true}) id: string;
   *   @embedsOne(() => Author) author?: Author;
   * }
   *
   * class BookRepository extends VersionMixin(DefaultTransactionalRepository<Book, string>) {}
   *
   * async function rename(books: BookRepository, {id, author, _version}: Book) {
   *   await books.embedded('author').update(id, {
   *     name: 'Roald Dahl',
   *     _version: author?._version,
   *     _parentVersion: _version,
   *   });
   * }
   * ```
   */
  embedded<K extends EmbeddedName<T>>(property: K): EmbeddedRepositoryOf<T[K], ID>;
}
