import type {Count, DataObject, Entity, Filter, Options, Where} from '@loopback/repository';
import type {EmbeddingRepository} from './embedded/embedded-repository';
import type {PropertyChange, Revision, RevisionRef} from './history/entity-history';
import type {PruneOptions} from './history/prune';
import type {LiveOptions} from './options';
import type {ReencryptOptions, ReencryptProgress} from './reencrypt/reencrypt';

/** What the version behaviour adds to a repository. */
export interface VersionedRepository<T extends Entity, ID> extends EmbeddingRepository<T, ID> {
  /**
   * Reads a row and lets `work` change it; when somebody else was faster, reads it again and
   * repeats.
   *
   * @param work - Gets the row as it is now and writes it
   * @param options - `attempts`: how often at most, default 5; the rest goes to the read
   * @throws `VersionConflictError` of the last attempt
   * @example
   * ```ts
   * await repo.withRetry(id, async ({qty, _version}) =>
   *   repo.updateById(id, {qty: qty - 1, _version}),
   * );
   * ```
   */
  withRetry<R>(
    id: ID,
    work: (entity: T) => Promise<R>,
    options?: Options & {attempts?: number},
  ): Promise<R>;
}

/** What the soft delete behaviour adds to a repository. */
export interface SoftDeletableRepository<T extends Entity, ID> {
  /**
   * Brings a deleted row back.
   *
   * @throws `EntityNotFoundError` when there is no such deleted row, `RestoreConflictError` when a
   * live row has taken one of its unique values
   */
  restoreById(id: ID, options?: Options & LiveOptions): Promise<void>;
  restoreAll(where?: Where<T>, options?: Options & LiveOptions): Promise<Count>;
  /**
   * Removes deleted rows for good.
   *
   * @param age - `olderThan`: only those that were deleted before
   * @throws `InvalidWhereError` for an age that says nothing, such as `{olderThan: undefined}`
   */
  purge(
    where?: Where<T>,
    age?: {olderThan?: Date},
    options?: Options & LiveOptions,
  ): Promise<Count>;
}

/** What the encryption behaviour adds to a repository. */
export interface EncryptedRepository {
  /**
   * Writes what is stored anew with the current key, in the history too: ciphertext of former keys,
   * what other readers (`legacy`, `readPlaintext`) have read, and the indexes of searchable
   * properties. It is no write of the entity: it makes no version, revision or event, and changes
   * nothing that a caller can see. A write that comes between wins.
   *
   * It can be broken off and run again at any time: what is up to date is passed by.
   *
   * @throws `DecryptionError`, or the database's error for a value that is not unique, unless
   * `onError` is given; it has the row as `position`
   * @example
   * ```ts
   * function moveToCurrentKey(payments: EncryptedRepository) {
   *   const onProgress = ({done, total}: ReencryptProgress) => console.log(done, 'of', total);
   *   return payments.reencrypt({batchSize: 1000, onProgress});
   * }
   * ```
   */
  reencrypt(options?: ReencryptOptions): Promise<ReencryptProgress>;
}

/** What the history behaviour adds to a repository. */
export interface HistoricalRepository<T extends Entity, ID> {
  /**
   * The states that a row has had and has no more, oldest first; of a deleted row, those that it
   * had before.
   */
  history(id: ID, filter?: Filter, options?: Options): Promise<Revision<T>[]>;
  /**
   * Past states of all rows. Where and order take the entity's properties and the revision's,
   * `fields` those of the entity.
   */
  findHistory(filter?: Filter, options?: Options): Promise<Revision<T>[]>;
  /**
   * Rows as they were at a moment, past and present states alike. A moment is as fine as a Date: of
   * several states in one millisecond the last is meant. Related rows are
   * included as they were at that moment if their repository is historical, as they are now if not.
   */
  findAsOf(
    when: Date | string,
    filter?: Filter<T>,
    options?: Options & LiveOptions,
  ): Promise<T[]>;
  /** @throws `EntityNotFoundError` when the row was not there then */
  findByIdAsOf(
    id: ID,
    when: Date | string,
    filter?: Filter<T>,
    options?: Options & LiveOptions,
  ): Promise<T>;
  /**
   * The properties in which two states of a row differ, without those of behaviours.
   *
   * @throws `EntityNotFoundError` for a state that there is not, and for the present state of a
   * deleted row unless the options say `withDeleted` or `onlyDeleted`
   */
  diff(id: ID, from: RevisionRef, to: RevisionRef, options?: Options): Promise<PropertyChange[]>;
  /**
   * Writes a past state again: a new state, for which a version is needed as for any write.
   *
   * @throws `EntityNotFoundError` for a deleted row, unless the options say `withDeleted`
   */
  revertTo(id: ID, revision: number, options?: Options & LiveOptions): Promise<void>;
  /**
   * Deletes kept states for good.
   *
   * @throws `InvalidWhereError` for a limit that says nothing, and without any
   */
  pruneHistory(which: PruneOptions, options?: Options): Promise<Count>;
  /** Empties properties in all kept states of a row. */
  redactHistory(id: ID, fields: readonly string[], options?: Options): Promise<Count>;
}

/** Data of a write of a versioned entity: its properties, and what names versions. */
export type VersionedData<T extends Entity> = DataObject<T> & {
  _version?: string | null;
  _newVersion?: string;
};
