import Ajv, {type ValidateFunction} from 'ajv';
import {LiveEntityError} from '../../core/errors';
import type {ClientToServerEvents} from '../../protocol/messages';
import {REQUEST_SCHEMAS} from '../../protocol/schemas';

export type CallName = keyof ClientToServerEvents;
export type RequestOf<E extends CallName> = Parameters<ClientToServerEvents[E]>[0];

const MAX_DEPTH = 32;

const ajv = new Ajv({allErrors: false, strict: false});
const validators = new Map<CallName, ValidateFunction>(
  Object.entries(REQUEST_SCHEMAS).map(([name, schema]) => [name as CallName, ajv.compile(schema)]),
);

/**
 * Checks what came over the socket before anything else touches it.
 *
 * @throws LiveEntityError `BAD_REQUEST` that says which part is wrong
 */
export function checkRequest<E extends CallName>(name: E, request: unknown): RequestOf<E> {
  const given = request ?? {};
  if (depthOf(given) > MAX_DEPTH) {
    throw new LiveEntityError('BAD_REQUEST', `a request nests deeper than ${MAX_DEPTH}`);
  }
  const validate = validators.get(name)!;
  if (validate(given)) return given as RequestOf<E>;
  const [problem] = validate.errors ?? [];
  const where = problem?.instancePath.replace(/^\//, '').replace(/\//g, '.') || 'the request';
  throw new LiveEntityError('BAD_REQUEST', `${name}: ${where} ${problem?.message ?? 'is wrong'}`);
}

/** Walks without recursion: the request may be as deep as its sender liked. */
function depthOf(value: unknown): number {
  let deepest = 0;
  const open: [unknown, number][] = [[value, 1]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [item, depth] = next;
    if (typeof item !== 'object' || item === null) continue;
    if (depth > deepest) deepest = depth;
    if (deepest > MAX_DEPTH) return deepest;
    for (const child of Object.values(item)) open.push([child, depth + 1]);
  }
  return deepest;
}
