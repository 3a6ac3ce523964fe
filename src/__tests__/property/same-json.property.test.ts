import assert from 'node:assert/strict';
import {isDeepStrictEqual} from 'node:util';
import fc from 'fast-check';
import {sameJson} from '../../client/equal';

describe('the comparison of JSON values', () => {
  it('says what a deep comparison says', () => {
    fc.assert(
      fc.property(someJson(), someJson(), (a, b) => {
        assert.equal(sameJson(a, b), isDeepStrictEqual(a, b));
        assert.ok(sameJson(a, structuredClone(a)));
      }),
      {numRuns: 2000},
    );
  });

  it('does not mind the order of properties, nor takes a missing one for an undefined one', () => {
    assert.ok(sameJson({a: 1, b: [2]}, {b: [2], a: 1}));
    assert.ok(!sameJson({a: undefined}, {b: undefined}));
    assert.ok(!sameJson({}, []));
  });
});

/** Small values, so that two of them are often the same. */
function someJson(): fc.Arbitrary<unknown> {
  return fc.letrec<{value: unknown}>(tie => ({
    value: fc.oneof(
      {maxDepth: 3, depthSize: 'small'},
      fc.constantFrom<unknown>(null, true, 0, 1, '', 'a'),
      fc.array(tie('value'), {maxLength: 2}),
      fc.dictionary(fc.constantFrom('a', 'b'), tie('value'), {maxKeys: 2, noNullPrototype: true}),
    ),
  })).value;
}
