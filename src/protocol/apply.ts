import type {PageMeta, PageOp, PageState, Row, RowKey} from './page';

/**
 * Applies the steps of one delta to a page and answers the new page. Pure: the page that came in
 * is not touched, and rows that no step names keep their identity, so that a view layer can tell
 * by `===` what changed.
 *
 * @throws RangeError when a step does not fit the page (a key that is not there, or twice), which
 * means that a message was lost; the caller then asks for a fresh page.
 */
export function applyOps(page: PageState, ops: readonly PageOp[], meta: PageMeta): PageState {
  if (ops.length === 0) return {...page, meta};
  const keys = [...page.keys];
  const rows = [...page.rows];
  for (const op of ops) applyOp(keys, rows, op);
  return {keys, rows, meta};
}

function applyOp(keys: RowKey[], rows: Row[], op: PageOp): void {
  switch (op.op) {
    case 'insert': {
      if (keys.includes(op.key)) throw new RangeError(`row ${op.key} is already on the page`);
      place(keys, rows, op.at, op.key, op.row);
      return;
    }
    case 'remove': {
      const at = indexOf(keys, op.key);
      keys.splice(at, 1);
      rows.splice(at, 1);
      return;
    }
    case 'move': {
      const from = indexOf(keys, op.key);
      keys.splice(from, 1);
      const [row] = rows.splice(from, 1);
      place(keys, rows, op.at, op.key, row);
      return;
    }
    case 'patch': {
      const at = indexOf(keys, op.key);
      rows[at] = patched(rows[at], op.set, op.unset);
      return;
    }
    default:
      throw new RangeError(`unknown step ${JSON.stringify(op satisfies never)}`);
  }
}

function place(keys: RowKey[], rows: Row[], at: number, key: RowKey, row: Row): void {
  if (at < 0 || at > keys.length) throw new RangeError(`place ${at} is outside the page`);
  keys.splice(at, 0, key);
  rows.splice(at, 0, row);
}

function indexOf(keys: readonly RowKey[], key: RowKey): number {
  const at = keys.indexOf(key);
  if (at < 0) throw new RangeError(`row ${key} is not on the page`);
  return at;
}

function patched(row: Row, set: Row, unset: readonly string[] = []): Row {
  const next: Record<string, unknown> = {...row, ...set};
  for (const name of unset) delete next[name];
  return next;
}
