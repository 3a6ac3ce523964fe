import type {ViewPageRef} from '../protocol/messages';
import type {PageMeta, PageState, Row} from '../protocol/page';
import type {Connection} from './connection';
import {localError} from './connection';
import {guarded, type Unsubscribe} from './emitter';
import type {PageView} from './page-view';
import type {
  FieldOf,
  LiveEvents,
  LivePatch,
  LiveRow,
  LiveStatus,
  WriteOptions,
} from './types';
import type {Writes} from './writes';

/**
 * One page of a view, kept equal to what the database says, with the person's own writes on it at
 * once. Made by `LiveClient.collection`.
 *
 * `value` and `subscribe` fit view layers as they are:
 * ```ts
 * const rows = useSyncExternalStore(products.subscribe, () => products.value); // React
 * products.subscribe(value => (shown.value = value));                          // Vue's shallowRef
 * $products                                                                    // Svelte
 * ```
 */
export class LiveCollection<T, F extends FieldOf<T> = FieldOf<T>> {
  /**
   * Calls the listener with `value` at once, and after each applied change (a change of `meta` or
   * `creating` alone included). Answers the function that stops it.
   */
  readonly subscribe = (listener: (value: readonly LiveRow<T, F>[]) => void): Unsubscribe => {
    const stop = this.on('change', listener);
    guarded(() => listener(this.value));
    return stop;
  };

  readonly #view: PageView;
  readonly #ref: ViewPageRef;
  readonly #connection: Connection;
  readonly #writes: Writes;
  #creating: readonly Row[] = NONE;

  /** Use `LiveClient.collection`. @internal */
  constructor(ref: ViewPageRef, view: PageView, connection: Connection, writes: Writes) {
    this.#ref = ref;
    this.#view = view;
    this.#connection = connection;
    this.#writes = writes;
  }

  /**
   * Resolves when the first page is there; rejects with the server's reason when it refuses, or
   * `CLIENT_CLOSED`. When the collection begins anew after an end, by a sign-in or by another page
   * that is fetched, it is a new promise.
   */
  get ready(): Promise<void> {
    return this.#view.ready;
  }

  /** The rows: a new array after each change, in which rows that did not change are the same. */
  get value(): readonly LiveRow<T, F>[] {
    return rowsOf(this.#view.page);
  }

  /**
   * Where the page stands, and with `getCount` how many rows the view has: the server's word, which
   * an own write changes when the database has it. Before the first page it is what was asked for.
   */
  get meta(): PageMeta {
    const {pageOffset = 0, pageSize = 0} = this.#ref;
    return this.#view.page?.meta ?? {pageOffset, pageSize, isLastPage: false};
  }

  get status(): LiveStatus {
    return this.#view.status;
  }

  /**
   * What is being created. Only the server knows where a new row belongs, or whether on this page
   * at all, so it is shown here, not in `value`, until the server has answered.
   */
  get creating(): readonly LivePatch<T>[] {
    return this.#creating as readonly LivePatch<T>[];
  }

  on<E extends keyof LiveEvents<unknown>>(
    event: E,
    listener: (...args: LiveEvents<readonly LiveRow<T, F>[]>[E]) => void,
  ): Unsubscribe {
    const events = this.#view.events;
    if (event !== 'change') return events.on(event, listener as (...args: unknown[]) => void);
    const tell = listener as (value: readonly LiveRow<T, F>[]) => void;
    return events.on('change', page => tell(rowsOf(page)));
  }

  /** Brings the next page; does nothing on the last one. Resolves when it is there. */
  async fetchNextPage(): Promise<void> {
    await this.ready;
    const {pageOffset, pageSize, isLastPage} = this.meta;
    if (!isLastPage) await this.fetchPage(pageOffset + pageSize);
  }

  /** Brings the page before; does nothing on the first one. Resolves when it is there. */
  async fetchPreviousPage(): Promise<void> {
    await this.ready;
    const {pageOffset, pageSize} = this.meta;
    if (pageOffset > 0) await this.fetchPage(Math.max(0, pageOffset - pageSize));
  }

  /**
   * Brings the page that starts after `offset` rows. The rows shown stay, live, until it is there.
   * When another page is fetched before that, only the last one is shown, and all the promises
   * resolve with it.
   */
  fetchPage(offset: number): Promise<void> {
    return this.#view.turnTo({...this.#ref, pageOffset: offset});
  }

  /** Creates a row. Resolves with the row as the server made it. */
  async create(value: LivePatch<T>): Promise<LiveRow<T>> {
    if (this.#view.closed) throw localError('CLIENT_CLOSED');
    const row = {...value} as Row;
    this.#creates([...this.#creating, row]);
    try {
      const reply = await this.#connection.call('create', {type: this.#ref.type, value: row});
      return reply.row as LiveRow<T>;
    } finally {
      this.#creates(this.#creating.filter(other => other !== row));
    }
  }

  /**
   * Changes some properties of a row: shown at once, taken back when refused. Resolves with the
   * row as it is now.
   *
   * @throws VersionConflictError when somebody else was faster; `current` is the row as it is.
   * @throws LiveError for every other refusal, by `code`.
   */
  async update(
    id: string | number,
    patch: LivePatch<T>,
    options: WriteOptions = {},
  ): Promise<LiveRow<T>> {
    return (await this.#write(id, patch, options)) as LiveRow<T>;
  }

  /** Deletes a row: gone at once, back when refused. */
  async delete(id: string | number, options: WriteOptions = {}): Promise<void> {
    await this.#write(id, null, options);
  }

  /** Stops. The server is told; nothing is called any more; open promises reject. */
  close(): void {
    this.#view.close();
  }

  async #write(id: string | number, patch: Row | null, options: WriteOptions): Promise<Row | null> {
    if (this.#view.closed) throw localError('CLIENT_CLOSED');
    const shown = this.#view.row(String(id))?._version as string | null | undefined;
    return this.#writes.write({type: this.#ref.type, id, patch, shown, named: options.version});
  }

  #creates(creating: readonly Row[]): void {
    this.#creating = creating;
    this.#view.touch();
  }
}

const NONE: readonly never[] = Object.freeze([]);

function rowsOf<R>(page: PageState | undefined): readonly R[] {
  return (page?.rows as readonly R[] | undefined) ?? NONE;
}
