import assert from 'node:assert/strict';
import {createLegacyReader, type LegacyAlgorithm} from '../../../mixins/crypto/legacy';

/**
 * Made from this text and from an empty one by `openssl enc -<cipher> -md md5 -nosalt -pass
 * pass:yufy-pass`, which derives key and vector as `createCipher` did.
 */
const VECTORS: [LegacyAlgorithm, text: string, empty: string][] = [
  ['crypto.aes256', '6d86d21d2f1871750345b23053e6dbf2', 'bc45aac97f2655dbd92f0191260c5ca7'],
  ['crypto.aes-256-cbc', '6d86d21d2f1871750345b23053e6dbf2', 'bc45aac97f2655dbd92f0191260c5ca7'],
  ['crypto.aes-256-ctr', '944692dac0175f895bae775e0c5c', ''],
  ['crypto.aes128', 'c7da287357ff156f7b662167a6189a27', 'b8b604833d0a75a7793070245628dcbf'],
  ['crypto.aes192', 'a48c1dd9fc74b24fc5e6c972415722d3', 'fc884ff4a872e60858c473aa8cf43b7f'],
];

describe('legacy reader', () => {
  for (const [algorithm, text, empty] of VECTORS) {
    it(`reads what ${algorithm} stored`, () => {
      const reader = createLegacyReader({algorithm, password: 'yufy-pass'});
      assert.equal(reader.read(text), 'Zoë 4111-1111');
      assert.equal(reader.read(text.toUpperCase()), 'Zoë 4111-1111');
      assert.equal(reader.read(empty), '');
    });

    it(`makes nothing of what ${algorithm} did not store`, () => {
      const reader = createLegacyReader({algorithm, password: 'yufy-pass'});
      const wrong = createLegacyReader({algorithm, password: 'another'});
      for (const other of ['4111-1111', 'abc', 'zz', `${text} `]) {
        assert.equal(reader.read(other), undefined, other);
      }
      assert.equal(wrong.read(text), undefined);
    });
  }

  it('refuses an unknown algorithm or a missing password', () => {
    const code = {code: 'CRYPTO_LEGACY_INCOMPLETE'};
    const unknown = 'crypto.des' as LegacyAlgorithm;
    assert.throws(() => createLegacyReader({algorithm: unknown, password: 'x'}), code);
    const inherited = 'toString' as LegacyAlgorithm;
    assert.throws(() => createLegacyReader({algorithm: inherited, password: 'x'}), code);
    assert.throws(() => createLegacyReader({algorithm: 'crypto.aes128', password: ''}), code);
  });
});
