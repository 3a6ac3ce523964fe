/** What a {@link CryptoConfigurationError} complains about. */
export type CryptoConfigurationCode =
  | 'CRYPTO_NO_KEYS'
  | 'CRYPTO_BAD_KEY_ID'
  | 'CRYPTO_DUPLICATE_KEY'
  | 'CRYPTO_KEY_TOO_SHORT'
  | 'CRYPTO_UNKNOWN_CURRENT_KEY'
  | 'CRYPTO_ALGORITHM_UNSUPPORTED'
  | 'CRYPTO_LEGACY_INCOMPLETE'
  | 'CRYPTO_SEARCHABLE_UNSUPPORTED'
  | 'CRYPTO_UNIQUE_NEEDS_SEARCHABLE'
  | 'CRYPTO_INDEX_KEYS_UNKNOWN'
  | 'CRYPTO_KEY_UNAVAILABLE';

/**
 * The keys or the encryption settings are wrong. It is raised when they are read, so that an
 * application refuses to start instead of failing at its first write. The message never holds a
 * secret.
 */
export class CryptoConfigurationError extends Error {
  readonly statusCode = 500;

  constructor(
    readonly code: CryptoConfigurationCode,
    message: string,
  ) {
    super(message);
    this.name = 'CryptoConfigurationError';
  }
}

/** Why a stored value could not be decrypted. */
export type DecryptionFailure =
  /** It does not begin like our ciphertext and no other reader is configured. */
  | 'not ciphertext'
  /** Its header or its encoding is damaged. */
  | 'malformed'
  /** No key with the id that its header names. */
  | 'unknown key'
  /** It was altered, or moved here from another row, property or model, or the key is wrong. */
  | 'not authentic'
  /** The reader of the old format could not make text of it. */
  | 'legacy unreadable';

/**
 * A stored value of an encrypted property cannot be trusted or read. Names the place and the
 * reason, never the value or a key.
 */
export class DecryptionError extends Error {
  readonly code = 'DECRYPTION_FAILED';
  readonly statusCode = 500;

  constructor(
    readonly entityName: string,
    readonly propertyName: string,
    readonly reason: DecryptionFailure,
    readonly keyId?: string,
  ) {
    const key = keyId === undefined ? '' : ` (key '${keyId}')`;
    super(`Cannot decrypt ${entityName}.${propertyName}${key}: ${reason}.`);
    this.name = 'DecryptionError';
  }
}

/**
 * What was given for an encrypted property cannot be encrypted as asked.
 *
 * - `ALREADY_ENCRYPTED`: the value is ciphertext. Encrypting it again would make values grow at
 *   every careless round trip; storing it as it is would let whoever copied a ciphertext plant it
 *   in a row of their own and read it there.
 * - `MASKED_VALUE`: the value is the mask that a failed decryption was answered with; storing it
 *   would overwrite the secret that only could not be read just now.
 * - `ENCRYPTION_NEEDS_ID`: ciphertext of this model is bound to its row, and no id was given, as in
 *   an update of many rows with one value.
 * - `VALUE_NOT_ENCRYPTABLE`: a function, symbol or bigint, or an object that JSON cannot hold.
 */
export class EncryptionError extends Error {
  readonly statusCode = 422;

  constructor(
    readonly code:
      | 'ALREADY_ENCRYPTED'
      | 'MASKED_VALUE'
      | 'ENCRYPTION_NEEDS_ID'
      | 'VALUE_NOT_ENCRYPTABLE',
    readonly entityName: string,
    readonly propertyName: string,
    because: string,
  ) {
    super(`Cannot encrypt ${entityName}.${propertyName}: ${because}.`);
    this.name = 'EncryptionError';
  }
}

/** A query orders or compares by a property that the database only knows as random bytes. */
export class EncryptedQueryError extends Error {
  readonly code = 'ENCRYPTED_QUERY_UNSUPPORTED';
  readonly statusCode = 422;

  constructor(
    readonly entityName: string,
    readonly propertyName: string,
    /** The operator, or `order`. */
    readonly operation: string,
    searchable = false,
  ) {
    super(
      `${entityName}.${propertyName} is encrypted: a query cannot use '${operation}' on it, only ` +
        (searchable ? `eq, neq, inq, nin, and whether it is null.` : `whether it is null.`),
    );
    this.name = 'EncryptedQueryError';
  }
}
