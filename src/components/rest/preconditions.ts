import {EntityNotFoundError} from '@loopback/repository';
import {HttpErrors} from '@loopback/rest';
import {VersionConflictError, VersionRequiredError} from '../../mixins/errors';

/** An entity tag as RFC 9110 has it. */
const TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/y;

/** The entity tag of a version; none for a version that a header cannot carry. */
export function entityTagOf(version: unknown): string | undefined {
  return typeof version === 'string' && /^[\x21\x23-\x7e]+$/.test(version)
    ? `"${version}"`
    : undefined;
}

/** What `If-Match` says: `'*'`, or the versions of which one has to be the current one. */
export type IfMatch = '*' | readonly string[];

/**
 * Reads an `If-Match` header; undefined without one. Its comparison is a strong one (RFC 9110,
 * 13.1.1), so weak tags match nothing: a list of them alone is empty.
 *
 * @throws 400 `INVALID_IF_MATCH`
 */
export function ifMatchIn(header: string | undefined): IfMatch | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return '*';
  const tags = tagsIn(header);
  if (tags) return [...new Set(tags.filter(tag => !tag.weak).map(tag => tag.value))];
  const message = 'If-Match takes entity tags, as in "…" or "…", "…", or *.';
  throw Object.assign(new HttpErrors.BadRequest(message), {code: 'INVALID_IF_MATCH'});
}

/**
 * Whether an `If-None-Match` header names the tag: the client has this state already. One that is
 * malformed names nothing, so that a read is answered in full.
 */
export function isNamedBy(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  // Here weak comparison is asked for: W/"x" and "x" are the same.
  return Boolean(tagsIn(ifNoneMatch)?.some(({value}) => `"${value}"` === tag));
}

/** The answer for a precondition that does not hold, whatever the version. */
export function preconditionFailed(message: string): Error {
  return Object.assign(new HttpErrors.PreconditionFailed(message), {code: 'PRECONDITION_FAILED'});
}

/** A write under a precondition. */
export interface GuardedWrite<R> {
  readonly ifMatch: IfMatch | undefined;
  /** The version that the body names, which has to be the current one too. */
  readonly inBody?: string | null;
  /** Writes, if the row has this version; `undefined` leaves it to the write what it demands. */
  write(version: string | null | undefined): Promise<R>;
  /** @throws EntityNotFoundError when there is no such row */
  find(): Promise<unknown>;
}

/**
 * Writes what `If-Match` allows. Which of several versions is the current one is found out by the
 * write itself, one after the other, so that nothing can come between.
 *
 * `*` asks that there is a row, and names no version: a write that needs one stays refused, for the
 * version that the server has just read is not the one that the client has seen.
 *
 * @throws 412 when the precondition does not hold: `VersionConflictError` for versions; 409 when it
 * is the body whose version is stale
 */
export async function guarded<R>(call: GuardedWrite<R>): Promise<R> {
  const {ifMatch} = call;
  if (ifMatch === undefined) return call.write(undefined);
  if (ifMatch === '*') return ifPresent(call);
  if (ifMatch.length === 0) throw preconditionFailed('A weak entity tag cannot match.');
  const {inBody, write} = call;
  if (inBody === undefined) return firstOf(ifMatch, write);
  if (typeof inBody === 'string' && ifMatch.includes(inBody)) {
    return inBoth(inBody, ifMatch, write);
  }
  // Two versions are named, so one of them is stale: whose, the status says.
  const {_version} = (await call.find()) as {_version?: string | null};
  return ifMatch.includes(_version ?? '') ? write(inBody) : firstOf(ifMatch, write);
}

/** What a call finds out about the row: under `If-Match: *`, that it is absent is a 412. */
export async function present<R>(ifMatch: IfMatch | undefined, found: Promise<R>): Promise<R> {
  try {
    return await found;
  } catch (error) {
    throw ifMatch === '*' && error instanceof EntityNotFoundError
      ? preconditionFailed('If-Match asks that there is such a row, and there is none.')
      : error;
  }
}

/** A stale version is a failed precondition when it was the header that named it. */
export function asPrecondition(error: unknown): unknown {
  if (error instanceof VersionConflictError) {
    Object.defineProperty(error, 'statusCode', {value: 412});
  }
  return error;
}

async function ifPresent<R>({write, find}: GuardedWrite<R>): Promise<R> {
  const written = write(undefined).catch(async (error: unknown) => {
    if (error instanceof VersionRequiredError) await find();
    throw error;
  });
  return present('*', written);
}

async function firstOf<R>(
  versions: readonly string[],
  write: GuardedWrite<R>['write'],
): Promise<R> {
  const [version, ...others] = versions;
  try {
    return await write(version);
  } catch (error) {
    const actual = error instanceof VersionConflictError ? error.actual : null;
    if (actual === null || !others.includes(actual)) throw asPrecondition(error);
    return firstOf([actual, ...others.filter(other => other !== actual)], write);
  }
}

/** Of a version that the body names, and one of the header's with it. */
async function inBoth<R>(
  version: string,
  ifMatch: readonly string[],
  write: GuardedWrite<R>['write'],
): Promise<R> {
  try {
    return await write(version);
  } catch (error) {
    const isNamed = error instanceof VersionConflictError && ifMatch.includes(error.actual ?? '');
    throw isNamed ? error : asPrecondition(error);
  }
}

interface EntityTag {
  readonly weak: boolean;
  readonly value: string;
}

/** The tags of a list, which may have empty elements; undefined when it is no list of tags. */
function tagsIn(header: string): EntityTag[] | undefined {
  const tags: EntityTag[] = [];
  const list = header.trim();
  let at = 0;
  while (at < list.length) {
    const gap = /[\s,]*/y;
    gap.lastIndex = at;
    const [between] = gap.exec(list)!;
    at += between.length;
    if (at === list.length) break;
    if (tags.length > 0 && !between.includes(',')) return undefined;
    TAG.lastIndex = at;
    const match = TAG.exec(list);
    if (!match) return undefined;
    tags.push({weak: match[1] !== undefined, value: match[2]});
    at = TAG.lastIndex;
  }
  return tags.length > 0 ? tags : undefined;
}
