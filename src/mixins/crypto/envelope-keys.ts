import {randomBytes} from 'node:crypto';
import {CryptoConfigurationError} from './errors';
import type {DataKey, KeyProvider} from './keys';

/**
 * The one thing that a key management service is needed for: it holds a key that never leaves it,
 * and wraps data keys with that. `keyId` is to be authenticated with the key, where the service has
 * a place for that (AWS: `EncryptionContext`; Google: `additionalAuthenticatedData`).
 */
export interface KeyWrapper {
  wrap(key: Uint8Array, context: {readonly keyId: string}): Promise<Uint8Array>;
  unwrap(wrapped: Uint8Array, context: {readonly keyId: string}): Promise<Uint8Array>;
}

/** A data key as it may lie in a configuration or a table: only the service can open it. */
export interface WrappedKey {
  readonly id: string;
  /** In base64. */
  readonly wrapped: string;
}

/** The data keys of an application, and which of them encrypts. */
export interface WrappedKeys {
  readonly keys: readonly WrappedKey[];
  readonly current: string;
}

const KEY_BYTES = 32;

/**
 * Keys that a key management service has wrapped. Each is unwrapped once, when it is needed first;
 * the service is asked for nothing else, so it may be away while the application runs.
 *
 * @param source - The wrapped keys, or what fetches them: then keys can be added and promoted while
 * the application runs, which asks every 5 minutes
 * @example
 * ```ts
 * async function giveKeys(wrapper: KeyWrapper) {
 *   // Once; what it answers can be kept anywhere.
 *   const first = await newWrappedKey(wrapper, 'k1');
 *
 *   const provider = keysFromEnvelopes(wrapper, {keys: [first], current: 'k1'});
 *   app.bind(LiveEntitiesBindings.KEY_PROVIDER).to(provider);
 * }
 * ```
 */
export function keysFromEnvelopes(
  wrapper: KeyWrapper,
  source: WrappedKeys | (() => Promise<WrappedKeys>),
): KeyProvider {
  const read = typeof source === 'function' ? source : async () => source;
  const unwrapped = new Map<string, Promise<DataKey>>();
  const open = (key: WrappedKey): Promise<DataKey> => {
    const known = unwrapped.get(key.id);
    if (known) return known;
    const opening = unwrap(wrapper, key);
    unwrapped.set(key.id, opening);
    opening.catch(() => unwrapped.delete(key.id));
    return opening;
  };
  const byId = async (id: string) => {
    const found = (await read()).keys.find(key => key.id === id);
    return found && open(found);
  };
  return {
    byId,
    ids: async () => (await read()).keys.map(({id}) => id),
    current: async () => {
      const {current} = await read();
      const key = await byId(current);
      if (key) return key;
      throw new CryptoConfigurationError(
        'CRYPTO_UNKNOWN_CURRENT_KEY',
        `The current encryption key '${current}' is not among the wrapped ones.`,
      );
    },
  };
}

/** Makes a new data key and has it wrapped. Nothing keeps the key itself. */
export async function newWrappedKey(wrapper: KeyWrapper, id: string): Promise<WrappedKey> {
  const key = randomBytes(KEY_BYTES);
  const wrapped = await wrapper.wrap(key, {keyId: id});
  key.fill(0);
  return {id, wrapped: Buffer.from(wrapped).toString('base64')};
}

async function unwrap(wrapper: KeyWrapper, {id, wrapped}: WrappedKey): Promise<DataKey> {
  try {
    const secret = await wrapper.unwrap(Buffer.from(wrapped, 'base64'), {keyId: id});
    return {id, secret};
  } catch (error) {
    // What a service says of a failure may hold what it was given: only the kind is repeated.
    const {name, code} = (error ?? {}) as {name?: unknown; code?: unknown};
    throw new CryptoConfigurationError(
      'CRYPTO_KEY_UNAVAILABLE',
      `The key service did not unwrap the data key '${id}' (${String(code ?? name)}).`,
    );
  }
}
