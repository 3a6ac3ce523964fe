import type {JugglerProperty} from '../juggler';
import {join, raw, sql, type Fragment} from './sql';

/** A value that a write sets. */
export interface NewValue {
  /** Escaped. */
  readonly column: string;
  readonly property: JugglerProperty;
  readonly value: Fragment;
  /** Whether the value is null. */
  readonly empty: boolean;
}

/**
 * Whether a row has other values than these. When in doubt it has: then a state too many is kept,
 * where the other mistake would lose a write.
 *
 * @param table - The name that the row's table has in the statement
 */
export function differences(data: readonly NewValue[], table: string): Fragment {
  if (data.length === 0) return raw('(FALSE)');
  const each = data.map(({column, property, value, empty}) => {
    const now = `${table}.${column}`;
    if (empty) return raw(`${now} IS NOT NULL`);
    if (hasEquality(property)) return sql`${now} IS DISTINCT FROM ${value}`;
    const type = /^jsonb$/i.test(property.postgresql?.dataType ?? '') ? '::jsonb' : '';
    return sql`${now}::text COLLATE "C" IS DISTINCT FROM (${value}${type})::text`;
  });
  return sql`(${join(each, ' OR ')})`;
}

const MOMENTS = /^(timestamp|timestamptz|date)\b/i;
const NUMBERS =
  /^(smallint|integer|bigint|int\d?|serial|bigserial|decimal|numeric|real|float\d?|double)\b/i;
/** With the same scale for all values: without one, 1.5 and 1.50 are equal and read differently. */
const SPELLED_ONE_WAY =
  /^(uuid|smallint|integer|bigint|int\d?|(decimal|numeric) *\(|timestamp|timestamptz|date|time)\b/i;

/**
 * Whether the column's type has an equality that tells all values apart. JSON and points have none,
 * that of citext and of some collations takes different texts for one: their texts are compared.
 */
function hasEquality({type, postgresql}: JugglerProperty): boolean {
  const dataType: string | undefined = postgresql?.dataType;
  // As text, bytes would have to be characters.
  if (type === Buffer) return dataType === undefined || /^bytea$/i.test(dataType);
  if (type === String) return SPELLED_ONE_WAY.test(dataType ?? '');
  if (type === Boolean) return dataType === undefined;
  if (type === Number) return dataType === undefined || NUMBERS.test(dataType);
  return type === Date && dataType !== undefined && MOMENTS.test(dataType);
}
