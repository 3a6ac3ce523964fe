import {computed, ref, watch} from 'vue';
import {useSession} from './session';

/** What a person needs to know about the connection. */
export type Connection = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'resynchronised';

const offlineAfter = 8000;
const resynchronisedFor = 5000;

const status = ref<string>('connecting');
const deviceOffline = ref(!navigator.onLine);
const longGone = ref(false);
const freshlyBack = ref(false);

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
  if (status.value === 'connected') return freshlyBack.value ? 'resynchronised' : 'live';
  if (deviceOffline.value || longGone.value) return 'offline';
  return status.value === 'reconnecting' ? 'reconnecting' : 'connecting';
});

/** The state of the connection, put as a person would. */
export function useConnection() {
  return connection;
}
