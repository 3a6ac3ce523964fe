import type {User} from '../live/session';

/** Offers only what the server would allow; the server decides all the same. */
export function mayAddAndDelete(user: User | undefined): boolean {
  return user?.role === 'manager' || user?.role === 'buyer';
}
