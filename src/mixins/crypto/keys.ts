import {createSecretKey, type KeyObject, scryptSync} from 'node:crypto';
import {CryptoConfigurationError} from './errors';

/**
 * A key as it is configured or as a {@link KeyProvider} hands it out.
 *
 * `secret` is 32 bytes: as they are, as 64 hexadecimal digits, or as base64 (url-safe too). Any
 * other text of at least 16 characters is a passphrase, from which the key is derived once with
 * scrypt (N = 32768, r = 8, p = 1, salted with the key's id), about 60 ms at start-up.
 *
 * `id` is written in front of every ciphertext: 1 to 64 of `A-Z a-z 0-9 _ -`. It is no secret.
 */
export interface DataKey {
  readonly id: string;
  readonly secret: string | Uint8Array;
  readonly createdOn?: Date | string;
}

/** The keys in an application's configuration; `current` is the id of the one that encrypts. */
export interface KeyRingConfig {
  readonly keys: readonly DataKey[];
  readonly current: string;
}

/**
 * Fetches keys from elsewhere: a key service, a vault, the environment.
 *
 * `byId` answers undefined for a key that does not exist (any more), and rejects when it cannot
 * tell. To rotate: let every process know the new key by id first, then make it the current one.
 */
export interface KeyProvider {
  current(): Promise<DataKey>;
  byId(id: string): Promise<DataKey | undefined>;
  /**
   * The ids of all keys that anything may still be written with. Needed for searchable properties,
   * which are looked for under each of them, unless `indexKeys` of the configuration names some.
   */
  ids?(): Promise<readonly string[]>;
}

/** A key ready for use. The `KeyObject` shows nothing of itself when it is logged. */
export interface DataCipherKey {
  readonly id: string;
  readonly secret: KeyObject;
}

export interface KeyRingOptions {
  /** For how long a provider's current key is used before it is asked again, in ms. 5 minutes. */
  readonly currentTtl?: number;
  /** The clock, in ms. */
  readonly now?: () => number;
}

/**
 * Keeps the keys that are in use at hand, so that encrypting a row need not wait.
 *
 * @throws {@link CryptoConfigurationError} from the constructor for configured keys, from
 * {@link KeyRing.ready} for a provider's.
 * @example
 * ```ts
 * const {KEY_1 = '', KEY_2 = ''} = process.env;
 * new KeyRing({keys: [{id: 'k1', secret: KEY_1}, {id: 'k2', secret: KEY_2}], current: 'k2'});
 * new KeyRing(myKeyService);
 * ```
 */
export class KeyRing {
  private readonly provider: KeyProvider | undefined;
  private readonly known = new Map<string, DataCipherKey>();
  private readonly fetching = new Map<string, Promise<void>>();
  private readonly currentTtl: number;
  private readonly now: () => number;
  private currentKey: DataCipherKey | undefined;
  private currentUntil = Infinity;
  private fetchingCurrent: Promise<DataCipherKey> | undefined;

  constructor(source: KeyRingConfig | KeyProvider, options: KeyRingOptions = {}) {
    this.currentTtl = options.currentTtl ?? 5 * 60_000;
    this.now = options.now ?? Date.now;
    if (isProvider(source)) {
      this.provider = source;
    } else {
      this.addConfigured(source);
    }
  }

  /** Fetches the current key, so that a missing one is found at start-up. */
  async ready(): Promise<void> {
    await this.current();
  }

  /** The key that encrypts, if it need not be fetched. */
  currentAtHand(): DataCipherKey | undefined {
    if (this.currentUntil === Infinity || this.now() < this.currentUntil) return this.currentKey;
    return undefined;
  }

  /** The key that encrypts. */
  async current(): Promise<DataCipherKey> {
    const atHand = this.currentAtHand();
    if (atHand) return atHand;
    this.fetchingCurrent ??= this.fetchCurrent().finally(() => {
      this.fetchingCurrent = undefined;
    });
    return this.fetchingCurrent;
  }

  /** The key with this id, if it need not be fetched. */
  atHand(id: string): DataCipherKey | undefined {
    return this.known.get(id);
  }

  /** Whether there is anywhere to fetch keys from: configured ones are all there are. */
  get canFetch(): boolean {
    return this.provider !== undefined;
  }

  /** The ids of all keys, where they are configured; undefined where a provider has them. */
  get configured(): readonly string[] | undefined {
    return this.provider ? undefined : [...this.known.keys()];
  }

  /** The ids of all keys of a provider; undefined when it cannot tell. */
  async listed(): Promise<readonly string[] | undefined> {
    return this.provider?.ids?.();
  }

  /** Brings the keys with these ids to hand. Those that do not exist stay absent. */
  async fetch(ids: readonly string[]): Promise<void> {
    const provider = this.provider;
    if (!provider) return;
    await Promise.all(
      [...new Set(ids)].map(id => {
        const pending = this.fetching.get(id) ?? this.fetchOne(provider, id);
        this.fetching.set(id, pending);
        return pending;
      }),
    );
  }

  private async fetchCurrent(): Promise<DataCipherKey> {
    const answer = await this.provider?.current().catch(error => {
      // While the key service is away, what is at hand goes on encrypting.
      if (!this.currentKey) throw error;
      return this.currentKey;
    });
    if (!answer) {
      throw new CryptoConfigurationError('CRYPTO_NO_KEYS', 'The key provider has no current key.');
    }
    // A secret that was derived from a passphrase is derived once, not at each renewal.
    const key = this.known.get(answer.id) ?? cipherKeyOf(answer as DataKey);
    this.known.set(key.id, key);
    this.currentKey = key;
    this.currentUntil = this.now() + this.currentTtl;
    return key;
  }

  private async fetchOne(provider: KeyProvider, id: string): Promise<void> {
    try {
      const answer = await provider.byId(id);
      // A provider that answers another key than the one asked for does not know the one asked for.
      if (answer?.id === id) this.known.set(id, cipherKeyOf(answer));
    } finally {
      this.fetching.delete(id);
    }
  }

  private addConfigured({keys, current}: KeyRingConfig): void {
    if (!Array.isArray(keys) || keys.length === 0) {
      throw new CryptoConfigurationError('CRYPTO_NO_KEYS', 'No encryption key is configured.');
    }
    for (const key of keys as readonly DataKey[]) {
      if (this.known.has(key.id)) {
        throw new CryptoConfigurationError(
          'CRYPTO_DUPLICATE_KEY',
          `Two encryption keys have the id '${key.id}'.`,
        );
      }
      this.known.set(key.id, cipherKeyOf(key));
    }
    this.currentKey = this.known.get(current);
    if (!this.currentKey) {
      throw new CryptoConfigurationError(
        'CRYPTO_UNKNOWN_CURRENT_KEY',
        `The current encryption key '${current}' is not among the configured ones: ` +
          `${[...this.known.keys()].join(', ')}.`,
      );
    }
  }
}

const KEY_BYTES = 32;
const SHORTEST_PASSPHRASE = 16;

function cipherKeyOf({id, secret}: DataKey): DataCipherKey {
  if (typeof id !== 'string' || !/^[\w-]{1,64}$/.test(id)) {
    throw new CryptoConfigurationError(
      'CRYPTO_BAD_KEY_ID',
      `The id of an encryption key is 1 to 64 of A-Z a-z 0-9 _ -, not ${JSON.stringify(id)}.`,
    );
  }
  return {id, secret: createSecretKey(keyBytes(id, secret))};
}

function keyBytes(id: string, secret: string | Uint8Array | undefined): Uint8Array {
  if (typeof secret !== 'string') {
    if (secret?.length === KEY_BYTES) return secret;
    throw tooShort(id);
  }
  if (/^[0-9a-f]{64}$/i.test(secret)) return Buffer.from(secret, 'hex');
  if (/^[\w+/-]{43}=?$/.test(secret)) return Buffer.from(secret, 'base64');
  if (secret.length < SHORTEST_PASSPHRASE) throw tooShort(id);
  return scryptSync(secret, `loopback4-live-entities:${id}`, KEY_BYTES, {
    N: 32768,
    r: 8,
    p: 1,
    maxmem: 64 * 1024 * 1024,
  });
}

function tooShort(id: string): CryptoConfigurationError {
  return new CryptoConfigurationError(
    'CRYPTO_KEY_TOO_SHORT',
    `The secret of encryption key '${id}' is missing or too short: it takes ${KEY_BYTES} bytes ` +
      `(base64 or hexadecimal) or a passphrase of at least ${SHORTEST_PASSPHRASE} characters.`,
  );
}

function isProvider(source: KeyRingConfig | KeyProvider): source is KeyProvider {
  return typeof (source as Partial<KeyProvider>).byId === 'function';
}
