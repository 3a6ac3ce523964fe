import assert from 'node:assert/strict';
import {entityTagOf, guarded, ifMatchIn, isNamedBy} from '../../../components/rest/preconditions';
import {VersionConflictError} from '../../../mixins/errors';

describe('preconditions', () => {
  it('make a tag of a version that a header can carry', () => {
    assert.equal(entityTagOf('0c5f-1'), '"0c5f-1"');
    for (const version of [undefined, null, '', 7, 'a"b', 'a b', 'line\nbreak', 'ü']) {
      assert.equal(entityTagOf(version), undefined);
    }
  });

  it('read from If-Match the versions of which one has to be the current one', () => {
    assert.deepEqual(ifMatchIn('"v1"'), ['v1']);
    assert.deepEqual(ifMatchIn('  "v1" '), ['v1']);
    assert.deepEqual(ifMatchIn('"v1", "v2","v1"'), ['v1', 'v2']);
    assert.deepEqual(ifMatchIn(', "v1",, "v,2" ,'), ['v1', 'v,2']);
    assert.equal(ifMatchIn(' * '), '*');
    assert.equal(ifMatchIn(undefined), undefined);
  });

  it('compare If-Match strongly: a weak tag names nothing', () => {
    assert.deepEqual(ifMatchIn('W/"v1"'), []);
    assert.deepEqual(ifMatchIn('W/"v1", "v2"'), ['v2']);
  });

  it('refuse in If-Match what is no list of entity tags', () => {
    const odd = ['v1', '"v1', '"v1" "v2"', '', ',', '""v1""', '*, "v1"', 'w/"v1"', 'W/*', '"a b"'];
    for (const header of odd) {
      const refused = {statusCode: 400, code: 'INVALID_IF_MATCH'};
      assert.throws(() => ifMatchIn(header), refused, header);
    }
  });

  it('try the versions of a list in the write, also when the row moves on meanwhile', async () => {
    const versions = ['b', 'c'];
    const tried: unknown[] = [];
    const write = async (version: string | null | undefined) => {
      tried.push(version);
      const [current = 'c'] = versions.splice(0, 1);
      if (version !== current) throw new VersionConflictError('Row', 1, version!, current);
      return 'written';
    };
    const find = () => Promise.reject(new Error('nothing is read'));
    assert.equal(await guarded({ifMatch: ['a', 'c', 'b'], write, find}), 'written');
    assert.deepEqual(tried, ['a', 'b', 'c']);
    await assert.rejects(guarded({ifMatch: ['a', 'b'], write, find}), {
      code: 'VERSION_CONFLICT',
      statusCode: 412,
    });
  });

  it('compare If-None-Match weakly', () => {
    for (const header of ['"v1"', 'W/"v1"', '"v0", W/"v1"', '*']) {
      assert.equal(isNamedBy(header, '"v1"'), true, header);
    }
    for (const header of [undefined, '', '"v2"', 'v1', '"v0,"v1"', '"v1" "v1"']) {
      assert.equal(isNamedBy(header, '"v1"'), false, header);
    }
  });
});
