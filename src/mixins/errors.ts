import type {AnyObject} from '@loopback/repository';

/** An error with a machine-readable `code` and the HTTP status that a REST server answers with. */
export abstract class BehaviourError extends Error {
  abstract readonly code: string;
  abstract readonly statusCode: number;

  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/**
 * A write of a versioned entity did not say which version it changes.
 *
 * Send the version that was read, as `_version` in the data or as `options.version`.
 */
export class VersionRequiredError extends BehaviourError {
  readonly code = 'VERSION_REQUIRED';
  readonly statusCode = 428;

  constructor(
    readonly entityName: string,
    readonly entityId: unknown,
  ) {
    super(
      `A write of ${entityName} ${String(entityId)} needs the version it was read with: ` +
        'send it as "_version" in the data or as "version" in the options.',
    );
  }
}

/**
 * `_newVersion` is no name for a version: not a text, empty, or one that the row has had: the one
 * that the write changes, the one before it, or with a history that of any state in there. Whoever
 * has read that state could write over what has come since.
 */
export class InvalidVersionError extends BehaviourError {
  readonly code = 'VERSION_INVALID';
  readonly statusCode = 422;

  constructor(readonly entityName: string) {
    super(
      `The "_newVersion" of a ${entityName} must be a text, and neither its version, nor the one ` +
        'before, nor one in its history.',
    );
  }
}

/** One row of a checked write of many that is not as the caller read it. */
export interface RowConflict {
  readonly entityId: unknown;
  readonly expected: string | null;
  /** Null when the row is not there any more. */
  readonly actual: string | null;
}

/** The row has changed since the caller read it; nothing was written. */
export class VersionConflictError extends BehaviourError {
  readonly code = 'VERSION_CONFLICT';
  readonly statusCode = 409;

  /**
   * @param entityName - Model name
   * @param entityId - Id of the row
   * @param expected - The version that the caller named
   * @param actual - The version that the row had when the conflict was found
   * @param conflicts - All rows of a write of many that have changed; the first is the one above
   */
  constructor(
    readonly entityName: string,
    readonly entityId: unknown,
    readonly expected: string | null,
    readonly actual: string | null,
    readonly conflicts?: readonly RowConflict[],
  ) {
    super(
      `${entityName} ${String(entityId)} has changed: expected version ${expected}, ` +
        `found ${actual}. Read it again and repeat the change.` +
        (conflicts && conflicts.length > 1 ? ` So have ${conflicts.length - 1} others.` : ''),
    );
  }

  /** What REST answers beside the message. */
  get details(): AnyObject {
    const {entityName, entityId, expected, actual, conflicts} = this;
    return {entityName, entityId, expected, actual, ...(conflicts && {conflicts})};
  }
}

/** A deleted row cannot come back because a live row has taken one of its unique values. */
export class RestoreConflictError extends BehaviourError {
  readonly code = 'RESTORE_CONFLICT';
  readonly statusCode = 409;

  constructor(
    readonly entityName: string,
    readonly entityId: unknown,
    readonly constraint?: string,
  ) {
    const what = entityId === undefined ? `Rows of ${entityName}` : `${entityName} ${String(entityId)}`;
    super(
      `${what} cannot be restored: a live row has the same unique value` +
        (constraint ? ` (${constraint}).` : '.'),
    );
  }
}

/** A cascade names a relation that the repository does not have, or whose keys are not known. */
export class CascadeError extends BehaviourError {
  readonly code = 'CASCADE_UNKNOWN';
  readonly statusCode = 500;

  constructor(
    readonly entityName: string,
    readonly relation: string,
  ) {
    super(
      `Deletions of ${entityName} cannot follow "${relation}": the repository must make it with ` +
        'createHasManyRepositoryFactoryFor or createHasOneRepositoryFactoryFor.',
    );
  }
}

/**
 * A where, an id or an age does not say which rows are meant: part of it would silently be dropped,
 * and the rest means more of them, or all.
 */
export class InvalidWhereError extends BehaviourError {
  readonly code = 'INVALID_WHERE';
  readonly statusCode = 400;
}

/** A filter orders by, shows or pages by what there is not. */
export class InvalidFilterError extends BehaviourError {
  readonly code = 'INVALID_FILTER';
  readonly statusCode = 400;

  constructor(because: string) {
    super(`The filter is not valid: ${because}.`);
  }
}

/** A value in the data is none of its property's type, such as `new Date('yesterday')`. */
export class InvalidValueError extends BehaviourError {
  readonly code = 'INVALID_VALUE';
  readonly statusCode = 400;
}

/** The transaction in the options belongs to another datasource than the repository. */
export class ForeignTransactionError extends BehaviourError {
  readonly code = 'FOREIGN_TRANSACTION';
  readonly statusCode = 500;

  constructor(whose: string) {
    super(
      `The transaction in the options was begun on another datasource than that of ${whose}, ` +
        'which could only ignore it.',
    );
  }
}

/** The transaction in the options has been committed or rolled back, or has timed out. */
export class InactiveTransactionError extends BehaviourError {
  readonly code = 'INACTIVE_TRANSACTION';
  readonly statusCode = 500;

  constructor() {
    super('The transaction in the options is not active any more.');
  }
}

/**
 * Others have changed the row, and the transaction cannot see it: its snapshot is older (MySQL and
 * MariaDB with `REPEATABLE READ`). Nothing was written. Roll back, begin anew and repeat.
 */
export class ConcurrentWriteError extends BehaviourError {
  readonly code = 'CONCURRENT_WRITE';
  readonly statusCode = 409;

  constructor(
    readonly entityName: string,
    readonly entityId: unknown,
  ) {
    super(
      `${entityName} ${String(entityId)} has been changed by others, which this transaction does ` +
        'not see. Roll it back and repeat it.',
    );
  }
}

/** A repository was asked for something that needs a behaviour it does not have. */
export class BehaviourMissingError extends BehaviourError {
  readonly code = 'BEHAVIOUR_MISSING';
  readonly statusCode = 501;

  constructor(
    readonly entityName: string,
    readonly behaviour: string,
  ) {
    super(`The repository of ${entityName} does not have the behaviour "${behaviour}".`);
  }
}

/** A table or a column has a `?` in its name, which LoopBack's SQL connectors take for a value. */
export class UnusableNameError extends BehaviourError {
  readonly code = 'NAME_UNUSABLE';
  readonly statusCode = 500;

  constructor(
    readonly entityName: string,
    readonly unusable: string,
  ) {
    super(
      `${entityName} cannot use the name '${unusable}': LoopBack's SQL connectors take a "?" for ` +
        'a value. Rename the table or the column.',
    );
  }
}

/** The name of an entity's history belongs to a model of the application. */
export class HistoryNameTakenError extends BehaviourError {
  readonly code = 'HISTORY_NAME_TAKEN';
  readonly statusCode = 500;

  constructor(
    readonly entityName: string,
    readonly modelName: string,
  ) {
    super(
      `The history of ${entityName} would be kept in ${modelName}, which is a model of its own. ` +
        'Rename that model.',
    );
  }
}

/** Encrypted properties are in use and no key is configured. */
export class CryptoNotConfiguredError extends BehaviourError {
  readonly code = 'CRYPTO_NOT_CONFIGURED';
  readonly statusCode = 500;

  constructor(entityName: string) {
    super(
      `${entityName} has encrypted properties but no key is configured: ` +
        'app.configure(LiveEntitiesBindings.CRYPTO).to({keys: [...], current: ...}).',
    );
  }
}
