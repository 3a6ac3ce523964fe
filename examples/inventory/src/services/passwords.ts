import {compare, hash} from 'bcryptjs';

const COST = 10;
const BCRYPT_HASH = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;

/** The bcrypt hash of a password; a hash stays what it is, so that a user can be saved again. */
export async function hashed(password: string): Promise<string> {
  return BCRYPT_HASH.test(password) ? password : hash(password, COST);
}

/** Compared when there is no such user, so that the answer takes as long as for one there is. */
const NOBODY = hash('nobody has this password', COST);

export async function passwordMatches(given: string, stored: string | undefined): Promise<boolean> {
  const matches = await compare(given, stored ?? (await NOBODY));
  return matches && stored !== undefined;
}
