import assert from 'node:assert/strict';
import {entityTagOf, isNamedBy, versionNamedBy} from '../../../components/rest/preconditions';

describe('preconditions', () => {
  it('make a tag of a version that a header can carry', () => {
    assert.equal(entityTagOf('0c5f-1'), '"0c5f-1"');
    for (const version of [undefined, null, '', 7, 'a"b', 'a b', 'line\nbreak', 'ü']) {
      assert.equal(entityTagOf(version), undefined);
    }
  });

  it('read the version from If-Match', () => {
    assert.equal(versionNamedBy('"v1"'), 'v1');
    assert.equal(versionNamedBy('  "v1" '), 'v1');
    assert.equal(versionNamedBy('*'), undefined);
    assert.equal(versionNamedBy(undefined), undefined);
  });

  it('refuse in If-Match what cannot name one version', () => {
    assert.throws(() => versionNamedBy('W/"v1"'), {statusCode: 412});
    for (const header of ['v1', '"v1', '"v1", "v2"', '', '""v1""']) {
      assert.throws(() => versionNamedBy(header), {statusCode: 400, code: 'INVALID_IF_MATCH'});
    }
  });

  it('compare If-None-Match weakly', () => {
    for (const header of ['"v1"', 'W/"v1"', '"v0", W/"v1"', '*']) {
      assert.equal(isNamedBy(header, '"v1"'), true, header);
    }
    for (const header of [undefined, '', '"v2"', 'v1']) {
      assert.equal(isNamedBy(header, '"v1"'), false, header);
    }
  });
});
