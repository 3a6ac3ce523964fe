import type {RowImage} from './change';
import {LiveWindow, type WindowContext} from './live-window';
import type {WindowState} from './window';

/** What a window turned out to be beside the database; `unsure` when it was moving meanwhile. */
export type AuditResult = 'equal' | 'diverged' | 'unsure';

/**
 * Reads a window's rows a second time, hands them over to the feed by their own snapshot, and
 * compares: both then stand at the same point of the feed, so whatever differs is wrong.
 */
export async function auditWindow(
  window: LiveWindow,
  context: WindowContext,
): Promise<AuditResult> {
  let asked = false;
  const shadow = new LiveWindow(window.spec, {
    ...context,
    changed: () => undefined,
    admit: () => undefined,
    // The shadow hears of nothing new while the database judges what it has.
    counted: what => (asked ||= what === 'asks'),
  });
  try {
    await shadow.open();
    if (asked || !window.isAtRest || !shadow.state || !window.state) return 'unsure';
    return sameAsFar(window.state, shadow.state) ? 'equal' : 'diverged';
  } finally {
    shadow.close();
  }
}

/** One of the two may know more rows than the other, but not other ones. */
function sameAsFar(a: WindowState, b: WindowState): boolean {
  const length = Math.min(a.rows.length, b.rows.length);
  for (let i = 0; i < length; i++) if (!sameImage(a.rows[i], b.rows[i])) return false;
  const [shorter, longer] = a.rows.length <= b.rows.length ? [a, b] : [b, a];
  const endsRight = shorter.beyond ? longer.beyond || longer.rows.length > length : true;
  const hasAll = shorter.beyond || (longer.rows.length === length && !longer.beyond);
  return endsRight && hasAll && a.total === b.total;
}

function sameImage(a: RowImage, b: RowImage): boolean {
  if (a.key !== b.key) return false;
  const names = Object.keys(b.raw);
  if (!names.every(name => a.raw[name] === b.raw[name])) return false;
  return Object.entries(b.related ?? {}).every(([relation, rows]) => {
    const own = a.related?.[relation] ?? [];
    return own.length === rows.length && rows.every((row, i) => sameImage(own[i], row));
  });
}
