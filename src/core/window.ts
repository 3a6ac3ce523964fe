import {imagesOf, type Change, type RowImage} from './change';
import type {Ask} from './compare';
import type {Referee} from './match';
import type {RowKey} from '../protocol/page';

/**
 * What a live window knows of its view: the first rows in order, whether there are more after
 * them, and how many there are in all (where somebody counts).
 */
export interface WindowState {
  readonly rows: readonly RowImage[];
  readonly beyond: boolean;
  readonly total?: number;
}

/** What a transaction did to one row in sum: its image before, and after. */
export interface NetChange {
  readonly before?: RowImage;
  readonly after?: RowImage;
}

/** How many rows a window needs to answer for its page, and how many it keeps at most. */
export interface WindowSpan {
  readonly need: number;
  readonly keep: number;
}

/** Changes from which on a list of the keys held costs less than to look each row up. */
const MANY = 16;

/** Sums up the changes of a transaction per row; a changed key is one row gone and one come. */
export function netChanges(changes: readonly Change[], entity: string): NetChange[] {
  const net = new Map<RowKey, {before?: RowImage; after?: RowImage}>();
  const note = (key: RowKey, before: RowImage | undefined, after: RowImage | undefined) => {
    const known = net.get(key);
    if (known) known.after = after;
    else net.set(key, {before, after});
  };
  for (const change of changes) {
    if (change.entity !== entity || change.kind === 'truncate') continue;
    const {before, after} = imagesOf(change);
    if (before && after && before.key !== after.key) {
      note(before.key, before, undefined);
      note(after.key, undefined, after);
    } else {
      note((after ?? before)!.key, before, after);
    }
  }
  return [...net.values()].filter(({before, after}) => before ?? after);
}

/**
 * Moves a window on by the changes of whole transactions. Pure. The rule for each row is: take the
 * old one out where it was, put the new one in where it now belongs; a row that belongs behind the
 * last known one while more rows follow there is only counted.
 *
 * Answers `'ask'` where the referee cannot decide, and then the caller gets the database's word.
 */
export function advance(
  state: WindowState,
  changes: readonly NetChange[],
  referee: Referee,
  span: WindowSpan,
): WindowState | Ask {
  const rows = [...state.rows];
  const held = changes.length < MANY ? undefined : new Set(rows.map(({key}) => key));
  let {beyond, total} = state;
  for (const {before, after} of changes) {
    if (total !== undefined) {
      const delta = countDelta(before, after, referee);
      if (delta === 'ask') return delta;
      total += delta;
    }
    if (move(rows, {before, after}, beyond, referee, held) === 'ask') return 'ask';
    // A transaction of very many rows would else make a list of them all.
    beyond = cut(rows, 2 * span.keep, span) || beyond;
  }
  if (total !== undefined && total <= rows.length) beyond = false;
  beyond = cut(rows, span.keep, span) || beyond;
  return {rows, beyond, total};
}

/**
 * Takes a row out where it was, and puts it in where it belongs.
 *
 * @param held Keys of all rows that there are, and perhaps of some that have left
 */
function move(
  rows: RowImage[],
  {before, after}: NetChange,
  beyond: boolean,
  referee: Referee,
  held: Set<RowKey> | undefined,
): Ask | undefined {
  const mayBe = before && (held?.has(before.key) ?? true);
  const at = mayBe ? rows.findIndex(row => row.key === before.key) : -1;
  if (at >= 0) rows.splice(at, 1);
  const belongs = after ? referee.matches(after) : false;
  if (belongs === 'ask') return belongs;
  if (!after || !belongs) return undefined;
  const place = findPlace(rows, after, referee);
  if (place === 'ask') return place;
  if (place < rows.length || !beyond) {
    rows.splice(place, 0, after);
    held?.add(after.key);
  }
  return undefined;
}

/** Takes away what a window does not keep, where there are more rows than allowed. */
function cut(rows: RowImage[], most: number, {keep}: WindowSpan): boolean {
  if (rows.length <= most) return false;
  rows.length = keep;
  return true;
}

/** Whether the window can still answer for its page, and say whether it is the last one. */
export function isSufficient(state: WindowState, span: WindowSpan): boolean {
  return !state.beyond || state.rows.length > span.need;
}

/** The images that a judgement of this step needs, so that {@link advance} never asks again. */
export function imagesToJudge(state: WindowState, changes: readonly NetChange[]): RowImage[] {
  const images = new Set(state.rows);
  for (const {before, after} of changes) {
    if (before) images.add(before);
    if (after) images.add(after);
  }
  return [...images];
}

function countDelta(
  before: RowImage | undefined,
  after: RowImage | undefined,
  referee: Referee,
): number | Ask {
  const was = before ? referee.matches(before) : false;
  const is = after ? referee.matches(after) : false;
  return was === 'ask' || is === 'ask' ? 'ask' : Number(is) - Number(was);
}

/** Binary search for the place of a row among ordered rows. */
function findPlace(rows: readonly RowImage[], row: RowImage, referee: Referee): number | Ask {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const sign = referee.compare(row, rows[middle]);
    if (sign === 'ask') return sign;
    if (sign < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
