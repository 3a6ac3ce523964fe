import {CryptoConfigurationError, type DecryptionError} from './errors';
import {IndexKeys} from './index-keys';
import {type KeyProvider, KeyRing, type KeyRingConfig} from './keys';
import {createLegacyReader, type LegacyConfig, type LegacyReader} from './legacy';

/**
 * How an application encrypts: `app.configure(LiveEntitiesBindings.CRYPTO).to({…})`. The keys can
 * come from a `KeyProvider` instead.
 */
export interface CryptoConfig extends Partial<KeyRingConfig> {
  /** The only one there is to write with, and the default. */
  readonly algorithm?: 'aes-256-gcm';
  /**
   * Ids of the keys for the blind indexes of searchable properties: the first indexes what is
   * written, all are looked up. Default: the current key, and all others. While there are several,
   * a write of a unique searchable property also looks for its value under the other keys; naming
   * one key after `reencrypt` has finished saves that.
   */
  readonly indexKeys?: readonly string[];
  /** Read what oe-common-mixins stored. */
  readonly legacy?: LegacyConfig;
  /**
   * Take a stored value that is not ciphertext for plaintext, while existing rows are being
   * encrypted. Default false: it lets whoever writes to the table plant values.
   */
  readonly readPlaintext?: boolean;
  /** `'mask'` answers `**********` for a value that cannot be decrypted. Default `'throw'`. */
  readonly onDecryptFailure?: 'throw' | 'mask';
}

/** What every codec of the application shares: spread it into `createPropertyCodec`'s options. */
export interface CryptoSettings {
  readonly keys: KeyRing;
  readonly indexKeys: IndexKeys;
  readonly legacy: LegacyReader | undefined;
  readonly readPlaintext: boolean;
  readonly onDecryptFailure: 'throw' | 'mask';
  readonly reportFailure?: (error: DecryptionError) => void;
}

/**
 * Checks a configuration and makes of it what codecs need.
 *
 * @param provider Where the keys come from, if not from the configuration. Call `keys.ready()`
 * before the application starts, so that it refuses to start without a key.
 * @throws {@link CryptoConfigurationError}
 */
export function cryptoSettings(config: CryptoConfig, provider?: KeyProvider): CryptoSettings {
  const {algorithm = 'aes-256-gcm', legacy} = config;
  if (algorithm !== 'aes-256-gcm') {
    throw new CryptoConfigurationError(
      'CRYPTO_ALGORITHM_UNSUPPORTED',
      `Values are encrypted with aes-256-gcm only, not '${String(algorithm)}'. ` +
        `To read those of oe-common-mixins, set legacy: {algorithm, password}.`,
    );
  }
  const keys = new KeyRing(
    provider ?? {keys: config.keys ?? [], current: config.current ?? ''},
  );
  return {
    keys,
    indexKeys: new IndexKeys(keys, config.indexKeys),
    legacy: legacy && createLegacyReader(legacy),
    readPlaintext: config.readPlaintext ?? false,
    onDecryptFailure: config.onDecryptFailure ?? 'throw',
  };
}
