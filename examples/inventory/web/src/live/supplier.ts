import {readonly, ref} from 'vue';
import {explain} from '../api/errors';
import {toast} from '../ui/toasts';
import {useSession} from './session';

/** The second process that changes stock by plain SQL: whether it runs, and its switch. */
const running = ref<boolean>();
const busy = ref(false);
const {call} = useSession();

async function refresh(): Promise<void> {
  if (busy.value || document.hidden) return;
  const answer = await call<{running: boolean}>('GET', '/supplier').catch(() => undefined);
  if (answer) running.value = answer.running;
}

async function toggle(): Promise<void> {
  busy.value = true;
  try {
    const path = running.value ? '/supplier/stop' : '/supplier/start';
    running.value = (await call<{running: boolean}>('POST', path)).running;
  } catch (error) {
    toast('problem', explain(error));
  } finally {
    busy.value = false;
  }
}

/** Somebody else may switch it too: it is asked for again every few seconds while watched. */
function watchSupplier(): () => void {
  void refresh();
  const timer = setInterval(refresh, 5000);
  return () => clearInterval(timer);
}

export function useSupplier() {
  return {running: readonly(running), busy: readonly(busy), toggle, watchSupplier};
}
