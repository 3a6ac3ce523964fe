import type {Entity} from '@loopback/repository';
import {HttpErrors, RestHttpErrors} from '@loopback/rest';
import {isMoment, isText, kindOf} from './operands';
import type {Row} from './types';

/** Levels that a body may nest; what connectors and databases do with it goes by recursion. */
const MAX_DEPTH = 100;

/**
 * Refuses what the JSON schema lets pass and no database stores as it was sent.
 *
 * @throws 400 `INVALID_VALUE` for half a surrogate pair, which UTF-8 has no form for, and for what
 * nests too deep; 422 `VALIDATION_FAILED` for a date that is none, such as a leap second
 */
export function checkBody({definition}: typeof Entity, body: Row): void {
  const reason = oddityIn(body);
  if (reason) throw Object.assign(new HttpErrors.BadRequest(reason), {code: 'INVALID_VALUE'});
  const wrong = Object.entries(definition.properties)
    .filter(([name, property]) => kindOf(property) === 'date' && (body[name] ?? null) !== null)
    .filter(([name]) => !isMoment(body[name]));
  if (wrong.length === 0) return;
  const details = wrong.map(([name]) => ({
    path: `/${name}`,
    code: 'format',
    message: 'must be a moment that a calendar has',
    info: {format: 'date-time'},
  }));
  throw RestHttpErrors.invalidRequestBody(details);
}

function oddityIn(body: unknown): string | undefined {
  let level = [body];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return `The body nests deeper than ${MAX_DEPTH} levels.`;
    const objects = level.filter(value => typeof value === 'object' && value !== null) as object[];
    const keys = objects.filter(value => !Array.isArray(value)).flatMap(Object.keys);
    const texts = [...level, ...keys].filter(value => typeof value === 'string');
    if (!texts.every(isText)) {
      return 'A text has half of a surrogate pair in it, which cannot be stored.';
    }
    level = objects.flatMap(value => Object.values(value) as unknown[]);
  }
  return undefined;
}
