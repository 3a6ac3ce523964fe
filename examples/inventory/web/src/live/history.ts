import {computed, onScopeDispose, ref, shallowRef, watch} from 'vue';
import {explain} from '../api/errors';
import type {Product} from '../model/entities';
import {timeline, type Revision} from '../model/history';
import {useSession} from './session';

const pageSize = 20;

/** How often the history is asked for the deletion of a row that is not shown any more. */
const patience = 20;

/**
 * The history of one product, read anew whenever `current` is another version, and extended with
 * `more`.
 */
export function useHistory(id: () => string, current: () => Product | undefined) {
  const {call} = useSession();
  const revisions = shallowRef<readonly Revision[]>();
  const problem = ref('');
  const limit = ref(pageSize);
  let asked = 0;
  let waits = 0;

  async function read(): Promise<void> {
    const request = (asked += 1);
    const filter = {order: ['_revision DESC'], limit: limit.value + 1};
    const path = `/products/${encodeURIComponent(id())}/history`;
    try {
      const answer = await call<Revision[]>('GET', path, {query: {filter}});
      if (request !== asked) return;
      [revisions.value, problem.value] = [answer, ''];
      // An own deletion is shown before the database has it.
      const awaited = !current() && answer.length > 0 && answer[0]._operation !== 'delete';
      waits = awaited ? waits + 1 : 0;
      if (awaited && waits < patience) soon();
    } catch (error) {
      if (request === asked) problem.value = explain(error);
    }
  }

  // A busy supplier writes many times a second: one reading a while after the last of them.
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(read, 120);
  };
  watch([() => current()?._version, () => current() === undefined], soon);
  watch([id, limit], () => void read(), {immediate: true});
  onScopeDispose(() => clearTimeout(timer));

  const complete = computed(() => (revisions.value?.length ?? 0) <= limit.value);
  const shown = computed(() => revisions.value?.slice(0, limit.value) ?? []);
  /** The last state before it was deleted, while it is. */
  const deleted = computed(() => {
    const last = revisions.value?.[0];
    return last?._operation === 'delete' && !current() ? last : undefined;
  });
  const entries = computed(() => {
    const now = current() ?? deleted.value?.entity;
    return revisions.value && now ? timeline(shown.value, now, complete.value) : [];
  });
  const more = () => void (limit.value += pageSize);
  const loading = computed(() => revisions.value === undefined && problem.value === '');
  return {entries, deleted, complete, loading, problem, more, read};
}
