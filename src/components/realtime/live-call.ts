import type {Context} from '@loopback/core';
import type {UserProfile} from '@loopback/security';
import type {AccessAction, AccessGuard, AccessQuery, AccessRequest} from '../../core/access';
import type {Member} from '../../core/hub';

/** One connection and who is signed in on it. */
export interface LiveSession {
  readonly id: string;
  readonly member: Member;
  readonly socket: unknown;
  readonly principal: UserProfile | undefined;
}

/** One call of a session: its context has the user bound and lives as long as the call. */
export interface LiveCall {
  /** Kept in the history as the request's id. */
  readonly id: string;
  readonly session: LiveSession;
  readonly context: Context;
  /** Is told which channel the call has joined. */
  joined?(channel: string): void;
}

/** The call as access filters are asked about it. */
export function accessRequest(
  {session: {principal, socket}, context}: LiveCall,
  action: AccessAction,
  query: AccessQuery,
): AccessRequest {
  return {principal, source: 'socketio', socket, context, action, query};
}

/** Runs the `pre` filters, before anything is fetched. @throws CRUDBlockedError */
export async function enter(
  guard: AccessGuard,
  call: LiveCall,
  action: AccessAction,
  query: AccessQuery,
): Promise<AccessRequest> {
  const request = accessRequest(call, action, query);
  await guard.before(request);
  return request;
}
