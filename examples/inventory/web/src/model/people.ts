import {ref} from 'vue';
import {rest} from '../api/rest';

/** Somebody whom one can sign in as, offered on the sign-in page of this example. */
export interface DemoPerson {
  readonly username: string;
  readonly password: string;
  readonly name: string;
  readonly role: string;
  /** What this person may see or do, in a few words. */
  readonly about: string;
}

const people = ref<DemoPerson[]>([]);
let asked: Promise<void> | undefined;

/** The people of the demonstration; asks the server once. */
export function usePeople() {
  asked ??= rest<DemoPerson[]>('GET', '/demo-people').then(
    answer => void (people.value = answer),
    () => void (asked = undefined),
  );
  return people;
}

/** The name of whoever wrote something: the audit fields hold the user's name for signing in. */
export function nameOf(who: string | undefined | null): string {
  if (!who || who === 'system') return 'The system';
  if (who === 'supplier') return 'The supplier';
  return people.value.find(person => person.username === who)?.name ?? who;
}

/** One or two letters for a round badge. */
export function initials(name: string): string {
  const words = name.replace(/^The /, '').split(/\s+/);
  return words.slice(0, 2).map(word => word[0]?.toUpperCase()).join('');
}
