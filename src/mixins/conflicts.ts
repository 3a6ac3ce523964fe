import type {ChangeRequest} from './behaviour';
import {visible} from './behaviours/soft-delete';
import {VersionConflictError, type RowConflict} from './errors';
import type {LiveEntity} from './live-entity';
import {transactionOf, visibilityOf, type Visibility} from './options';
import type {CheckedRow, Row} from './plan';
import {conjunction} from './planner';
import {rowsByIds} from './same-id';

/** More ids go into several conditions, so that no statement has too many parameters. */
const IDS_AT_ONCE = 1_000;

/** Which rows a write of existing rows can mean. */
export function meantBy({kind, options}: ChangeRequest): Visibility {
  switch (kind) {
    case 'restore':
    case 'purge':
      return 'deleted';
    case 'delete':
      return options.hard ? visibilityOf(options) : 'live';
    case 'update':
    case 'replace':
      return visibilityOf(options);
  }
}

/** Which rows of a checked write are not as they were named. */
export async function conflictsOf(
  live: LiveEntity,
  checked: readonly CheckedRow[],
  request: ChangeRequest,
): Promise<VersionConflictError> {
  const meant = live.has('softDelete') ? meantBy(request) : 'all';
  // A row that has been restored meanwhile is there, and anybody may see it.
  const rows = await rowsNamed(live, checked, meant === 'deleted' ? 'all' : meant, request);
  const all = checked.map(({id, version}, i) => ({
    entityId: id,
    expected: version,
    actual: (rows[i]?._version ?? null) as string | null,
  }));
  const asNamed = ({expected, actual}: RowConflict, i: number) =>
    !!rows[i] && actual === expected && (meant !== 'deleted' || rows[i]?._isDeleted === true);
  const changed = all.filter((row, i) => !asNamed(row, i));
  // All as they were named, and yet one was passed by: the where does not hold for it.
  const conflicts = changed.length ? changed : all;
  const [{entityId, expected, actual}] = conflicts;
  return new VersionConflictError(live.name, entityId, expected, actual, conflicts);
}

async function rowsNamed(
  live: LiveEntity,
  checked: readonly CheckedRow[],
  seen: Visibility,
  {options}: ChangeRequest,
): Promise<(Row | undefined)[]> {
  const {idName, model} = live;
  const guard = live.has('softDelete') ? visible(seen) : undefined;
  const find = async (id: unknown): Promise<Row[]> => {
    const where = conjunction([{[idName]: id}, guard]);
    const found = await model.find({where}, transactionOf(options));
    return found.map(instance => instance.toObject(true));
  };
  const rows: (Row | undefined)[] = [];
  for (let at = 0; at < checked.length; at += IDS_AT_ONCE) {
    const ids = checked.slice(at, at + IDS_AT_ONCE).map(row => row.id);
    const found = await find({inq: ids});
    rows.push(...(await rowsByIds(model, ids, found, async id => (await find(id))[0])));
  }
  return rows;
}
