import type {UserProfile} from '@loopback/security';
import {securityId} from '@loopback/security';

/** Options that every call of a repository with behaviours understands. Never mutated. */
export interface LiveOptions {
  /** The version that the caller read; an alternative to `_version` in the data. */
  version?: string | null;
  /** False: the write leaves the version as it is and needs none. */
  bumpVersion?: boolean;
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
}

/** Which rows of a soft-deletable entity a call sees. */
export type Visibility = 'live' | 'deleted' | 'all';

export function visibilityOf(options: LiveOptions | undefined): Visibility {
  if (options?.onlyDeleted || options?.fetchDeleted) return 'deleted';
  return options?.withDeleted ? 'all' : 'live';
}

/** The name under which a user is recorded. */
export function userName(user: string | UserProfile | undefined): string | undefined {
  if (user == null || typeof user === 'string') return user || undefined;
  const name: unknown = user[securityId] ?? user.id ?? user.username ?? user.name ?? user.email;
  return name == null || name === '' ? undefined : String(name);
}
