import type {PageState, Row, RowKey} from '../protocol/page';
import {sameJson} from './equal';

/**
 * Writes that the database has, or will have, and the page does not show yet, laid over the page.
 * Pure: entries in, entries out.
 *
 * A write is laid over when it is made. It is taken away when it was refused, or once it was
 * acknowledged and the page has caught up with it: never by time. For a versioned row the page has
 * caught up when its version is none of those known to be older than the write; otherwise when the
 * row shows what the write led to, or changed since.
 */
export interface OverlayWrite {
  readonly id: number;
  readonly key: RowKey;
  /** What the write sets; `null` deletes the row. */
  readonly patch: Row | null;
}

interface Entry extends OverlayWrite {
  /** The row on the page when the write was made, then when it was acknowledged. */
  readonly base: Row | undefined;
  /** Versions that the row has had before this write. */
  readonly older: ReadonlySet<string>;
  /** The row as the write left it; `null` once deleted; absent while unanswered. */
  readonly reply?: Row | null;
}

export type Overlay = readonly Entry[];

export const noOverlay: Overlay = [];

/** What an acknowledged write led to, and the version on which it was based. */
export interface Acknowledgement {
  readonly row: Row | null;
  readonly basedOn?: string | null;
}

/** Lays a new write over the page. */
export function began(overlay: Overlay, write: OverlayWrite, page: PageState | undefined): Overlay {
  const base = rowOf(page, write.key);
  const older = new Set(versions(base, ...overlay.filter(same(write.key)).map(e => e.reply)));
  return [...overlay, {...write, base, older}];
}

/** The server has done it. */
export function acknowledged(
  overlay: Overlay,
  id: number,
  {row, basedOn}: Acknowledgement,
  page: PageState | undefined,
): Overlay {
  const at = overlay.findIndex(entry => entry.id === id);
  if (at < 0) return overlay;
  const entry = overlay[at];
  const older = new Set(entry.older);
  if (typeof basedOn === 'string') older.add(basedOn);
  for (const earlier of overlay.slice(0, at).filter(same(entry.key))) {
    for (const version of [...earlier.older, ...versions(earlier.reply)]) older.add(version);
  }
  for (const version of versions(row)) older.delete(version);
  const answered = {...entry, older, reply: row};
  const now = rowOf(page, entry.key);
  const passed = overtaken(answered, now);
  const next = passed ? [] : [{...answered, base: now}];
  return caughtUp([...overlay.slice(0, at), ...next, ...overlay.slice(at + 1)], page);
}

/** The server has not done it. */
export function refused(overlay: Overlay, id: number): Overlay {
  return overlay.filter(entry => entry.id !== id);
}

/** Takes away what the page shows by now. To be called after each change of the page. */
export function caughtUp(overlay: Overlay, page: PageState | undefined): Overlay {
  const left = overlay.filter(entry => !isCaughtUp(entry, rowOf(page, entry.key)));
  return left.length === overlay.length ? overlay : left;
}

/** The page with the writes laid over it; `sees` says which properties it shows. */
export function shown(
  page: PageState,
  overlay: Overlay,
  sees: (property: string) => boolean,
): PageState {
  if (overlay.length === 0) return page;
  const rows: Row[] = [];
  const keys = page.keys.filter((key, at) => {
    const row = overlay.filter(same(key)).reduce((row: Row | null, entry) => {
      const patch = entry.reply === undefined ? entry.patch : entry.reply;
      return row && patch && laidOver(row, patch, sees);
    }, page.rows[at]);
    if (row) rows.push(row);
    return row !== null;
  });
  return {...page, keys, rows};
}

function laidOver(row: Row, patch: Row, sees: (property: string) => boolean): Row {
  const seen = Object.entries(patch).filter(([name]) => name in row || sees(name));
  return seen.every(([name, value]) => sameJson(row[name], value))
    ? row
    : {...row, ...Object.fromEntries(seen)};
}

function isCaughtUp(entry: Entry, now: Row | undefined): boolean {
  if (entry.reply === undefined) return false;
  if (!now) return true;
  if (!tellsByVersion(entry, now)) return now !== entry.base || shows(entry, now);
  return !entry.older.has(now._version as string);
}

/**
 * Whether an unversioned row may have gone past a write before its answer came. It cannot be told
 * from a change that came before the write; then too the page's word counts, not ours.
 */
function overtaken(entry: Entry, now: Row | undefined): boolean {
  const {base, patch} = entry;
  if (!base || !now || tellsByVersion(entry, now)) return false;
  if (!patch) return now !== base;
  return Object.keys(patch).some(name => name in now && !sameJson(now[name], base[name]));
}

/** Whether the row's version says if a write is in it: not when it changed and kept its version. */
function tellsByVersion({older, base}: Entry, now: Row): boolean {
  if (older.size === 0 || typeof now._version !== 'string') return false;
  return now === base || now._version !== base?._version;
}

function shows({patch, reply}: Entry, now: Row): boolean {
  if (!patch || !reply) return false;
  const set = Object.keys(patch).filter(name => name in now && name in reply);
  return set.every(name => sameJson(now[name], reply[name]));
}

function same(key: RowKey): (entry: Entry) => boolean {
  return entry => entry.key === key;
}

function rowOf(page: PageState | undefined, key: RowKey): Row | undefined {
  const at = page?.keys.indexOf(key) ?? -1;
  return page?.rows[at];
}

function versions(...rows: readonly (Row | null | undefined)[]): string[] {
  return rows.map(row => row?._version).filter(version => typeof version === 'string');
}
