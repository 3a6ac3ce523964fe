import {HttpErrors} from '@loopback/rest';
import {VersionConflictError} from '../../mixins/errors';

/** The entity tag of a version; none for a version that a header cannot carry. */
export function entityTagOf(version: unknown): string | undefined {
  return typeof version === 'string' && /^[\x21\x23-\x7e]+$/.test(version)
    ? `"${version}"`
    : undefined;
}

/**
 * The version that an `If-Match` header names; undefined without a header, and for `*`, which only
 * asks that the row exists.
 *
 * @throws 412 for a weak tag, which never matches a strong one; 400 for anything but one tag.
 */
export function versionNamedBy(ifMatch: string | undefined): string | undefined {
  const given = ifMatch?.trim();
  if (given === undefined || given === '*') return undefined;
  if (/^W\/"[^"]*"$/.test(given)) throw preconditionFailed('A weak entity tag cannot match.');
  const version = /^"([^"]*)"$/.exec(given)?.[1];
  if (version !== undefined) return version;
  throw Object.assign(new HttpErrors.BadRequest('If-Match takes one entity tag, as in "…".'), {
    code: 'INVALID_IF_MATCH',
  });
}

/** Whether an `If-None-Match` header names the tag: the client has this state already. */
export function isNamedBy(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  // Here weak comparison is asked for: W/"x" and "x" are the same.
  const named = ifNoneMatch.split(',').map(part => part.trim().replace(/^W\//, ''));
  return named.includes('*') || named.includes(tag);
}

/** The answer for a client that protects its write although the entity has no versions. */
export function preconditionFailed(message: string): Error {
  return Object.assign(new HttpErrors.PreconditionFailed(message), {code: 'PRECONDITION_FAILED'});
}

/** A stale version is a failed precondition when it was the header that named it. */
export async function asPrecondition<R>(
  ifMatch: string | undefined,
  write: Promise<R>,
): Promise<R> {
  try {
    return await write;
  } catch (error) {
    if (ifMatch !== undefined && error instanceof VersionConflictError) {
      Object.defineProperty(error, 'statusCode', {value: 412});
    }
    throw error;
  }
}
