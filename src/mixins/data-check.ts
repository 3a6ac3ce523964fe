import {InvalidValueError} from './errors';
import type {LiveEntity} from './live-entity';
import type {Row} from './plan';

/**
 * Refuses a date that is none where juggler does not: it validates whole rows only, and of those it
 * sees ciphertext.
 *
 * @param isWhole - Whether juggler will validate the row
 * @throws {@link InvalidValueError}
 */
export function assertDates(live: LiveEntity, data: Readonly<Row>, isWhole: boolean): void {
  for (const name of live.dates) {
    if (isWhole && !(name in live.encrypted)) continue;
    const given = data[name] ?? null;
    if (given !== null && Number.isNaN(new Date(given as string).getTime())) {
      throw new InvalidValueError(`"${name}" of ${live.name} is not a valid date.`);
    }
  }
}
