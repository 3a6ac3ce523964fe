import type {RowImage} from '../../core/change';
import type {EntityShape} from '../../core/shape';
import {keyOf, type Row} from '../../protocol/page';

/** A row as juggler has it, as an image: JSON values, and null for what it lacks or is none. */
export function imageOf(row: Row, {ids, properties}: EntityShape): RowImage {
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(properties)) values[name] = jsonOf(row[name]);
  return {key: keyOf(values, ids), values, raw: {}};
}

/** A whole number beyond what JSON holds is text, as it is in the images of PostgreSQL's log. */
function jsonOf(value: unknown): unknown {
  if (typeof value === 'number') return value;
  try {
    const text = JSON.stringify(value, (_, each) =>
      typeof each === 'bigint' ? String(each) : each) as string | undefined;
    return text === undefined ? null : JSON.parse(text);
  } catch {
    // A circle: a write that is committed must not fail by what is shown of it.
    return null;
  }
}
