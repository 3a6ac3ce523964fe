import type {DataKey, KeyProvider} from './keys';
import {CryptoConfigurationError} from './errors';

/**
 * Reads keys from environment variables: `<prefix>KEY_<id>` holds the secret of a key, and
 * `<prefix>CURRENT_KEY` the id of the one that encrypts. With a single key the latter may be left
 * out.
 *
 * @param env Where to look. Default `process.env`.
 * @param prefix Default `CRYPTO_`.
 * @example
 * ```ts
 * // CRYPTO_KEY_k1=…  CRYPTO_KEY_k2=…  CRYPTO_CURRENT_KEY=k2
 * app.bind(LiveEntitiesBindings.KEY_PROVIDER).to(keysFromEnvironment());
 * ```
 */
export function keysFromEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
  prefix = 'CRYPTO_',
): KeyProvider {
  const keyOf = (id: string): DataKey | undefined => {
    const secret = env[`${prefix}KEY_${id}`];
    return secret ? {id, secret} : undefined;
  };
  return {
    byId: async id => keyOf(id),
    ids: async () => idsIn(env, `${prefix}KEY_`),
    current: async () => {
      const id = env[`${prefix}CURRENT_KEY`] ?? onlyId(env, `${prefix}KEY_`);
      const key = keyOf(id);
      if (key) return key;
      throw new CryptoConfigurationError(
        'CRYPTO_UNKNOWN_CURRENT_KEY',
        `${prefix}CURRENT_KEY names the key '${id}', but ${prefix}KEY_${id} is not set.`,
      );
    },
  };
}

function onlyId(env: Readonly<Record<string, string | undefined>>, prefix: string): string {
  const ids = idsIn(env, prefix);
  if (ids.length === 1) return ids[0];
  throw new CryptoConfigurationError(
    'CRYPTO_NO_KEYS',
    ids.length === 0
      ? `No environment variable ${prefix}<id> holds an encryption key.`
      : `Several encryption keys are in the environment (${ids.join(', ')}): say which one is ` +
          `current.`,
  );
}

function idsIn(env: Readonly<Record<string, string | undefined>>, prefix: string): string[] {
  return Object.keys(env)
    .filter(name => name.startsWith(prefix) && env[name])
    .map(name => name.slice(prefix.length));
}
