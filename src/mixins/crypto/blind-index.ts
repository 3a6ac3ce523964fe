import {createHmac, createSecretKey, hkdfSync, type KeyObject} from 'node:crypto';
import type {DataCipherKey} from './keys';
import type {SearchableProperty} from './searchable';
import {toStoredForm, valueToBytes} from './values';

const KEY_BYTES = 32;

/**
 * The blind index of one property: a keyed hash that is equal for equal values, and says nothing of
 * them to who lacks the key. `<key id>.<base64url of HMAC-SHA-256>`.
 *
 * Its key is derived from a data key for this model and property, so that neither equal values of
 * two columns can be told, nor does the index help to attack the encryption. What it does tell, to
 * who can read the table: which rows have the same value.
 */
export class BlindIndex {
  private readonly derived = new WeakMap<KeyObject, KeyObject>();
  private readonly info: string;

  constructor(
    entityName: string,
    private readonly property: SearchableProperty,
    private readonly type: unknown,
  ) {
    this.info = JSON.stringify(['loopback4-live-entities index', entityName, property.property]);
  }

  /** The index of a value that is there (null has none). */
  of(value: unknown, key: DataCipherKey): string {
    const normal = this.property.normalize(toStoredForm(value, this.type));
    // IEEE has two zeros, which are equal.
    const bytes = valueToBytes(normal === 0 ? 0 : normal) as Buffer;
    const hash = createHmac('sha256', this.keyFrom(key)).update(bytes).digest('base64url');
    return `${key.id}.${hash}`;
  }

  private keyFrom({secret}: DataCipherKey): KeyObject {
    let key = this.derived.get(secret);
    if (!key) {
      const bytes = Buffer.from(hkdfSync('sha256', secret, '', this.info, KEY_BYTES));
      this.derived.set(secret, (key = createSecretKey(bytes)));
    }
    return key;
  }
}
