import type {LiveError} from '../protocol/errors';
import type {Row, RowKey} from '../protocol/page';
import type {Connection} from './connection';
import type {Acknowledgement, OverlayWrite} from './optimistic';

/** Shows the writes of its type before the database does. */
export interface WriteWitness {
  readonly type: string;
  writeBegan(write: OverlayWrite): void;
  writeAcknowledged(id: number, answer: Acknowledgement): void;
  writeRefused(id: number): void;
}

/** A write of one row, as a collection or model asks for it. */
export interface RowWrite {
  readonly type: string;
  readonly id: string | number;
  /** Properties to set; `null` deletes the row. */
  readonly patch: Row | null;
  /** The one property that is set (or, with `clear`, cleared). */
  readonly field?: string;
  readonly clear?: boolean;
  /** The version that the person sees. */
  readonly shown?: string | null;
  /** The version that the person names, whatever is shown. */
  readonly named?: string | null;
}

/**
 * Makes the writes of a client: those of one row one after the other, each on the version that the
 * one before led to, so that two quick edits of one person never conflict; those of different rows
 * side by side. Everything that shows rows of the type is told.
 */
export class Writes {
  readonly #connection: Connection;
  readonly #witnesses = new Set<WriteWitness>();
  readonly #tails = new Map<string, Promise<string | null | undefined>>();
  #lastId = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  watch(witness: WriteWitness): () => void {
    this.#witnesses.add(witness);
    return () => this.#witnesses.delete(witness);
  }

  /** Resolves with the row as it is after the write, `null` once deleted. */
  async write(write: RowWrite): Promise<Row | null> {
    const key: RowKey = String(write.id);
    const id = ++this.#lastId;
    this.#tell(write.type, witness => witness.writeBegan({id, key, patch: write.patch}));
    const line = JSON.stringify([write.type, key]);
    const made = this.#make(write, this.#tails.get(line));
    const tail = made.then(({after}) => after);
    this.#tails.set(line, tail);
    const {row, error, basedOn} = await made;
    if (this.#tails.get(line) === tail) this.#tails.delete(line);
    if (error) {
      this.#tell(write.type, witness => witness.writeRefused(id));
      throw error;
    }
    this.#tell(write.type, witness => witness.writeAcknowledged(id, {row: row ?? null, basedOn}));
    return row ?? null;
  }

  async #make(
    write: RowWrite,
    before: Promise<string | null | undefined> | undefined,
  ): Promise<Made> {
    const {named, shown} = write;
    const version = named !== undefined ? named : ((before && (await before)) ?? shown);
    try {
      const row = await this.#send(write, version);
      const next = row?._version;
      return {row, basedOn: version, after: typeof next === 'string' ? next : version};
    } catch (thrown) {
      const error = thrown as LiveError;
      // A version that is stale for one write is so for the next, which may have seen a newer one.
      return {error, after: error.code === 'VERSION_CONFLICT' ? undefined : version};
    }
  }

  async #send(write: RowWrite, version: string | null | undefined): Promise<Row | null> {
    const {type, id, patch, field, clear} = write;
    const named = {type, id, field, version};
    if (patch === null || clear) return (await this.#connection.call('delete', named)).row;
    const value = field === undefined ? patch : patch[field];
    return (await this.#connection.call('update', {...named, value})).row;
  }

  #tell(type: string, tell: (witness: WriteWitness) => void): void {
    for (const witness of [...this.#witnesses]) if (witness.type === type) tell(witness);
  }
}

interface Made {
  readonly row?: Row | null;
  readonly error?: LiveError;
  readonly basedOn?: string | null;
  /** The version on which the next write of the row is to be based. */
  readonly after: string | null | undefined;
}
