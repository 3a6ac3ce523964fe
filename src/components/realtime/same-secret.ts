import {createHash, timingSafeEqual} from 'node:crypto';

/**
 * Whether two secrets are equal, in a time that does not tell how much of them is. For a password
 * that is stored as a hash, compare with that hash's own library instead (`bcrypt`, `argon2`).
 *
 * @example
 * ```ts
 * function mustKnowTheKey(given: unknown) {
 *   if (!sameSecret(given, process.env.API_KEY)) throw new HttpErrors.Unauthorized('No.');
 * }
 * ```
 * @returns false as well when one of them is no text, or the expected one is missing or empty
 */
export function sameSecret(given: unknown, expected: string | undefined): boolean {
  const isSame = timingSafeEqual(digest(given), digest(expected));
  return isSame && typeof given === 'string' && Boolean(expected);
}

function digest(secret: unknown): Buffer {
  return createHash('sha256').update(typeof secret === 'string' ? secret : '').digest();
}
