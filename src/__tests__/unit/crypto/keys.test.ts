import assert from 'node:assert/strict';
import {inspect} from 'node:util';
import {cryptoSettings} from '../../../mixins/crypto/config';
import {keysFromEnvironment} from '../../../mixins/crypto/env-keys';
import type {CryptoConfigurationCode} from '../../../mixins/crypto/errors';
import {type DataKey, KeyRing, type KeyProvider} from '../../../mixins/crypto/keys';

describe('key ring', () => {
  it('takes 32 bytes as they are, as hexadecimal and as base64', () => {
    const bytes = Buffer.from(Array.from({length: 32}, (_, i) => 255 - i));
    for (const secret of [
      bytes,
      bytes.toString('hex'),
      bytes.toString('base64'),
      bytes.toString('base64url'),
    ]) {
      const ring = new KeyRing({keys: [{id: 'k1', secret}], current: 'k1'});
      assert.deepEqual(ring.currentAtHand()?.secret.export(), bytes);
    }
  });

  it('derives 32 bytes from a passphrase, other ones for another id', () => {
    const secret = 'correct horse battery staple';
    const keys = ['k1', 'k2'].map(id => ({id, secret}));
    const ring = new KeyRing({keys, current: 'k1'});
    const again = new KeyRing({keys, current: 'k1'});
    const bytes = (of: KeyRing, id: string) => of.atHand(id)?.secret.export().toString('hex');
    assert.equal(bytes(ring, 'k1')?.length, 64);
    assert.equal(bytes(ring, 'k1'), bytes(again, 'k1'));
    assert.notEqual(bytes(ring, 'k1'), bytes(ring, 'k2'));
  });

  const refusals: [string, DataKey[], string, CryptoConfigurationCode][] = [
    ['no keys', [], 'k1', 'CRYPTO_NO_KEYS'],
    ['two keys of one id', [givenKey('k1'), givenKey('k1')], 'k1', 'CRYPTO_DUPLICATE_KEY'],
    ['a current key that is not there', [givenKey('k1')], 'k2', 'CRYPTO_UNKNOWN_CURRENT_KEY'],
    ['a short passphrase', [{id: 'k1', secret: 'secret'}], 'k1', 'CRYPTO_KEY_TOO_SHORT'],
    ['an empty secret', [{id: 'k1', secret: ''}], 'k1', 'CRYPTO_KEY_TOO_SHORT'],
    ['16 bytes', [{id: 'k1', secret: Buffer.alloc(16)}], 'k1', 'CRYPTO_KEY_TOO_SHORT'],
    ['no secret', [{id: 'k1'} as DataKey], 'k1', 'CRYPTO_KEY_TOO_SHORT'],
    ['an id with a dot', [givenKey('k.1')], 'k.1', 'CRYPTO_BAD_KEY_ID'],
    ['an empty id', [givenKey('')], '', 'CRYPTO_BAD_KEY_ID'],
  ];
  for (const [what, keys, current, code] of refusals) {
    it(`refuses ${what} at construction`, () => {
      assert.throws(() => new KeyRing({keys, current}), withCode(code));
    });
  }

  it('shows no secret when it is logged or complains', () => {
    const ring = new KeyRing({keys: [givenKey('k1')], current: 'k1'});
    const shown = inspect(ring, {depth: 9, showHidden: true});
    for (const form of ['utf8', 'hex', 'base64'] as const) {
      assert.ok(!shown.includes(Buffer.alloc(32, 'k1').toString(form)));
    }
    assert.throws(
      () => new KeyRing({keys: [{id: 'k1', secret: 'hunter2'}], current: 'k1'}),
      (error: Error) => !error.message.includes('hunter2'),
    );
  });

  it('asks a provider once for many waiting calls, and again when the time is up', async () => {
    let clock = 0;
    const provider = givenProvider();
    const ring = new KeyRing(provider, {currentTtl: 1000, now: () => clock});
    await Promise.all([ring.current(), ring.current(), ring.ready()]);
    assert.equal(provider.asked.length, 1);
    clock = 999;
    assert.equal(ring.currentAtHand()?.id, 'k1');
    provider.currentId = 'k2';
    clock = 1000;
    assert.equal(ring.currentAtHand(), undefined);
    assert.equal((await ring.current()).id, 'k2');
    assert.equal(ring.atHand('k1')?.id, 'k1', 'the former one stays at hand for reading');
  });

  it('keeps fetched keys, and asks again for those that it did not get', async () => {
    const provider = givenProvider();
    const ring = new KeyRing(provider);
    await ring.fetch(['k1', 'k1', 'gone']);
    assert.equal(ring.atHand('k1')?.id, 'k1');
    assert.equal(ring.atHand('gone'), undefined);
    provider.down = true;
    await assert.rejects(ring.fetch(['k2']), /unreachable/);
    provider.down = false;
    await ring.fetch(['k2', 'gone']);
    assert.equal(ring.atHand('k2')?.id, 'k2');
    assert.deepEqual(provider.asked, ['k1', 'gone', 'k2', 'k2', 'gone']);
  });

  it('finds at start-up that a provider has no key', async () => {
    const empty = {
      current: async () => undefined as unknown as DataKey,
      byId: async () => undefined,
    };
    await assert.rejects(new KeyRing(empty).ready(), withCode('CRYPTO_NO_KEYS'));
  });
});

describe('keys from the environment', () => {
  it('takes the only key for the current one', async () => {
    const env = {CRYPTO_KEY_k1: 'x'.repeat(20), OTHER: 'y'};
    assert.equal((await keysFromEnvironment(env).current()).id, 'k1');
  });

  it('takes the one that is named among several, and knows the others by id', async () => {
    const env = {APP_KEY_a: 'x'.repeat(20), APP_KEY_b: 'y'.repeat(20), APP_CURRENT_KEY: 'b'};
    const provider = keysFromEnvironment(env, 'APP_');
    assert.equal((await provider.current()).id, 'b');
    assert.equal((await provider.byId('a'))?.id, 'a');
    assert.equal(await provider.byId('c'), undefined);
  });

  it('refuses none, several without a choice, and a choice that is not there', async () => {
    const secret = 'x'.repeat(20);
    const none = keysFromEnvironment({});
    const several = keysFromEnvironment({CRYPTO_KEY_a: secret, CRYPTO_KEY_b: secret});
    const absent = keysFromEnvironment({CRYPTO_KEY_a: secret, CRYPTO_CURRENT_KEY: 'b'});
    await assert.rejects(none.current(), withCode('CRYPTO_NO_KEYS'));
    await assert.rejects(several.current(), withCode('CRYPTO_NO_KEYS'));
    await assert.rejects(absent.current(), withCode('CRYPTO_UNKNOWN_CURRENT_KEY'));
  });
});

describe('crypto configuration', () => {
  it('refuses to start without a key, and to write with another cipher', () => {
    const algorithm = 'crypto.aes256' as 'aes-256-gcm';
    assert.throws(() => cryptoSettings({}), withCode('CRYPTO_NO_KEYS'));
    assert.throws(() => cryptoSettings({algorithm}), withCode('CRYPTO_ALGORITHM_UNSUPPORTED'));
  });

  it('throws on failures and reads no plaintext unless told to', () => {
    const settings = cryptoSettings({keys: [givenKey('k1')], current: 'k1'});
    assert.equal(settings.onDecryptFailure, 'throw');
    assert.equal(settings.readPlaintext, false);
    assert.equal(settings.legacy, undefined);
  });
});

function givenKey(id: string): DataKey {
  return {id, secret: Buffer.alloc(32, id || 'x')};
}

function givenProvider() {
  const provider = {
    asked: [] as string[],
    currentId: 'k1',
    down: false,
    async current() {
      provider.asked.push('current');
      return givenKey(provider.currentId);
    },
    async byId(id: string) {
      provider.asked.push(id);
      if (provider.down) throw new Error('The key service is unreachable.');
      return id === 'gone' ? undefined : givenKey(id);
    },
  };
  return provider satisfies KeyProvider;
}

function withCode(code: CryptoConfigurationCode): (error: unknown) => boolean {
  return error => (error as {code?: string}).code === code;
}
