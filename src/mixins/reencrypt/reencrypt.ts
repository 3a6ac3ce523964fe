import type {Options} from '@loopback/repository';
import type {PropertyCodec} from '../crypto/codec';
import {assertOwnTransaction} from '../juggler';
import type {LiveEntity} from '../live-entity';
import {JugglerRows} from './juggler-rows';
import {PostgresRows} from './postgres-rows';
import type {StoredRow, StoredRows, Swap} from './stored-rows';

/** How far a re-encryption has come: first the rows of the entity, then those of its history. */
export interface ReencryptPosition {
  readonly stage: 'rows' | 'history';
  /** Primary key of the last row that was looked at. */
  readonly lastId: unknown;
}

/** What a re-encryption has done so far; `done` is the sum of the other three. */
export interface ReencryptProgress extends ReencryptPosition {
  /** Rows that there were to look at when the run began. */
  readonly total: number;
  readonly done: number;
  /** Rows that were written. */
  readonly changed: number;
  /** Rows that had nothing to be written, because they were as new. */
  readonly skipped: number;
  /** Rows that could not be decrypted or written. */
  readonly failed: number;
}

export interface ReencryptOptions {
  /** Rows at a time. Default 500. */
  readonly batchSize?: number;
  /** Told after each batch. What it answers is waited for, so it can make the run slower. */
  readonly onProgress?: (progress: ReencryptProgress) => unknown;
  /** Where an earlier run came to: any progress that it told. */
  readonly after?: ReencryptPosition;
  /** Told of each row that fails. Without it, the first one ends the run with its error. */
  readonly onError?: (error: Error, position: ReencryptPosition) => unknown;
  /** Ends the run after the batch that it is in. */
  readonly signal?: AbortSignal;
  /**
   * Runs all batches in the caller's transaction, which then holds the locks of all rows that they
   * write. Without it, each batch is a transaction of its own.
   */
  readonly transaction?: Options['transaction'];
}

const DEFAULT_BATCH = 500;
/** After so many attempts a row is waited for, if somebody else is writing it all the time. */
const IMPATIENT_ATTEMPTS = 3;
const ATTEMPTS = 100;

/** Brings all ciphertext and all indexes of an entity up to date, in its history too. */
export async function reencrypt(
  live: LiveEntity,
  codec: PropertyCodec | undefined,
  options: ReencryptOptions = {},
): Promise<ReencryptProgress> {
  assertOwnTransaction(live.model, options);
  const run = new Reencryption(codec, options);
  if (codec) await run.through(stagesOf(live, options));
  return run.progress;
}

interface Stage {
  readonly name: ReencryptPosition['stage'];
  readonly rows: StoredRows;
  readonly after: unknown;
}

function stagesOf(live: LiveEntity, {after, transaction}: ReencryptOptions): Stage[] {
  const {model, history, idName, postgres} = live;
  const encrypted = Object.keys(live.encrypted);
  const indexes = live.searchable.map(({column}) => column);
  const rowsOf = (of: typeof model, keyName: string, boundTo: string): StoredRows => {
    const columns = {keyName, idName: boundTo, encrypted, indexes};
    const within = transaction ? {transaction} : {};
    return postgres
      ? new PostgresRows(postgres, of, columns, within)
      : new JugglerRows(of, columns, within);
  };
  const rows: Stage = {name: 'rows', rows: rowsOf(model, idName, idName), after: undefined};
  const stages = [rows];
  if (history) {
    const past = rowsOf(history, '_historyId', '_modelId');
    stages.push({name: 'history', rows: past, after: undefined});
  }
  const begun = stages.findIndex(({name}) => name === after?.stage);
  if (begun === -1) return stages;
  return [{...stages[begun], after: after?.lastId}, ...stages.slice(begun + 1)];
}

class Reencryption {
  progress: ReencryptProgress;

  constructor(
    private readonly codec: PropertyCodec | undefined,
    private readonly options: ReencryptOptions,
  ) {
    const {stage = 'rows', lastId} = options.after ?? {};
    this.progress = {stage, lastId, total: 0, done: 0, changed: 0, skipped: 0, failed: 0};
  }

  async through(stages: readonly Stage[]): Promise<void> {
    for (const {rows, after} of stages) this.count('total', await rows.count(after));
    for (const {name, rows, after} of stages) {
      let lastId = after;
      while (!this.options.signal?.aborted) {
        const batch = await rows.batch(lastId, this.options.batchSize ?? DEFAULT_BATCH);
        if (batch.length === 0) break;
        await this.renew(rows, batch, name);
        lastId = batch[batch.length - 1].key;
        this.progress = {...this.progress, stage: name, lastId};
        await this.options.onProgress?.(this.progress);
      }
    }
  }

  /** Rows that somebody else has written meanwhile are read again, so that nothing is lost. */
  private async renew(
    rows: StoredRows,
    batch: readonly StoredRow[],
    stage: Stage['name'],
  ): Promise<void> {
    let pending = batch;
    for (let attempt = 0; pending.length > 0 && attempt < ATTEMPTS; attempt++) {
      const swaps = await this.swapsFor(pending, stage);
      const groups = attempt < IMPATIENT_ATTEMPTS ? [swaps] : swaps.map(swap => [swap]);
      const settled: unknown[] = [];
      for (const group of groups) {
        const patience = attempt < IMPATIENT_ATTEMPTS ? 'skip' : 'wait';
        settled.push(...(await this.swap(rows, group, patience, stage)));
      }
      const written = new Set(settled.map(String));
      const left = swaps.map(({row}) => row.key).filter(key => !written.has(String(key)));
      pending = left.length ? await rows.again(left) : [];
      this.count('skipped', left.length - pending.length);
    }
    for (const row of pending) {
      await this.fail(new Error('The row is being written all the time.'), row, stage);
    }
  }

  private async swapsFor(pending: readonly StoredRow[], stage: Stage['name']): Promise<Swap[]> {
    const swaps: Swap[] = [];
    for (const row of pending) {
      try {
        const values = await this.codec!.renew(row.values, {id: row.id});
        if (values) swaps.push({row, values});
        else this.count('skipped', 1);
      } catch (error) {
        await this.fail(error as Error, row, stage);
      }
    }
    return swaps;
  }

  /** @returns The keys of rows that need not be looked at again, written or failed */
  private async swap(
    rows: StoredRows,
    swaps: readonly Swap[],
    patience: 'wait' | 'skip',
    stage: Stage['name'],
  ): Promise<unknown[]> {
    try {
      const written = await rows.swap(swaps, patience);
      this.count('changed', written.length);
      return written;
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      if (swaps.length === 1) {
        await this.fail(error as Error, swaps[0].row, stage);
        return [swaps[0].row.key];
      }
      const each: unknown[] = [];
      for (const swap of swaps) each.push(...(await this.swap(rows, [swap], patience, stage)));
      return each;
    }
  }

  private async fail(error: Error, row: StoredRow, stage: Stage['name']): Promise<void> {
    const position: ReencryptPosition = {stage, lastId: row.key};
    if (!this.options.onError) throw Object.assign(error, {position});
    await this.options.onError(error, position);
    this.count('failed', 1);
  }

  private count(what: 'total' | 'changed' | 'skipped' | 'failed', more: number): void {
    const next = {...this.progress, [what]: this.progress[what] + more};
    this.progress = {...next, done: next.changed + next.skipped + next.failed};
  }
}

function isUniqueViolation(error: unknown): boolean {
  return ['23505', 'ER_DUP_ENTRY'].includes((error as {code?: string}).code ?? '');
}
