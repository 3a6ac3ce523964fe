import {createDecipheriv, createHash} from 'node:crypto';
import {CryptoConfigurationError} from './errors';

/** What the predecessor, oe-common-mixins, called its `encryptionAlgorithm`. */
export type LegacyAlgorithm =
  | 'crypto.aes256'
  | 'crypto.aes-256-ctr'
  | 'crypto.aes-256-cbc'
  | 'crypto.aes128'
  | 'crypto.aes192';

/** Its two settings, as they stood in its `config.json`. */
export interface LegacyConfig {
  readonly algorithm: LegacyAlgorithm;
  readonly password: string;
}

/** Reads one stored value; undefined when it is not text that the predecessor encrypted. */
export interface LegacyReader {
  read(stored: string): string | undefined;
}

const CIPHERS: Readonly<Record<LegacyAlgorithm, {cipher: string; keyBytes: number}>> = {
  'crypto.aes256': {cipher: 'aes-256-cbc', keyBytes: 32},
  'crypto.aes-256-ctr': {cipher: 'aes-256-ctr', keyBytes: 32},
  'crypto.aes-256-cbc': {cipher: 'aes-256-cbc', keyBytes: 32},
  'crypto.aes128': {cipher: 'aes-128-cbc', keyBytes: 16},
  'crypto.aes192': {cipher: 'aes-192-cbc', keyBytes: 24},
};
const IV_BYTES = 16;

/**
 * Reads what oe-common-mixins stored: hexadecimal text, made by the `createCipher(algorithm,
 * password)` that Node has removed since. Nothing is ever written in this form: it has one fixed
 * initialisation vector for all values, so two ciphertexts give away the difference of their
 * plaintexts, and nothing authenticates them.
 *
 * With `crypto.aes-256-ctr` every hexadecimal text decrypts to something; what is not valid UTF-8
 * afterwards is taken as unreadable. A wrong password mostly, not always, shows in that way.
 *
 * @throws `CryptoConfigurationError` `CRYPTO_LEGACY_INCOMPLETE`
 */
export function createLegacyReader({algorithm, password}: LegacyConfig): LegacyReader {
  const found = Object.hasOwn(CIPHERS, algorithm) ? CIPHERS[algorithm] : undefined;
  if (!found || !password) {
    throw new CryptoConfigurationError(
      'CRYPTO_LEGACY_INCOMPLETE',
      `legacy takes a password and one of the algorithms ${Object.keys(CIPHERS).join(', ')}.`,
    );
  }
  const derived = deriveLikeOpenSsl(password, found.keyBytes + IV_BYTES);
  const key = derived.subarray(0, found.keyBytes);
  const iv = derived.subarray(found.keyBytes);
  const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});
  return {
    read(stored) {
      if (!/^(?:[0-9a-f]{2})*$/i.test(stored)) return undefined;
      const decipher = createDecipheriv(found.cipher, key, iv);
      try {
        const plain = decipher.update(stored, 'hex');
        return utf8.decode(Buffer.concat([plain, decipher.final()]));
      } catch {
        return undefined;
      }
    },
  };
}

/** OpenSSL's `EVP_BytesToKey` with MD5, no salt, one iteration: D₁ = md5(p), Dₙ = md5(Dₙ₋₁ p). */
function deriveLikeOpenSsl(password: string, length: number): Buffer {
  let derived = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  while (derived.length < length) {
    last = createHash('md5').update(last).update(password, 'utf8').digest();
    derived = Buffer.concat([derived, last]);
  }
  return derived.subarray(0, length);
}
