import {columnBinding, open, rowBinding, seal, sealedKeyId} from './envelope';
import {CryptoConfigurationError, DecryptionError, EncryptionError} from './errors';
import type {DataCipherKey, KeyRing} from './keys';
import type {LegacyReader} from './legacy';
import {checkEncryptedQuery} from './query-check';
import {toStoredForm, valueFromBytes, valueToBytes} from './values';

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
   * @throws {@link EncryptionError} for a value that is ciphertext already, a mask, not
   * encryptable, or without the id that it must be bound to.
   */
  encrypt(row: Readonly<PlainRow>, ctx: RowContext): PlainRow | Promise<PlainRow>;
  /** @throws {@link DecryptionError}, unless failures are masked. */
  decrypt(row: Readonly<PlainRow>, ctx: RowContext): PlainRow | Promise<PlainRow>;
  /**
   * Refuses a filter that compares or orders by an encrypted property. Scopes of inclusions are
   * for the repository of the target, which checks what it is asked.
   *
   * @throws `EncryptedQueryError`
   */
  checkQuery(filter: object | undefined): void;
}

/** `encrypt` of a property definition. */
export type EncryptSetting =
  | true
  | {readonly searchable?: boolean; readonly normalize?: unknown};

/** One encrypted property, from the model's definition. */
export interface EncryptedProperty {
  readonly encrypt: EncryptSetting;
  /** The property's type as the model says it: `'string'`, `Date`, … */
  readonly type?: unknown;
}

/** What {@link createPropertyCodec} needs to know. */
export interface PropertyCodecOptions {
  /** Part of every ciphertext's authentication, so renaming a model needs a re-encryption. */
  readonly entityName: string;
  readonly properties: Readonly<Record<string, EncryptedProperty>>;
  readonly keys: KeyRing;
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
 * @throws {@link CryptoConfigurationError} `CRYPTO_SEARCHABLE_UNSUPPORTED` for a searchable
 * property.
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
  for (const [name, {encrypt}] of Object.entries(options.properties)) {
    if (encrypt !== true && encrypt.searchable) {
      throw new CryptoConfigurationError(
        'CRYPTO_SEARCHABLE_UNSUPPORTED',
        `${options.entityName}.${name} asks for a searchable encryption, which this version ` +
          `does not have: neither equality search nor uniqueness would hold. Use encrypt: true.`,
      );
    }
  }
  return new RowCodec(options);
}

class RowCodec implements PropertyCodec {
  readonly properties: readonly string[];
  /** What names each property's column in the authentication of its values. */
  private readonly columns: ReadonlyMap<string, string>;
  private readonly encrypted: ReadonlySet<string>;

  constructor(private readonly options: PropertyCodecOptions) {
    this.properties = Object.keys(options.properties);
    this.encrypted = new Set(this.properties);
    this.columns = new Map(
      this.properties.map(name => [name, columnBinding(options.entityName, name)]),
    );
  }

  ready(): Promise<void> {
    return this.options.keys.ready();
  }

  encrypt(row: Readonly<PlainRow>, ctx: RowContext): PlainRow | Promise<PlainRow> {
    const present = this.properties.filter(name => isPresent(row, name));
    if (present.length === 0) return row;
    const key = this.options.keys.currentAtHand();
    return key
      ? this.encryptWith(key, row, present, ctx)
      : this.options.keys.current().then(k => this.encryptWith(k, row, present, ctx));
  }

  decrypt(row: Readonly<PlainRow>, ctx: RowContext): PlainRow | Promise<PlainRow> {
    const present = this.properties.filter(name => isPresent(row, name));
    if (present.length === 0) return row;
    const missing = this.keysToFetch(row, present);
    return missing.length === 0
      ? this.decryptAll(row, present, ctx)
      : this.options.keys.fetch(missing).then(() => this.decryptAll(row, present, ctx));
  }

  checkQuery(filter: object | undefined): void {
    checkEncryptedQuery(this.options.entityName, this.encrypted, filter);
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
    const {legacy, readPlaintext} = this.options;
    const read = typeof value === 'string' ? legacy?.read(value) : undefined;
    if (read !== undefined) return read;
    if (readPlaintext) return value;
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
