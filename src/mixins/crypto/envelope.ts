import {createCipheriv, createDecipheriv, randomFillSync} from 'node:crypto';
import type {DataCipherKey} from './keys';

/**
 * The stored form: `le1.<key id>.<base64url of iv, ciphertext, tag>`. The `1` is the version of
 * this format, to be counted up when anything in this file changes what is stored.
 */
const PREFIX = 'le1.';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const LONGEST_KEY_ID = 64;
const BASE64URL = /^[\w-]+$/;

/** Names a column so that ciphertext found in any other does not authenticate. */
export function columnBinding(entityName: string, propertyName: string): string {
  // JSON keeps the parts apart, from each other and from the id that may follow.
  return JSON.stringify([entityName, propertyName]);
}

/** Names a row of that column. */
export function rowBinding(column: string, id: unknown): string {
  // An id comes as a number or as a string of the same digits, depending on the driver: it counts
  // as text.
  return column + (typeof id === 'object' ? JSON.stringify(id) : asDatabasesSpell(String(id)));
}

/** What PostgreSQL takes for a UUID: in any case, in braces or not, hyphens after every fourth. */
const UUID = /^(?:[0-9a-f]{4}-?){7}[0-9a-f]{4}$|^\{(?:[0-9a-f]{4}-?){7}[0-9a-f]{4}\}$/i;

/** A UUID in any spelling is one row, and comes back in one. */
function asDatabasesSpell(id: string): string {
  if (!UUID.test(id)) return id;
  const digits = id.toLowerCase().replace(/[^0-9a-f]/g, '');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The key id of a value that is in the stored form, undefined for any other text. */
export function sealedKeyId(text: string): string | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const end = text.indexOf('.', PREFIX.length);
  if (end === -1 || end - PREFIX.length > LONGEST_KEY_ID) return undefined;
  const keyId = text.slice(PREFIX.length, end);
  return BASE64URL.test(keyId) ? keyId : undefined;
}

/** Encrypts and authenticates `plain`, with the binding and the key id authenticated too. */
export function seal(key: DataCipherKey, plain: Buffer, binding: string): string {
  const iv = nextIv();
  const cipher = createCipheriv('aes-256-gcm', key.secret, iv, {authTagLength: TAG_BYTES});
  cipher.setAAD(additionalData(key.id, binding));
  const sealed = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return `${PREFIX}${key.id}.${sealed.toString('base64url')}`;
}

/** Opens what {@link seal} made with this key for this binding, or says why it cannot. */
export function open(
  key: DataCipherKey,
  text: string,
  binding: string,
): Buffer | 'malformed' | 'not authentic' {
  const sealed = decodeStrictly(text.slice(PREFIX.length + key.id.length + 1));
  if (!sealed || sealed.length <= IV_BYTES + TAG_BYTES) return 'malformed';
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key.secret, sealed.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(additionalData(key.id, binding));
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plain = decipher.update(sealed.subarray(IV_BYTES, tagAt));
  try {
    decipher.final();
    return plain;
  } catch {
    return 'not authentic';
  }
}

function additionalData(keyId: string, binding: string): Buffer {
  return Buffer.from(`${PREFIX}${keyId}.${binding}`);
}

/** Node ignores characters outside the alphabet and the unused bits of the last one: we do not. */
function decodeStrictly(body: string): Buffer | undefined {
  if (!BASE64URL.test(body)) return undefined;
  const bytes = Buffer.from(body, 'base64url');
  const remainder = bytes.length % 3;
  const tail = bytes.subarray(bytes.length - remainder).toString('base64url');
  return body.length % 4 !== 1 && body.endsWith(tail) ? bytes : undefined;
}

// One call into the random generator costs as much as a short encryption, so it fills many at once.
const ivPool = Buffer.alloc(IV_BYTES * 512);
let ivAt = ivPool.length;

function nextIv(): Buffer {
  if (ivAt === ivPool.length) {
    randomFillSync(ivPool);
    ivAt = 0;
  }
  const iv = Buffer.from(ivPool.subarray(ivAt, ivAt + IV_BYTES));
  ivAt += IV_BYTES;
  return iv;
}
