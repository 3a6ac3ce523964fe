import type {Count, Options} from '@loopback/repository';
import {checkedAge} from '../age';
import {param, sql} from '../executors/sql';
import {InvalidWhereError} from '../errors';
import type {JugglerModelClass} from '../juggler';
import type {LiveEntity} from '../live-entity';

/** Which states may go. At least one is needed; with both, a state goes that meets both. */
export interface PruneOptions {
  /** States that ended before this moment. Undefined is no moment: leave it out. */
  olderThan?: Date;
  /** States beyond the newest so many of each row, 0 or more. */
  keepLast?: number;
}

/**
 * Deletes kept states for good.
 *
 * @throws {@link InvalidWhereError} for a limit that says nothing
 */
export async function pruneStates(
  live: LiveEntity,
  history: JugglerModelClass,
  which: PruneOptions,
  options: Options,
): Promise<Count> {
  const {olderThan, keepLast} = checkedAge(which, ['olderThan', 'keepLast']);
  if (!olderThan && keepLast === undefined) {
    throw new InvalidWhereError('Say which states may go: olderThan, keepLast or both.');
  }
  if (keepLast === undefined) return history.deleteAll({_validTo: {lt: olderThan}}, options);
  return live.postgres
    ? pruneInOneStatement(live, history, keepLast, olderThan, options)
    : pruneByReading(history, keepLast, olderThan, options);
}

async function pruneInOneStatement(
  live: LiveEntity,
  history: JugglerModelClass,
  keepLast: number,
  olderThan: Date | undefined,
  options: Options,
): Promise<Count> {
  const postgres = live.postgres!;
  const shape = postgres.shapeOf(history);
  const column = (name: string) => shape.columns[shape.properties.indexOf(name)];
  const newestFirst = `PARTITION BY ${column('_modelId')} ORDER BY ${column('_revision')} DESC`;
  const rank = `row_number() OVER (${newestFirst}) AS rank`;
  const ranked = `SELECT ${column('_historyId')} AS id, ${rank} FROM ${shape.table}`;
  const age = olderThan
    ? sql` AND h.${column('_validTo')} < ${param(olderThan.toISOString(), '::timestamptz')}`
    : '';
  const surplus = sql`h.${column('_historyId')} = k.id AND k.rank > ${param(keepLast, '::bigint')}`;
  const removal = sql`DELETE FROM ${shape.table} AS h USING (${ranked}) AS k`;
  const result = await postgres.query(sql`${removal} WHERE ${surplus}${age}`, options, 'unnamed');
  return {count: result.rowCount ?? 0};
}

async function pruneByReading(
  history: JugglerModelClass,
  keepLast: number,
  olderThan: Date | undefined,
  options: Options,
): Promise<Count> {
  const seen = new Map<string, number>();
  const doomed: unknown[] = [];
  for (const state of await history.find({order: ['_revision DESC']}, options)) {
    const {_historyId, _modelId, _validTo} = state.toObject(true);
    const rank = (seen.get(String(_modelId)) ?? 0) + 1;
    seen.set(String(_modelId), rank);
    const old = !olderThan || new Date(_validTo as Date) < olderThan;
    if (rank > keepLast && old) doomed.push(_historyId);
  }
  let count = 0;
  for (let i = 0; i < doomed.length; i += 500) {
    const ids = doomed.slice(i, i + 500);
    count += (await history.deleteAll({_historyId: {inq: ids}}, options)).count;
  }
  return {count};
}
