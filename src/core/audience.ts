import type {AccessQuery, AccessRequest} from './access';
import {fingerprint} from './fingerprint';

/** Those who see the same rows, and all that is known of each of them. */
export interface SharedAudience {
  /** Says everything that the filters can go by: equal keys, equal rows. */
  readonly key: string;
  /** What the audience's rule looked at of the person, and nothing else. */
  readonly principal: unknown;
}

/**
 * Names the audience of a person by the application's rule, and cuts the person down to what the
 * rule has looked at. Rows pushed to a shared room are filtered once, on behalf of one member; a
 * filter that went by more of that member than the rule did would decide for all the others by the
 * wrong person. So it cannot: there is no more to go by, and what there is, is part of the key.
 *
 * @example
 * ```ts
 * audienceOf(who => who.role, {id: 'ada', role: 'buyer'}); // principal: {role: 'buyer'}
 * ```
 */
export function audienceOf<P>(rule: (who: P) => string, who: P): SharedAudience {
  if (typeof who !== 'object' || who === null) return keyed(rule(who), who, []);
  const looked = new Set<string | symbol>();
  const name = rule(watched(who, looked));
  const known = [...looked].filter(property => property in who).sort(byName);
  const principal: Record<string | symbol, unknown> = {};
  for (const property of known) principal[property] = (who as typeof principal)[property];
  return keyed(name, principal, known);
}

/**
 * The request on whose behalf rows are pushed: of a view it has what decides about rows, and
 * nothing of the one who came first.
 */
export function sharedRequest(request: AccessRequest, principal: unknown): AccessRequest {
  return {...request, principal, socket: undefined};
}

/** What filters of pushed rows can go by of a query, apart from the page, which rooms differ by. */
export function queryKey({type, id, view, viewParams}: AccessQuery): string {
  return JSON.stringify([type, id ?? null, view ?? null, viewParams ?? null]);
}

function keyed(
  name: string,
  principal: unknown,
  known: readonly (string | symbol)[],
): SharedAudience {
  const held = known.map(property => [
    String(property),
    (principal as Record<string | symbol, unknown>)[property],
  ]);
  const person = typeof principal === 'object' && principal !== null ? {held} : principal;
  return {key: fingerprint([name, person]), principal};
}

function watched<P extends object>(who: P, looked: Set<string | symbol>): P {
  return new Proxy(who, {
    get(target, property) {
      looked.add(property);
      return Reflect.get(target, property) as unknown;
    },
    has(target, property) {
      looked.add(property);
      return Reflect.has(target, property);
    },
    ownKeys(target) {
      const keys = Reflect.ownKeys(target);
      for (const key of keys) looked.add(key);
      return keys;
    },
  });
}

function byName(a: string | symbol, b: string | symbol): number {
  return String(a) < String(b) ? -1 : 1;
}
