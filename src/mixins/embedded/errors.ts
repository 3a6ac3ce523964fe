import {BehaviourError} from '../errors';

/** One thing that is wrong with an embedded child. */
export interface EmbeddedProblem {
  /** Where, such as `/author/name`. */
  readonly path: string;
  readonly message: string;
}

/** An embedded child does not meet its model. */
export class EmbeddedValidationError extends BehaviourError {
  readonly code = 'VALIDATION_FAILED';
  readonly statusCode = 422;

  constructor(
    readonly entityName: string,
    readonly details: readonly EmbeddedProblem[],
  ) {
    const problems = details.map(({path, message}) => `${path} ${message}`).join('; ');
    super(`The embedded ${entityName} is not valid: ${problems}.`);
  }
}

/**
 * A write of the parent would change a child that has a version of its own. Such a child is written
 * by `embedded(property)`, where its version is named.
 */
export class EmbeddedWriteError extends BehaviourError {
  readonly code = 'EMBEDDED_WRITE';
  readonly statusCode = 422;

  constructor(
    readonly entityName: string,
    readonly property: string,
  ) {
    super(
      `"${property}" of ${entityName} has versions of its own, so it is not changed with its ` +
        `parent: leave it out, or write it through embedded('${property}').`,
    );
  }
}

/** There is a child with this id, or the one that there can be, already. */
export class EmbeddedExistsError extends BehaviourError {
  readonly code = 'EMBEDDED_EXISTS';
  readonly statusCode = 409;

  constructor(
    readonly entityName: string,
    readonly parentId: unknown,
    readonly childId?: unknown,
  ) {
    const which = childId === undefined ? `an embedded ${entityName}` : `${entityName} ${childId}`;
    super(`${String(parentId)} has ${which} already: update it, naming its version.`);
  }
}

/** Embedding is declared in a way that cannot be kept; raised at start-up. */
export class EmbeddingError extends BehaviourError {
  readonly code = 'EMBEDDING_INVALID';
  readonly statusCode = 500;
}
