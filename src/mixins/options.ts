import type {Options} from '@loopback/repository';
import type {UserProfile} from '@loopback/security';
import {securityId} from '@loopback/security';

/** Under this key, deletions of related rows are told which deletion they are part of. */
export const DELETION = Symbol('deletion');

/** Under this key, reads of related rows are told the moment at which they are to be read. */
export const AS_OF = Symbol('as of');

/** Marks an update of the parent as the write of a child; copies of the options keep it. */
export const CHILD_WRITE = Symbol('the write of an embedded child');

/** Options that every call of a repository with behaviours understands. Never mutated. */
export interface LiveOptions {
  /** The version that the caller read; an alternative to `_version` in the data. */
  version?: string | null;
  /**
   * For `updateAll` and `deleteAll`: the rows that are meant, each with the version that the caller
   * read; entities as they were found will do. Either all are written or none.
   */
  versions?: readonly object[];
  /**
   * False: the write leaves the version as it is and needs none. True: the write makes a new
   * version even where it changes nothing.
   */
  bumpVersion?: boolean;
  /**
   * Told, once a write by id has succeeded, of the values of `_version`, `_modifiedOn` and the like
   * that the row now has.
   */
  onWritten?: (stamp: Readonly<Record<string, unknown>>) => void;
  /** Who writes. Default: the user bound in the request's context, then `'system'`. */
  remoteUser?: string | UserProfile;
  /** For whom; kept in the history. */
  onBehalfOf?: string;
  /** Why; kept in the history. */
  reason?: string;
  /** Which request; kept in the history. */
  requestId?: string;
  /** Deleted rows are seen too. */
  withDeleted?: boolean;
  /** Only deleted rows are seen. */
  onlyDeleted?: boolean;
  /** Alias of `onlyDeleted`. */
  fetchDeleted?: boolean;
  /** Deletes the row itself, not only from view. */
  hard?: boolean;
  /**
   * Related rows that are deleted, restored or purged along with a row: names of `hasMany` and
   * `hasOne` relations, `'lines.parts'` for those of related rows; true for all of them, false for
   * none. Default: those that `@softDeletable({cascade: […]})` names.
   */
  cascade?: boolean | readonly string[];
  /** For restores: what was deleted by the same call comes back too. */
  batch?: boolean;
  /** @internal */
  [DELETION]?: string;
  /** @internal */
  [AS_OF]?: Date | string;
  /** @internal */
  [CHILD_WRITE]?: boolean;
}

/** Which rows of a soft-deletable entity a call sees. */
export type Visibility = 'live' | 'deleted' | 'all';

export function visibilityOf(options: LiveOptions | undefined): Visibility {
  if (options?.onlyDeleted || options?.fetchDeleted) return 'deleted';
  return options?.withDeleted ? 'all' : 'live';
}

/** What a read needs to know of the options of the write that it is part of. */
export function transactionOf({transaction}: LiveOptions & Options): Options {
  return transaction ? {transaction} : {};
}

/** The name under which a user is recorded. */
export function userName(user: string | UserProfile | undefined): string | undefined {
  if (user == null || typeof user === 'string') return user || undefined;
  const name: unknown = user[securityId] ?? user.id ?? user.username ?? user.name ?? user.email;
  return name == null || name === '' ? undefined : String(name);
}
