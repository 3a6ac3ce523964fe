import {ref, shallowRef} from 'vue';
import {explain} from '../api/errors';
import type {Revision} from '../model/history';
import {useSession} from './session';

/** What somebody deleted from a category and nobody brought back, the latest first. */
export function useDeleted(category: () => string) {
  const {call} = useSession();
  const deletions = shallowRef<readonly Revision[]>();
  const problem = ref('');

  async function read(): Promise<void> {
    const where = {category: category(), _operation: {inq: ['delete', 'restore']}};
    const filter = {where, order: ['_validTo DESC'], limit: 200};
    try {
      const query = {filter};
      const comingsAndGoings = await call<Revision[]>('GET', '/products/history', {query});
      deletions.value = stillDeleted(comingsAndGoings);
      problem.value = '';
    } catch (error) {
      problem.value = explain(error);
    }
  }

  async function restore(id: string): Promise<void> {
    await call('POST', `/products/${encodeURIComponent(id)}/restore`);
    await read();
  }

  return {deletions, problem, read, restore};
}

/** Those whose last coming or going was a going. */
function stillDeleted(latestFirst: readonly Revision[]): Revision[] {
  const last = new Map<string, Revision>();
  for (const revision of latestFirst) {
    if (!last.has(revision._modelId)) last.set(revision._modelId, revision);
  }
  return [...last.values()].filter(({_operation}) => _operation === 'delete');
}
