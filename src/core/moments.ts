/** A point in time, to the microsecond that PostgreSQL keeps. */
export interface Moment {
  /** Milliseconds since 1970, whole; infinite for PostgreSQL's `infinity`. */
  readonly ms: number;
  /** Microseconds beyond them, 0 to 999. */
  readonly micros: number;
}

const TEXT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d(?::?\d\d)?)?$/;

/**
 * Reads a date as PostgreSQL or ISO 8601 writes it, `2026-01-31 12:00:00.123456+00`,
 * `2026-01-31T12:00:00.123Z` or `2026-01-31`; one without a zone is taken as UTC. Undefined for
 * what JavaScript has no date for: years before Christ or after 9999.
 */
export function momentOf(value: unknown): Moment | undefined {
  if (typeof value !== 'string') return undefined;
  if (value === 'infinity' || value === '-infinity') {
    return {ms: value === 'infinity' ? Infinity : -Infinity, micros: 0};
  }
  const match = TEXT.exec(value);
  if (!match) return undefined;
  const [, day, time = '00:00:00', fraction = '', zone = 'Z'] = match;
  const digits = fraction.padEnd(6, '0');
  const ms = Date.parse(`${day}T${time}.${digits.slice(0, 3)}${zoneOf(zone)}`);
  return Number.isNaN(ms) ? undefined : {ms, micros: Number(digits.slice(3))};
}

/**
 * The same for a column without a zone. The driver reads those as local time; so a moment with a
 * zone is compared by the local time that it has in this process.
 */
export function localMomentOf(value: unknown): Moment | undefined {
  const isZoned = typeof value === 'string' && ZONED.test(value);
  return momentOf(isZoned ? localText(value) : value);
}

export function compareMoments(a: Moment, b: Moment): number {
  return a.ms === b.ms ? Math.sign(a.micros - b.micros) : a.ms < b.ms ? -1 : 1;
}

/** A moment as local time without a zone, to the millisecond: `2026-01-31T12:00:00.123`. */
export function localText(value: string | number | Date): string {
  const moment = new Date(value);
  const local = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, -1);
}

/** A moment with more digits than JavaScript's dates have, as PostgreSQL or ISO writes it. */
const FINE = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{4,6}(Z|[+-]\d\d(:?\d\d)?)$/;
const ZONED = /[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)$/;

/** A moment as it goes to the database: ISO in UTC, or with microseconds as it was written. */
export function momentText(value: string | number | Date): string {
  if (typeof value === 'string' && FINE.test(value)) return value;
  return new Date(value).toISOString();
}

function zoneOf(zone: string): string {
  if (zone === 'Z') return zone;
  return `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`;
}
