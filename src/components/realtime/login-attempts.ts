import {createHash} from 'node:crypto';
import {LiveEntityError} from '../../core/errors';
import type {Row} from '../../protocol/page';

/** Where a login comes from. */
export interface Caller {
  /** Names the connection, where it lasts. */
  readonly connection?: string;
  /** The network address. */
  readonly address: string;
}

/** Milliseconds in which the attempts of a key are earned back. */
const WINDOW = 5 * 60_000;
/** Keys that are remembered; those that were quiet longest are forgotten first. */
const REMEMBERED = 20_000;
/** One address can be many people's, and one name many addresses' target. */
const SHARED = 10;
const NAMES = ['username', 'email', 'login', 'user', 'name', 'id'];

interface Failures {
  count: number;
  since: number;
}

/**
 * Counts failed logins: of a connection, of a name from an address, and, ten times as many, of an
 * address and of a name. An attempt counts from its beginning, so that a burst cannot pass, and is
 * given back when it succeeds.
 */
export class LoginAttempts {
  private readonly failures = new Map<string, Failures>();

  constructor(
    private readonly allowed: number,
    private readonly now: () => number = Date.now,
    private readonly remembered = REMEMBERED,
  ) {}

  /**
   * Runs a login that may still be attempted.
   *
   * @throws LiveEntityError `TOO_MANY_ATTEMPTS` (429); `details.retryAfter` in seconds
   */
  async attempt<T>(caller: Caller, credentials: Row, login: () => Promise<T>): Promise<T> {
    const keys = this.keysOf(caller, credentials);
    const wait = Math.max(...keys.map(([key, allowed]) => this.waitFor(key, allowed)));
    if (wait > 0) throw tooMany(wait);
    for (const [key, allowed] of keys) this.count(key, allowed, 1);
    const result = await login();
    for (const [key, allowed] of keys) this.count(key, allowed, -1);
    return result;
  }

  private keysOf({connection, address: given}: Caller, credentials: Row): [string, number][] {
    // One address, whether the server listens on IPv4 or on both.
    const address = given.replace(/^::ffff:/, '');
    const many = SHARED * this.allowed;
    return [
      ...(connection === undefined ? [] : ([
        [`connection ${connection}`, this.allowed],
      ] satisfies [string, number][])),
      [`address ${address}`, many],
      ...namesIn(credentials).flatMap((name): [string, number][] => [
        [`name ${name} at ${address}`, this.allowed],
        [`name ${name}`, many],
      ]),
    ];
  }

  /** Milliseconds until the key may be tried again. */
  private waitFor(key: string, allowed: number): number {
    const excess = this.current(key, allowed) + 1 - allowed;
    return excess <= 0 ? 0 : (excess / allowed) * WINDOW;
  }

  private count(key: string, allowed: number, change: 1 | -1): void {
    const count = Math.max(0, this.current(key, allowed) + change);
    this.failures.delete(key);
    if (count === 0) return;
    this.failures.set(key, {count, since: this.now()});
    if (this.failures.size > this.remembered) {
      this.failures.delete(this.failures.keys().next().value!);
    }
  }

  private current(key: string, allowed: number): number {
    const known = this.failures.get(key);
    if (!known) return 0;
    return Math.max(0, known.count - ((this.now() - known.since) / WINDOW) * allowed);
  }
}

/**
 * Whom the credentials may name, each as short as any other. Which property the login service goes
 * by is not known here: all count, or one that nobody looks at could be another each time.
 */
function namesIn(credentials: Row): string[] {
  const given = NAMES.filter(property => Object.hasOwn(credentials, property))
    .map(property => credentials[property])
    .filter(name => typeof name === 'string');
  return [...new Set(given.map(plainName))];
}

function plainName(name: string): string {
  const plain = name.normalize('NFKC').trim().toLowerCase();
  return createHash('sha256').update(plain).digest('base64url');
}

function tooMany(wait: number): LiveEntityError {
  const retryAfter = Math.ceil(wait / 1000);
  const message = `too many failed logins; try again in ${retryAfter} seconds`;
  return new LiveEntityError('TOO_MANY_ATTEMPTS', message, 429, {retryAfter});
}
