import Ajv, {type ValidateFunction} from 'ajv';
import {LiveEntityError} from '../../core/errors';
import type {ClientToServerEvents} from '../../protocol/messages';
import {REQUEST_SCHEMAS} from '../../protocol/schemas';

export type CallName = keyof ClientToServerEvents;
export type RequestOf<E extends CallName> = Parameters<ClientToServerEvents[E]>[0];

const ajv = new Ajv({allErrors: false, strict: false});
const validators = new Map<CallName, ValidateFunction>(
  Object.entries(REQUEST_SCHEMAS).map(([name, schema]) => [name as CallName, ajv.compile(schema)]),
);

/**
 * Checks what came over the socket before anything else touches it.
 *
 * @param depth Levels that a request may nest
 * @throws LiveEntityError `LIMIT_EXCEEDED` for one that nests deeper, `BAD_REQUEST` that says which
 * part is wrong
 */
export function checkRequest<E extends CallName>(
  name: E,
  request: unknown,
  depth: number,
): RequestOf<E> {
  const given = request ?? {};
  if (isDeeper(given, depth)) {
    throw new LiveEntityError('LIMIT_EXCEEDED', `a request nests deeper than ${depth}`);
  }
  const validate = validators.get(name)!;
  if (validate(given)) return given as RequestOf<E>;
  const [problem] = validate.errors ?? [];
  const where = problem?.instancePath.replace(/^\//, '').replace(/\//g, '.') || 'the request';
  throw new LiveEntityError('BAD_REQUEST', `${name}: ${where} ${problem?.message ?? 'is wrong'}`);
}

/** Walks without recursion: the request may be as deep as its sender liked. */
function isDeeper(value: unknown, allowed: number): boolean {
  const open: [unknown, number][] = [[value, 1]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [item, depth] = next;
    if (typeof item !== 'object' || item === null) continue;
    if (depth > allowed) return true;
    for (const child of Object.values(item)) open.push([child, depth + 1]);
  }
  return false;
}
