import {computed, ref, shallowReactive, watch} from 'vue';
import {useSession} from './session';

/** What a person needs to know about the connection. */
export type Connection =
  | 'connecting' | 'live' | 'paused' | 'reconnecting' | 'offline' | 'resynchronised';

const offlineAfter = 8000;
const resynchronisedFor = 5000;

const status = ref<string>('connecting');
const deviceOffline = ref(!navigator.onLine);
const longGone = ref(false);
const freshlyBack = ref(false);

/** What is open and stands still, because the server does not learn of changes. */
const standing = shallowReactive(new Set<object>());

/** Says of something that is open whether it stands still. */
export function noteStanding(what: object, isStanding: boolean): void {
  if (isStanding) standing.add(what);
  else standing.delete(what);
}

window.addEventListener('offline', () => (deviceOffline.value = true));
window.addEventListener('online', () => (deviceOffline.value = false));

let timer: ReturnType<typeof setTimeout> | undefined;

watch(useSession().client, (client, _old, onCleanup) => {
  status.value = client.status;
  onCleanup(client.on('status', (next: string) => {
    status.value = next;
  }));
}, {immediate: true});

watch(status, (next, before) => {
  clearTimeout(timer);
  longGone.value = false;
  freshlyBack.value = next === 'connected' && before === 'reconnecting';
  if (freshlyBack.value) timer = setTimeout(() => (freshlyBack.value = false), resynchronisedFor);
  if (next !== 'connected') timer = setTimeout(() => (longGone.value = true), offlineAfter);
}, {immediate: true});

const connection = computed((): Connection => {
  if (status.value === 'connected') {
    // What is open is stale for a moment when the connection is back.
    if (freshlyBack.value) return 'resynchronised';
    return standing.size > 0 ? 'paused' : 'live';
  }
  if (deviceOffline.value || longGone.value) return 'offline';
  return status.value === 'reconnecting' ? 'reconnecting' : 'connecting';
});

/** The state of the connection, put as a person would. */
export function useConnection() {
  return connection;
}
