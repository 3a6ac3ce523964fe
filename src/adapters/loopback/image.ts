import type {RowImage} from '../../core/change';
import type {EntityShape} from '../../core/shape';
import {keyOf, type Row} from '../../protocol/page';

/** A row as juggler has it, as an image: JSON values, and null for what it lacks. */
export function imageOf(row: Row, {ids, properties}: EntityShape): RowImage {
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(properties)) values[name] = jsonOf(row[name]);
  return {key: keyOf(values, ids), values, raw: {}};
}

function jsonOf(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (value instanceof Date) return value.toJSON();
  return typeof value === 'object' ? JSON.parse(JSON.stringify(value)) : value;
}
