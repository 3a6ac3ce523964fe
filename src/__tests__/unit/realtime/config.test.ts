import assert from 'node:assert/strict';
import {resolveConfig} from '../../../components/realtime/config';

describe('the configuration of the live side', () => {
  it('has a default for every limit, and what is undefined counts as left out', () => {
    const {limits, filterTimeout} = resolveConfig({limits: {depth: undefined, offset: 5}});
    assert.equal(limits.depth, 32);
    assert.equal(limits.offset, 5);
    assert.equal(limits.connectionsPerAddress, Infinity);
    assert.equal(limits.loginAttempts, 10);
    assert.equal(filterTimeout, 5000);
  });

  const wrong = [
    {limits: {depth: 0}}, {limits: {windows: -1}}, {limits: {loginAttempts: Number.NaN}},
    {filterTimeout: 0}, {maxPageSize: 0}, {defaultPageSize: 20, maxPageSize: 10},
    {cacheDuration: -1},
  ];
  for (const config of wrong) {
    it(`cannot be ${JSON.stringify(config)}`, () => {
      assert.throws(() => resolveConfig(config), /realtime: /);
    });
  }
});
