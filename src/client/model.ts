import type {RowRef} from '../protocol/messages';
import type {PageState, Row} from '../protocol/page';
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
 * One row, kept equal to what the database says, with the person's own writes on it at once.
 * Made by `LiveClient.model`.
 */
export class LiveModel<T, F extends FieldOf<T> = FieldOf<T>> {
  /** Calls the listener with `value` at once and after each change; answers what stops it. */
  readonly subscribe = (listener: (value: ModelValue<T, F>) => void): Unsubscribe => {
    const stop = this.on('change', listener);
    guarded(() => listener(this.value));
    return stop;
  };

  readonly #view: PageView;
  readonly #ref: RowRef;
  readonly #writes: Writes;

  /** Use `LiveClient.model`. @internal */
  constructor(ref: RowRef, view: PageView, writes: Writes) {
    this.#ref = ref;
    this.#view = view;
    this.#writes = writes;
  }

  /** Resolves when it is known what the row is, or that there is none. */
  get ready(): Promise<void> {
    return this.#view.ready;
  }

  /** The row; `null` when there is none (or no more); `undefined` until that is known. */
  get value(): ModelValue<T, F> {
    return rowOf(this.#view.page);
  }

  get status(): LiveStatus {
    return this.#view.status;
  }

  on<E extends keyof LiveEvents<unknown>>(
    event: E,
    listener: (...args: LiveEvents<ModelValue<T, F>>[E]) => void,
  ): Unsubscribe {
    const events = this.#view.events;
    if (event !== 'change') return events.on(event, listener as (...args: unknown[]) => void);
    const tell = listener as (value: ModelValue<T, F>) => void;
    return events.on('change', page => tell(rowOf(page)));
  }

  /**
   * Changes one property, or some: shown at once, taken back when refused. Resolves with the row
   * as it is now.
   *
   * @throws VersionConflictError when somebody else was faster; `current` is the row as it is.
   */
  update<K extends FieldOf<T>>(field: K, value: T[K], options?: WriteOptions): Promise<LiveRow<T>>;
  update(patch: LivePatch<T>, options?: WriteOptions): Promise<LiveRow<T>>;
  async update(
    what: string | LivePatch<T>,
    valueOrOptions?: unknown,
    options?: WriteOptions,
  ): Promise<LiveRow<T>> {
    const row =
      typeof what === 'string'
        ? await this.#write({[what]: valueOrOptions}, options, {field: what})
        : await this.#write(what, valueOrOptions as WriteOptions | undefined);
    return row as LiveRow<T>;
  }

  /** Deletes the row, or clears one property of it. */
  async delete(field?: FieldOf<T>, options?: WriteOptions): Promise<void> {
    if (field === undefined) await this.#write(null, options);
    else await this.#write({[field]: null}, options, {field, clear: true});
  }

  /** Stops. The server is told; nothing is called any more; open promises reject. */
  close(): void {
    this.#view.close();
  }

  async #write(
    patch: Row | null,
    options: WriteOptions = {},
    one: {field?: string; clear?: boolean} = {},
  ): Promise<Row | null> {
    if (this.#view.closed) throw localError('CLIENT_CLOSED');
    const {type, id: asked} = this.#ref;
    // A UUID can be asked for in capitals, which its row does not have.
    const id = typeof asked === 'string' ? (this.#view.page?.keys[0] ?? asked) : asked;
    const shown = this.#view.row(String(id))?._version as string | null | undefined;
    return this.#writes.write({type, id, patch, shown, named: options.version, ...one});
  }
}

/** What a model shows. */
export type ModelValue<T, F extends FieldOf<T> = FieldOf<T>> = LiveRow<T, F> | null | undefined;

function rowOf<R>(page: PageState | undefined): R | null | undefined {
  return page && ((page.rows[0] as R | undefined) ?? null);
}
