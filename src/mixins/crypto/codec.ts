import {columnBinding, open, rowBinding, seal, sealedKeyId} from './envelope';
import {DecryptionError, EncryptionError} from './errors';
import {IndexKeys} from './index-keys';
import type {DataCipherKey, KeyRing} from './keys';
import type {LegacyReader} from './legacy';
import {PropertySearch} from './property-search';
import type {EncryptedProperty} from './searchable';
import {fromPlainText, toStoredForm, valueFromBytes, valueToBytes} from './values';

/** A row by property names, as a repository hands it to or takes it from the database. */
export type PlainRow = Record<string, unknown>;

/** Where a row belongs: its id, when it is known. */
export interface RowContext {
  readonly id?: unknown;
}

/**
 * Encrypts and decrypts the encrypted properties of one model's rows.
 *
 * Both directions answer at once while the keys they need are at hand, and with a promise when a
 * key has to be fetched first: test with `instanceof Promise` to stay on the fast path. The given
 * row is never changed; it is answered itself when it holds nothing to do. Absent and undefined
 * properties stay so, null stays null, the empty string is encrypted.
 *
 * The column of an encrypted property holds text, whatever the property's own type.
 */
export interface PropertyCodec {
  /** The encrypted properties. */
  readonly properties: readonly string[];
  /** Fetches the key that encrypts, so that a missing one is found at start-up. */
  ready(): Promise<void>;
  /**
   * Sets the index columns too: an entity's own values for them count for nothing.
   *
   * @throws {@link EncryptionError} for a value that is ciphertext already, a mask, not
   * encryptable, or without the id that it must be bound to.
   */
  encrypt(row: Readonly<PlainRow>, ctx: RowContext): PlainRow | Promise<PlainRow>;
  /** @throws {@link DecryptionError}, unless failures are masked. */
  decrypt(row: Readonly<PlainRow>, ctx: RowContext): PlainRow | Promise<PlainRow>;
  /** Looks for rows by encrypted properties. */
  readonly search: PropertySearch;
  /**
   * What has to be written so that a stored row is as if it were written now: ciphertext under the
   * current key, of what other readers have read too, and indexes. Undefined when nothing has.
   *
   * @throws {@link DecryptionError}, also where failures are masked
   */
  renew(row: Readonly<PlainRow>, ctx: RowContext): Promise<PlainRow | undefined>;
}

/** What {@link createPropertyCodec} needs to know. */
export interface PropertyCodecOptions {
  /** Part of every ciphertext's authentication, so renaming a model needs a re-encryption. */
  readonly entityName: string;
  readonly properties: Readonly<Record<string, EncryptedProperty>>;
  readonly keys: KeyRing;
  /** Keys of the blind indexes. Default: all of `keys`. */
  readonly indexKeys?: IndexKeys;
  /** Bind each ciphertext to the id of its row. Only where the application makes the ids. */
  readonly bindId: boolean;
  /** `'mask'` answers {@link MASK} instead of throwing. Default `'throw'`. */
  readonly onDecryptFailure?: 'throw' | 'mask';
  /** Told of every failure that is answered with a mask. */
  readonly reportFailure?: (error: DecryptionError) => void;
  /** Take a stored value that is not ciphertext for the plaintext it looks like. Default false. */
  readonly readPlaintext?: boolean;
  /** Reads values that the predecessor of this package stored. */
  readonly legacy?: LegacyReader;
}

/** What is answered for a value that cannot be decrypted, when failures are masked. */
export const MASK = '**********';

/**
 * Makes the codec of one model.
 *
 * @throws `CryptoConfigurationError` for a property that cannot be encrypted as its definition asks
 * @example
 * ```ts
 * const codec = createPropertyCodec({
 *   entityName: 'CardPayment',
 *   properties: {cardNo: {encrypt: true, type: 'string'}},
 *   keys: new KeyRing({keys: [{id: 'k1', secret: process.env.CARD_KEY!}], current: 'k1'}),
 *   bindId: true,
 * });
 * const stored = await codec.encrypt({id: '7', cardNo: '4111'}, {id: '7'});
 * ```
 */
export function createPropertyCodec(options: PropertyCodecOptions): PropertyCodec {
  return new RowCodec(options);
}

class RowCodec implements PropertyCodec {
  readonly properties: readonly string[];
  readonly search: PropertySearch;
  /** What names each property's column in the authentication of its values. */
  private readonly columns: ReadonlyMap<string, string>;

  constructor(private readonly options: PropertyCodecOptions) {
    const {entityName, properties, keys, indexKeys} = options;
    this.properties = Object.keys(properties);
    this.search = new PropertySearch(entityName, properties, indexKeys ?? new IndexKeys(keys));
    this.columns = new Map(
      this.properties.map(name => [name, columnBinding(options.entityName, name)]),
    );
  }

  async ready(): Promise<void> {
    await this.options.keys.ready();
    await this.search.ready();
  }

  encrypt(row: Readonly<PlainRow>, ctx: RowContext): PlainRow | Promise<PlainRow> {
    const given = this.search.withoutIndexes(row);
    const present = this.properties.filter(name => isPresent(given, name));
    const indexes = this.search.indexesFor(given);
    return indexes instanceof Promise
      ? indexes.then(made => this.encryptAll(given, present, made, ctx))
      : this.encryptAll(given, present, indexes, ctx);
  }

  decrypt(row: Readonly<PlainRow>, ctx: RowContext): PlainRow | Promise<PlainRow> {
    const present = this.properties.filter(name => isPresent(row, name));
    if (present.length === 0) return row;
    const missing = this.keysToFetch(row, present);
    return missing.length === 0
      ? this.decryptAll(row, present, ctx)
      : this.options.keys.fetch(missing).then(() => this.decryptAll(row, present, ctx));
  }

  async renew(row: Readonly<PlainRow>, ctx: RowContext): Promise<PlainRow | undefined> {
    const {keys} = this.options;
    const key = await keys.current();
    const present = this.properties.filter(name => isPresent(row, name));
    const stale = present.filter(name => sealedKeyId(String(row[name])) !== key.id);
    const searchable = this.search.properties.map(({property}) => property);
    const needed = present.filter(name => stale.includes(name) || searchable.includes(name));
    await keys.fetch(this.keysToFetch(row, needed));
    const plain: PlainRow = {};
    for (const name of needed) plain[name] = this.decryptOne(name, row[name], ctx);
    const renewed = stale.length ? this.encryptWith(key, pick(plain, stale), stale, ctx) : {};
    const indexes = await this.search.indexesFor(this.search.complete(plain));
    for (const [column, index] of Object.entries(indexes)) {
      if ((row[column] ?? null) !== index) renewed[column] = index;
    }
    return Object.keys(renewed).length ? renewed : undefined;
  }

  private encryptAll(
    row: Readonly<PlainRow>,
    present: readonly string[],
    indexes: PlainRow,
    ctx: RowContext,
  ): PlainRow | Promise<PlainRow> {
    const indexed = Object.keys(indexes).length ? {...row, ...indexes} : row;
    if (present.length === 0) return indexed;
    const key = this.options.keys.currentAtHand();
    return key
      ? this.encryptWith(key, indexed, present, ctx)
      : this.options.keys.current().then(k => this.encryptWith(k, indexed, present, ctx));
  }

  private encryptWith(
    key: DataCipherKey,
    row: Readonly<PlainRow>,
    present: readonly string[],
    ctx: RowContext,
  ): PlainRow {
    const result = {...row};
    for (const name of present) {
      const value = toStoredForm(row[name], this.options.properties[name].type);
      this.refuseUnlessPlain(name, value);
      const bytes = valueToBytes(value);
      if (!bytes) {
        throw this.encryptionError('VALUE_NOT_ENCRYPTABLE', name, 'JSON cannot hold the value');
      }
      result[name] = seal(key, bytes, this.binding(name, ctx));
    }
    return result;
  }

  private refuseUnlessPlain(name: string, value: unknown): void {
    if (typeof value !== 'string') return;
    if (sealedKeyId(value) !== undefined) {
      throw this.encryptionError('ALREADY_ENCRYPTED', name, 'the value is ciphertext already');
    }
    if (value === MASK && this.options.onDecryptFailure === 'mask') {
      throw this.encryptionError('MASKED_VALUE', name, 'the value is the mask of a secret');
    }
  }

  private decryptAll(
    row: Readonly<PlainRow>,
    present: readonly string[],
    ctx: RowContext,
  ): PlainRow {
    const result = {...row};
    for (const name of present) {
      try {
        result[name] = this.decryptOne(name, row[name], ctx);
      } catch (error) {
        if (!(error instanceof DecryptionError) || this.options.onDecryptFailure !== 'mask') {
          throw error;
        }
        this.options.reportFailure?.(error);
        result[name] = MASK;
      }
    }
    return result;
  }

  private decryptOne(name: string, value: unknown, ctx: RowContext): unknown {
    const keyId = typeof value === 'string' ? sealedKeyId(value) : undefined;
    if (keyId === undefined) return this.readForeign(name, value);
    const key = this.options.keys.atHand(keyId);
    if (!key) throw this.decryptionError(name, 'unknown key', keyId);
    const bytes = open(key, value as string, this.binding(name, ctx));
    if (bytes === 'malformed' || bytes === 'not authentic') {
      throw this.decryptionError(name, bytes, keyId);
    }
    return valueFromBytes(bytes);
  }

  /** A value that we did not write: of the predecessor, or plaintext from before encryption. */
  private readForeign(name: string, value: unknown): unknown {
    const {legacy, readPlaintext, properties} = this.options;
    const read = typeof value === 'string' ? legacy?.read(value) : undefined;
    if (read !== undefined) return fromPlainText(read, properties[name].type);
    if (readPlaintext) return fromPlainText(value, properties[name].type);
    throw this.decryptionError(name, legacy ? 'legacy unreadable' : 'not ciphertext');
  }

  private binding(name: string, ctx: RowContext): string {
    const column = this.columns.get(name) as string;
    if (!this.options.bindId) return column;
    if (ctx.id === undefined || ctx.id === null) {
      throw this.encryptionError(
        'ENCRYPTION_NEEDS_ID',
        name,
        'its ciphertext is bound to the row, so each row is written by its id',
      );
    }
    return rowBinding(column, ctx.id);
  }

  private keysToFetch(row: Readonly<PlainRow>, present: readonly string[]): string[] {
    const missing: string[] = [];
    if (!this.options.keys.canFetch) return missing;
    for (const name of present) {
      const value = row[name];
      const keyId = typeof value === 'string' ? sealedKeyId(value) : undefined;
      if (keyId !== undefined && !this.options.keys.atHand(keyId)) missing.push(keyId);
    }
    return missing;
  }

  private encryptionError(code: EncryptionError['code'], name: string, because: string) {
    return new EncryptionError(code, this.options.entityName, name, because);
  }

  private decryptionError(name: string, reason: DecryptionError['reason'], keyId?: string) {
    return new DecryptionError(this.options.entityName, name, reason, keyId);
  }
}

function isPresent(row: Readonly<PlainRow>, name: string): boolean {
  return row[name] !== undefined && row[name] !== null;
}

function pick(row: Readonly<PlainRow>, names: readonly string[]): PlainRow {
  return Object.fromEntries(names.map(name => [name, row[name]]));
}
