import type {PageOp, Row, RowKey} from '../protocol/page';

interface Keyed {
  readonly keys: readonly RowKey[];
  readonly rows: readonly Row[];
}

/**
 * The shortest list of steps that turns one page into another: removals first, then, from the top
 * down, inserts and moves, then the properties that changed. Rows that stay in the longest common
 * order are not named at all.
 */
export function diffPages(from: Keyed, to: Keyed): PageOp[] {
  const after = new Set(to.keys);
  const before = new Map(from.keys.map((key, at) => [key, at]));
  const removals = from.keys
    .filter(key => !after.has(key))
    .map(key => ({op: 'remove', key}) as PageOp);
  return [...removals, ...placements(from, to, before), ...patches(from, to, before)];
}

/**
 * Each row that is new or out of order is put right behind its predecessor. Rows that are still to
 * be moved may stand in between for a while, so places are counted in a list kept alongside.
 */
function placements(from: Keyed, to: Keyed, before: ReadonlyMap<RowKey, number>): PageOp[] {
  const settled = longestSettled(to.keys, before);
  if (settled.size === to.keys.length) return [];
  const after = new Set(to.keys);
  const list = from.keys.filter(key => after.has(key));
  const ops: PageOp[] = [];
  to.keys.forEach((key, i) => {
    if (settled.has(key)) return;
    const isNew = !before.has(key);
    if (!isNew) list.splice(list.indexOf(key), 1);
    const at = i === 0 ? 0 : list.indexOf(to.keys[i - 1]) + 1;
    list.splice(at, 0, key);
    ops.push(isNew ? {op: 'insert', key, at, row: to.rows[i]} : {op: 'move', key, at});
  });
  return ops;
}

function patches(from: Keyed, to: Keyed, before: ReadonlyMap<RowKey, number>): PageOp[] {
  return to.keys.flatMap((key, i) => {
    const was = before.get(key);
    return was === undefined ? [] : diffRows(key, from.rows[was], to.rows[i]);
  });
}

function diffRows(key: RowKey, from: Row, to: Row): PageOp[] {
  if (from === to) return [];
  const set: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(to)) {
    if (!Object.hasOwn(from, name) || !sameValue(from[name], value)) set[name] = value;
  }
  const unset = Object.keys(from).filter(name => !Object.hasOwn(to, name));
  if (unset.length > 0) return [{op: 'patch', key, set, unset}];
  return Object.keys(set).length > 0 ? [{op: 'patch', key, set}] : [];
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The keys of a longest subsequence of `keys` that kept its order (patience sorting). */
function longestSettled(
  keys: readonly RowKey[],
  before: ReadonlyMap<RowKey, number>,
): ReadonlySet<RowKey> {
  const kept = keys.filter(key => before.has(key));
  const tails: number[] = [];
  const previous: number[] = [];
  kept.forEach((key, i) => {
    const place = before.get(key)!;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before.get(kept[tails[middle]])! < place) low = middle + 1;
      else high = middle;
    }
    previous[i] = low > 0 ? tails[low - 1] : -1;
    tails[low] = i;
  });
  const settled = new Set<RowKey>();
  for (let i = tails.length > 0 ? tails[tails.length - 1] : -1; i >= 0; i = previous[i]) {
    settled.add(kept[i]);
  }
  return settled;
}
