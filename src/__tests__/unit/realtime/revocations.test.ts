import assert from 'node:assert/strict';
import {Revocations} from '../../../components/realtime/revocations';
import {sameSecret} from '../../../components/realtime/same-secret';

describe('revocations', () => {
  it('of a person concern the tokens until then', () => {
    const revocations = new Revocations(() => 1000);
    revocations.revokeUser('ada');
    assert.equal(revocations.has('ada', 'old', {issuedAt: 999}), true);
    assert.equal(revocations.has('ada', 'same time', {issuedAt: 1000}), true);
    assert.equal(revocations.has('ada', 'new', {issuedAt: 1001}), false);
    assert.equal(revocations.has('ben', 'old', {issuedAt: 999}), false);
  });

  it('of a token concern it alone, whatever it says of itself', () => {
    const revocations = new Revocations(() => 1000);
    revocations.revokeToken('opaque');
    assert.equal(revocations.has('ada', 'opaque', {}), true);
    assert.equal(revocations.has('ada', 'other', {}), false);
  });

  it('never come back when memory runs out: older tokens are refused instead', () => {
    let time = 0;
    const revocations = new Revocations(() => time, 3);
    for (time = 1; time <= 10; time++) revocations.revokeUser(`u${time}`);
    for (let i = 1; i <= 10; i++) {
      assert.equal(revocations.has(`u${i}`, 't', {issuedAt: i}), true);
    }
    assert.equal(revocations.has('somebody else', 't', {issuedAt: 7}), true);
    assert.equal(revocations.has('somebody else', 't', {issuedAt: 8}), false);
  });
});

describe('sameSecret', () => {
  it('compares texts, and takes nothing for a secret that is not one', () => {
    assert.equal(sameSecret('key', 'key'), true);
    assert.equal(sameSecret('key', 'kez'), false);
    assert.equal(sameSecret('key', 'longer key'), false);
    for (const given of ['', undefined, null, 5, {}]) {
      for (const expected of ['', undefined]) assert.equal(sameSecret(given, expected), false);
    }
  });
});
