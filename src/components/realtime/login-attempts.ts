import {createHash} from 'node:crypto';
import {networkOf} from '../../adapters/socketio/network';
import {isConnectionLoss} from '../../core/database-errors';
import type {Row} from '../../protocol/page';
import {LoginAllowance, type Key} from './login-allowance';

/** Where a login comes from. */
export interface Caller {
  /** Names the connection, where it lasts. */
  readonly connection?: string;
  /** The network address. */
  readonly address: string;
}

/** Keys that are remembered; those that were quiet longest are forgotten first. */
const REMEMBERED = 20_000;
/** One address can be many people's, and one name many addresses' target. */
const SHARED = 10;
const NAMES = ['username', 'email', 'login', 'user', 'name', 'id'];

/** Characters of credentials that may be kept while an attempt waits for its turn. */
const MOST_KEPT = 4000;

/**
 * Counts failed logins: of a connection, of a name from an address, and, ten times as many, of an
 * address and of a name. An attempt counts from its beginning, so that a burst cannot pass, and is
 * given back when it succeeds, and when the database was away. Those that others, still under way,
 * leave no room for wait until these are answered.
 *
 * Whoever guesses from many addresses could keep a person out by having their name refused
 * everywhere. So an address from which somebody has signed in by a name is not asked how often
 * others have failed with it, only how often it has itself.
 */
export class LoginAttempts {
  private readonly allowance: LoginAllowance;
  /** Names at addresses from which they have signed in. */
  private readonly known = new Set<string>();

  constructor(
    private readonly allowed: number,
    now: () => number = Date.now,
    private readonly remembered = REMEMBERED,
    waiting?: number,
  ) {
    this.allowance = new LoginAllowance(now, remembered, waiting);
  }

  /**
   * Runs a login that may still be attempted, when it is its turn.
   *
   * @throws LiveEntityError `TOO_MANY_ATTEMPTS` (429); `details.retryAfter` in seconds
   */
  async attempt<T>(caller: Caller, credentials: Row, login: () => Promise<T>): Promise<T> {
    const address = networkOf(caller.address);
    const names = namesIn(credentials);
    const keys = this.keysOf(caller.connection, address, names);
    await this.allowance.enter(keys, () => JSON.stringify(credentials).length <= MOST_KEPT);
    let outcome: 'failed' | 'back' = 'back';
    try {
      const result = await login();
      // Of several names it cannot be told which one it was that signed in.
      if (names.length === 1) this.remember(pairOf(names[0], address));
      return result;
    } catch (error) {
      if (!saysNothing(error)) outcome = 'failed';
      throw error;
    } finally {
      this.allowance.leave(keys, outcome);
    }
  }

  private keysOf(
    connection: string | undefined,
    address: string,
    names: readonly string[],
  ): readonly Key[] {
    const {allowed} = this;
    const many = SHARED * allowed;
    // One attempt under six names is six guesses.
    const weight = Math.max(1, names.length);
    const keys: Key[] = [{id: `address ${address}`, allowed: many, weight}];
    if (connection !== undefined) keys.push({id: `connection ${connection}`, allowed, weight});
    for (const name of names) {
      const pair = pairOf(name, address);
      keys.push({id: pair, allowed, weight: 1});
      if (!this.known.has(pair)) keys.push({id: `name ${name}`, allowed: many, weight: 1});
    }
    return keys;
  }

  private remember(pair: string): void {
    this.known.delete(pair);
    this.known.add(pair);
    if (this.known.size > this.remembered) this.known.delete(this.known.values().next().value!);
  }
}

/** Whether a failure is no answer to the credentials, whatever they were. */
function saysNothing(error: unknown): boolean {
  return isConnectionLoss(error) || Number((error as {statusCode?: unknown}).statusCode) >= 500;
}

function pairOf(name: string, address: string): string {
  return `name ${name} at ${address}`;
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
