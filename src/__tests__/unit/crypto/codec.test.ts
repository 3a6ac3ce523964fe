import assert from 'node:assert/strict';
import {
  createPropertyCodec,
  MASK,
  type PlainRow,
  type PropertyCodec,
  type PropertyCodecOptions,
} from '../../../mixins/crypto/codec';
import {DecryptionError, EncryptionError} from '../../../mixins/crypto/errors';
import {type DataKey, KeyRing} from '../../../mixins/crypto/keys';
import {createLegacyReader} from '../../../mixins/crypto/legacy';

describe('property codec', () => {
  it('encrypts only the encrypted properties and gives them back as they were', () => {
    const codec = givenCodec();
    const row = {id: '7', name: 'Ann', cardNo: '4111 1111'};
    const stored = now(codec.encrypt(row, {id: '7'}));
    assert.equal(stored.name, 'Ann');
    assert.match(String(stored.cardNo), /^le1\.k1\.[\w-]+$/);
    assert.ok(!JSON.stringify(stored).includes('4111'));
    assert.deepEqual(now(codec.decrypt(stored, {id: '7'})), row);
    assert.equal(row.cardNo, '4111 1111', 'the given row is left alone');
  });

  it('answers the row itself when there is nothing to do', () => {
    const codec = givenCodec();
    for (const row of [{name: 'Ann'}, {cardNo: null}, {cardNo: undefined}]) {
      assert.equal(codec.encrypt(row, {}), row);
      assert.equal(codec.decrypt(row, {}), row);
    }
  });

  it('encrypts the empty string', () => {
    const codec = givenCodec();
    const stored = now(codec.encrypt({cardNo: ''}, {id: 1}));
    assert.match(String(stored.cardNo), /^le1\./);
    assert.equal(now(codec.decrypt(stored, {id: 1})).cardNo, '');
  });

  it('never makes the same ciphertext twice', () => {
    const codec = givenCodec();
    const row = {cardNo: 'x'};
    const made = Array.from({length: 2000}, () => now(codec.encrypt(row, {id: 1})).cardNo);
    assert.equal(new Set(made).size, 2000);
  });

  it('makes 60 characters of 16 bytes and a short header', () => {
    const stored = now(givenCodec().encrypt({cardNo: '4111111111111111'}, {id: 1}));
    assert.equal(String(stored.cardNo).length, 'le1.k1.'.length + 60);
  });

  it('takes an id for the same whether it comes as a number or as text', () => {
    const codec = givenCodec();
    const stored = now(codec.encrypt({cardNo: 'x'}, {id: 7}));
    assert.equal(now(codec.decrypt(stored, {id: '7'})).cardNo, 'x');
  });

  it('gives a date that came as text back as a Date', () => {
    const codec = givenCodec();
    const stored = now(codec.encrypt({born: '1999-12-31T00:00:00.000Z'}, {id: 1}));
    const {born} = now(codec.decrypt(stored, {id: 1}));
    assert.deepEqual(born, new Date('1999-12-31T00:00:00.000Z'));
  });

  describe('refuses to encrypt', () => {
    it('ciphertext, even that of another row', () => {
      const codec = givenCodec();
      const stored = now(codec.encrypt({cardNo: 'x'}, {id: 1}));
      assert.throws(() => codec.encrypt(stored, {id: 1}), withCode('ALREADY_ENCRYPTED'));
      assert.throws(() => codec.encrypt(stored, {id: 2}), withCode('ALREADY_ENCRYPTED'));
    });

    it('the mask of a secret that could not be read', () => {
      const masking = givenCodec({onDecryptFailure: 'mask'});
      assert.throws(() => masking.encrypt({cardNo: MASK}, {id: 1}), withCode('MASKED_VALUE'));
      assert.doesNotThrow(() => givenCodec().encrypt({cardNo: MASK}, {id: 1}));
    });

    it('without the id that the ciphertext is bound to', () => {
      const codec = givenCodec();
      assert.throws(() => codec.encrypt({cardNo: 'x'}, {}), withCode('ENCRYPTION_NEEDS_ID'));
      assert.doesNotThrow(() => givenCodec({bindId: false}).encrypt({cardNo: 'x'}, {}));
    });

    it('what JSON cannot hold', () => {
      const cyclic: PlainRow = {};
      cyclic.self = cyclic;
      for (const value of [() => 1, Symbol('s'), 10n, cyclic, {deep: 1n}]) {
        assert.throws(
          () => givenCodec().encrypt({cardNo: value}, {id: 1}),
          withCode('VALUE_NOT_ENCRYPTABLE'),
        );
      }
    });
  });

  describe('refuses to decrypt', () => {
    it('what was moved to another row, property or model', () => {
      const codec = givenCodec();
      const stored = now(codec.encrypt({cardNo: 'x'}, {id: 1}));
      const refusal = withReason('not authentic');
      assert.throws(() => codec.decrypt(stored, {id: 2}), refusal);
      assert.throws(() => codec.decrypt({iban: stored.cardNo}, {id: 1}), refusal);
      assert.throws(() => givenCodec({entityName: 'Refund'}).decrypt(stored, {id: 1}), refusal);
      assert.throws(() => givenCodec({bindId: false}).decrypt(stored, {id: 1}), refusal);
    });

    it('what another key of the same id made, or a key that is gone', () => {
      const stored = now(givenCodec().encrypt({cardNo: 'x'}, {id: 1}));
      const other = givenCodec({keys: givenKeys([{id: 'k1', secret: 'another passphrase'}])});
      const without = givenCodec({keys: givenKeys([givenKey('k2')])});
      assert.throws(() => other.decrypt(stored, {id: 1}), withReason('not authentic'));
      assert.throws(() => without.decrypt(stored, {id: 1}), withReason('unknown key'));
    });

    it('a damaged header or body', () => {
      const codec = givenCodec();
      const stored = String(now(codec.encrypt({cardNo: 'abc'}, {id: 1})).cardNo);
      for (const bad of ['le1.k1.', 'le1.k1.AAAA', `${stored}A`, `${stored}=`, ` ${stored}`]) {
        assert.throws(() => codec.decrypt({cardNo: bad}, {id: 1}), DecryptionError, bad);
      }
    });

    it('plaintext, unless it is told that there still is some', () => {
      const reading = givenCodec({readPlaintext: true});
      for (const cardNo of ['4111', '', 4111]) {
        const refusal = withReason('not ciphertext');
        assert.throws(() => givenCodec().decrypt({cardNo}, {id: 1}), refusal);
      }
      assert.equal(now(reading.decrypt({cardNo: '4111'}, {id: 1})).cardNo, '4111');
      assert.equal(now(reading.decrypt({cardNo: 4111}, {id: 1})).cardNo, 4111);
    });

    it('and says neither plaintext, nor ciphertext, nor key', () => {
      const codec = givenCodec();
      const stored = String(now(codec.encrypt({cardNo: '4111'}, {id: 1})).cardNo);
      const error = failureOf(() => codec.decrypt({cardNo: stored}, {id: 2}));
      const said = `${error.message} ${JSON.stringify(error)} ${error.stack}`;
      assert.equal(error.code, 'DECRYPTION_FAILED');
      assert.equal(error.statusCode, 500);
      for (const secret of ['4111', stored.slice(7), SECRET]) assert.ok(!said.includes(secret));
    });
  });

  it('answers a mask instead where that is asked for, and reports the failure', () => {
    const reported: DecryptionError[] = [];
    const codec = givenCodec({
      onDecryptFailure: 'mask',
      reportFailure: error => reported.push(error),
    });
    const row = {id: '1', cardNo: 'nonsense', iban: null};
    assert.deepEqual(now(codec.decrypt(row, {id: '1'})), {...row, cardNo: '**********'});
    assert.deepEqual(reported.map(e => e.propertyName), ['cardNo']);
  });

  it('reads what older keys wrote and writes with the current one', () => {
    const before = givenCodec();
    const after = givenCodec({keys: givenKeys([givenKey('k1'), givenKey('k2')], 'k2')});
    const old = now(before.encrypt({cardNo: 'x'}, {id: 1}));
    assert.equal(now(after.decrypt(old, {id: 1})).cardNo, 'x');
    assert.match(String(now(after.encrypt({cardNo: 'x'}, {id: 1})).cardNo), /^le1\.k2\./);
  });

  it('reads what the predecessor stored, beside its own and beside plaintext', () => {
    const legacy = createLegacyReader({algorithm: 'crypto.aes-256-cbc', password: 'yufy-pass'});
    const codec = givenCodec({legacy});
    const both = givenCodec({legacy, readPlaintext: true});
    const row = {cardNo: '6d86d21d2f1871750345b23053e6dbf2'};
    assert.equal(now(codec.decrypt(row, {id: 1})).cardNo, 'Zoë 4111-1111');
    assert.throws(() => codec.decrypt({cardNo: 'plain'}, {id: 1}), withReason('legacy unreadable'));
    assert.equal(now(both.decrypt({cardNo: 'plain'}, {id: 1})).cardNo, 'plain');
    const own = now(codec.encrypt({cardNo: 'x'}, {id: 1}));
    assert.equal(now(codec.decrypt(own, {id: 1})).cardNo, 'x');
  });

  it('waits for a key only when it has to be fetched', async () => {
    const keys = new KeyRing({
      current: async () => givenKey('k1'),
      byId: async id => (id === 'k1' ? givenKey('k1') : undefined),
    });
    const codec = givenCodec({keys});
    const first = codec.encrypt({cardNo: 'x'}, {id: 1});
    assert.ok(first instanceof Promise);
    const stored = await first;
    assert.ok(!(codec.encrypt({cardNo: 'y'}, {id: 1}) instanceof Promise));
    assert.ok(!(codec.decrypt(stored, {id: 1}) instanceof Promise));
    const unknown = {cardNo: String(stored.cardNo).replace('.k1.', '.k9.')};
    await assert.rejects(async () => codec.decrypt(unknown, {id: 1}), withReason('unknown key'));
  });
});

const SECRET = 'a passphrase of some length';

function givenKey(id: string): DataKey {
  return {id, secret: Buffer.alloc(32, id)};
}

function givenKeys(keys: DataKey[] = [givenKey('k1')], current = keys[0].id): KeyRing {
  return new KeyRing({keys, current});
}

function givenCodec(options: Partial<PropertyCodecOptions> = {}): PropertyCodec {
  return createPropertyCodec({
    entityName: 'CardPayment',
    properties: {
      cardNo: {encrypt: true, type: 'string'},
      iban: {encrypt: true, type: 'string'},
      born: {encrypt: true, type: Date},
    },
    keys: givenKeys(),
    bindId: true,
    ...options,
  });
}

function now(row: PlainRow | Promise<PlainRow>): PlainRow {
  assert.ok(!(row instanceof Promise), 'answered at once');
  return row;
}

function failureOf(run: () => unknown): DecryptionError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof DecryptionError);
    return error;
  }
  throw new Error('It did not fail.');
}

function withCode(code: string): (error: unknown) => boolean {
  return error => (error as EncryptionError).code === code;
}

function withReason(reason: string): (error: unknown) => boolean {
  return error => error instanceof DecryptionError && error.reason === reason;
}
