import {LiveClient, type LiveSession} from 'loopback4-live-entities/client';
import {computed, readonly, shallowRef} from 'vue';
import {rest, type RestCall} from '../api/rest';

/** Who is signed in, as the server tells it. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly role: 'manager' | 'buyer' | 'clerk';
}

type Session =
  | {readonly state: 'signedOut'; readonly because?: string}
  | {readonly state: 'signedIn'; readonly user: User; readonly token: string};

const key = 'inventory.session';
const ended = 'The session has ended. Please sign in again.';
const session = shallowRef<Session>(stored());
const client = shallowRef<LiveClient>(connect());

/** The session lives as long as the tab: a reload keeps it, a second tab signs in for itself. */
function stored(): Session {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? '') as Session;
  } catch {
    return {state: 'signedOut'};
  }
}

function keep(next: Session): void {
  session.value = next;
  if (next.state === 'signedIn') sessionStorage.setItem(key, JSON.stringify(next));
  else sessionStorage.removeItem(key);
}

function connect(): LiveClient {
  const now = session.value;
  const token = now.state === 'signedIn' ? now.token : undefined;
  const made = new LiveClient(location.origin, {path: '/realtime', token});
  // After a reload the server says anew who it is.
  made.on('session', known => known && keep(signedIn(known)));
  made.on('logout', () => {
    if (session.value.state === 'signedIn') keep({state: 'signedOut', because: ended});
  });
  return made;
}

function signedIn({user, token}: LiveSession): Session {
  return {state: 'signedIn', user: user as unknown as User, token};
}

async function signIn(username: string, password: string): Promise<void> {
  keep(signedIn(await client.value.login({username, password})));
}

async function signOut(): Promise<void> {
  const left = client.value;
  keep({state: 'signedOut'});
  client.value = connect();
  // Signing out without a connection is signing out all the same.
  await left.logout().catch(() => undefined);
  left.close();
}

/** Calls the REST API as the person who is signed in. */
function call<T>(method: string, path: string, options: RestCall = {}): Promise<T> {
  const now = session.value;
  const token = now.state === 'signedIn' ? now.token : undefined;
  return rest<T>(method, path, {...options, token});
}

const user = computed(() => (session.value.state === 'signedIn' ? session.value.user : undefined));

/** Who is signed in, the live client of this tab, and REST calls in the same name. */
export function useSession() {
  return {session: readonly(session), user, client, signIn, signOut, call};
}
