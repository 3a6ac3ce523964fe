import {CryptoConfigurationError} from './errors';
import type {DataCipherKey, KeyRing} from './keys';

/**
 * The keys that blind indexes are made with: the first one indexes what is written, all of them are
 * looked up, so that nothing is lost while rows are moved from one key to another.
 *
 * Unless they are named, they are the current key and then all others that there are.
 */
export class IndexKeys {
  private known?: {readonly current: DataCipherKey; readonly keys: readonly DataCipherKey[]};

  constructor(
    private readonly ring: KeyRing,
    private readonly named?: readonly string[],
  ) {}

  /** The keys, if none of them need be fetched: configured ones never do. */
  atHand(): readonly DataCipherKey[] | undefined {
    const current = this.ring.currentAtHand();
    if (!current) return undefined;
    if (this.known?.current === current) return this.known.keys;
    const ids = this.ring.configured;
    return ids && this.take(current, this.named ?? withFirst(current.id, ids));
  }

  /** The keys that were the right ones when they were last asked for; asks again if need be. */
  latest(): readonly DataCipherKey[] | undefined {
    const keys = this.atHand();
    // Whoever needs the answer asks for it, and hears of what is wrong.
    if (!keys) this.all().catch(() => undefined);
    return keys ?? this.known?.keys;
  }

  /**
   * The keys.
   *
   * @throws {@link CryptoConfigurationError} `CRYPTO_INDEX_KEYS_UNKNOWN`
   */
  async all(): Promise<readonly DataCipherKey[]> {
    const atHand = this.atHand();
    if (atHand) return atHand;
    const current = await this.ring.current();
    const ids = this.named ?? (await this.listed(current.id));
    await this.ring.fetch(ids.filter(id => !this.ring.atHand(id)));
    return this.take(current, ids);
  }

  private take(current: DataCipherKey, ids: readonly string[]): readonly DataCipherKey[] {
    const keys = ids.map(id => this.ring.atHand(id) ?? missing(id));
    this.known = {current, keys};
    return keys;
  }

  private async listed(current: string): Promise<readonly string[]> {
    const ids = this.ring.configured ?? (await this.ring.listed());
    if (ids) return withFirst(current, ids);
    throw new CryptoConfigurationError(
      'CRYPTO_INDEX_KEYS_UNKNOWN',
      `A searchable property is looked for under every key that it may be indexed with, and the ` +
        `key provider has no ids() to tell them: add it, or set indexKeys: ['${current}'].`,
    );
  }
}

function withFirst(first: string, ids: readonly string[]): string[] {
  return [...new Set([first, ...ids])];
}

function missing(id: string): never {
  throw new CryptoConfigurationError(
    'CRYPTO_INDEX_KEYS_UNKNOWN',
    `The key '${id}' is to be used for blind indexes, but there is no such key.`,
  );
}
