import assert from 'node:assert/strict';
import {createCipheriv, createDecipheriv, randomBytes} from 'node:crypto';
import {inspect} from 'node:util';
import {
  keysFromEnvelopes,
  newWrappedKey,
  type KeyWrapper,
  type WrappedKeys,
} from '../../../mixins/crypto/envelope-keys';
import {IndexKeys} from '../../../mixins/crypto/index-keys';
import {KeyRing} from '../../../mixins/crypto/keys';

/** What a key management service does, with a master key of its own. */
class KeyService implements KeyWrapper {
  readonly unwrapped: string[] = [];
  away = false;
  private readonly master = randomBytes(32);

  async wrap(key: Uint8Array, {keyId}: {keyId: string}) {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.master, iv).setAAD(Buffer.from(keyId));
    return Buffer.concat([iv, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
  }

  async unwrap(wrapped: Uint8Array, {keyId}: {keyId: string}) {
    if (this.away) throw Object.assign(new Error(`lost ${String(wrapped)}`), {code: 'ETIMEDOUT'});
    this.unwrapped.push(keyId);
    const decipher = createDecipheriv('aes-256-gcm', this.master, wrapped.subarray(0, 12));
    decipher.setAAD(Buffer.from(keyId)).setAuthTag(wrapped.subarray(-16));
    return Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
  }
}

describe('keys from envelopes', () => {
  let service: KeyService;
  let stored: WrappedKeys;

  beforeEach(async () => {
    service = new KeyService();
    const keys = [await newWrappedKey(service, 'k1'), await newWrappedKey(service, 'k2')];
    stored = {keys, current: 'k1'};
  });

  it('are unwrapped once each, and only when they are needed', async () => {
    const ring = new KeyRing(keysFromEnvelopes(service, stored));
    await Promise.all([ring.current(), ring.current(), ring.fetch(['k1'])]);
    assert.deepEqual(service.unwrapped, ['k1']);
    await ring.fetch(['k2', 'gone']);
    assert.deepEqual(service.unwrapped, ['k1', 'k2']);
    assert.equal(ring.atHand('k2')?.secret.export().length, 32);
    assert.equal(ring.atHand('gone'), undefined);
    const ids = (await new IndexKeys(ring).all()).map(({id}) => id);
    assert.deepEqual(ids, ['k1', 'k2']);
  });

  it('can be added and promoted while the application runs', async () => {
    let clock = 0;
    const provider = keysFromEnvelopes(service, async () => stored);
    const ring = new KeyRing(provider, {now: () => clock});
    assert.equal((await ring.current()).id, 'k1');
    stored = {keys: [...stored.keys, await newWrappedKey(service, 'k3')], current: 'k3'};
    assert.equal((await ring.current()).id, 'k1', 'what is at hand is used');
    clock += 5 * 60_000;
    assert.equal((await ring.current()).id, 'k3');
  });

  it('go on encrypting while the service is away', async () => {
    let clock = 0;
    const provider = keysFromEnvelopes(service, async () => {
      if (service.away) throw new Error('the table of keys is away');
      return stored;
    });
    const ring = new KeyRing(provider, {now: () => clock});
    await ring.ready();
    service.away = true;
    clock += 5 * 60_000;
    assert.equal((await ring.current()).id, 'k1');
    await assert.rejects(ring.fetch(['k2']), /away/);
  });

  it('are found missing at start-up, without a word of what was given', async () => {
    service.away = true;
    const secret = stored.keys[0].wrapped;
    await assert.rejects(new KeyRing(keysFromEnvelopes(service, stored)).ready(), error => {
      const shown = inspect(error, {depth: 9, showHidden: true});
      assert.match(shown, /CRYPTO_KEY_UNAVAILABLE/);
      assert.match(shown, /'k1' \(ETIMEDOUT\)/);
      return !shown.includes(secret) && !shown.includes('lost');
    });
    service.away = false;
    await new KeyRing(keysFromEnvelopes(service, stored)).ready();
    const unknown = keysFromEnvelopes(service, {...stored, current: 'k9'});
    await assert.rejects(new KeyRing(unknown).ready(), {code: 'CRYPTO_UNKNOWN_CURRENT_KEY'});
  });

  it('are refused under the id of another', async () => {
    const [{wrapped}] = stored.keys;
    const swapped = {keys: [{id: 'k2', wrapped}], current: 'k2'};
    const ring = new KeyRing(keysFromEnvelopes(service, swapped));
    await assert.rejects(ring.ready(), {code: 'CRYPTO_KEY_UNAVAILABLE'});
  });
});
