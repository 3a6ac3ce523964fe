import type {
  CollectionOptions, LiveClient, LiveCollection, LiveModel, ModelOptions,
} from 'loopback4-live-entities/client';
import {onScopeDispose, shallowRef, triggerRef, watch, type ShallowRef} from 'vue';
import {noteStanding} from './connection';
import {useSession} from './session';

/** Refusals that pass by themselves: the page is asked for again. */
const NOT_NOW: ReadonlySet<string> = new Set(['FEED_UNAVAILABLE', 'DATABASE_UNAVAILABLE']);

/** A collection or a model, as far as following it is concerned. */
interface Handle {
  readonly ready: Promise<unknown>;
  subscribe(fn: () => void): () => void;
  on(event: 'error', fn: (error: Error) => void): () => void;
  on(event: 'status', fn: (status: string) => void): () => void;
  close(): void;
}

export interface Live<H extends Handle> {
  /** What is shown: announced anew after every applied change. Undefined before the first rows. */
  readonly live: ShallowRef<H | undefined>;
  /** Whether what is asked for now has yet to arrive; `live` is then what was asked for before. */
  readonly loading: ShallowRef<boolean>;
  readonly error: ShallowRef<unknown>;
  /** Opens it again, after an error. */
  retry(): void;
}

/** Follows a view for as long as the component lives; opens another one when the options change. */
export function useCollection<T>(
  options: () => CollectionOptions<T> | undefined,
): Live<LiveCollection<T>> {
  return useLive(options, (client, wanted) => client.collection(wanted));
}

/** Follows one row for as long as the component lives. */
export function useModel<T>(options: () => ModelOptions<T> | undefined): Live<LiveModel<T>> {
  return useLive(options, (client, wanted) => client.model(wanted));
}

const retryAfter = 2000;

function useLive<Options extends object, H extends Handle>(
  options: () => Options | undefined,
  open: (client: LiveClient, wanted: Options) => H,
): Live<H> {
  const {client} = useSession();
  const live = shallowRef<H>();
  const loading = shallowRef(true);
  const error = shallowRef<unknown>();
  const attempt = shallowRef(0);
  let opened: H | undefined;

  let again: ReturnType<typeof setTimeout> | undefined;

  function close(): void {
    clearTimeout(again);
    if (opened) noteStanding(opened, false);
    opened?.close();
    opened = undefined;
  }

  function fail(handle: H, reason: unknown): void {
    error.value = reason;
    if (!NOT_NOW.has((reason as {code?: string}).code ?? '')) return;
    noteStanding(handle, true);
    clearTimeout(again);
    again = setTimeout(() => (attempt.value += 1), retryAfter);
  }

  function follow(handle: H): void {
    opened = handle;
    const current = (fn: () => void) => () => opened === handle && fn();
    const announce = current(() => (live.value === handle ? triggerRef(live) : undefined));
    handle.subscribe(announce);
    handle.on('error', reason => current(() => fail(handle, reason))());
    handle.on('status', status => current(() => noteStanding(handle, status === 'stale'))());
    const arrived = current(() => {
      live.value = handle;
      loading.value = false;
    });
    handle.ready.then(arrived, reason => current(() => fail(handle, reason))());
  }

  const stop = watch([client, () => JSON.stringify(options()), attempt], () => {
    close();
    error.value = undefined;
    loading.value = true;
    const wanted = options();
    if (wanted) follow(open(client.value, wanted));
  }, {immediate: true});

  onScopeDispose(() => {
    stop();
    close();
  });
  return {live, loading, error, retry: () => void (attempt.value += 1)};
}
