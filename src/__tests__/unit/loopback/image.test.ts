import assert from 'node:assert/strict';
import {imageOf} from '../../../adapters/loopback/image';
import type {EntityShape} from '../../../core/shape';

const SHAPE: EntityShape = {
  name: 'Item',
  ids: ['id'],
  properties: {
    id: {kind: 'text', hidden: false, encrypted: false},
    value: {kind: 'opaque', hidden: false, encrypted: false},
  },
};

describe('the image of a row that a connector has found', () => {
  it('has whole numbers beyond those of JSON as text, wherever they stand', () => {
    assert.equal(valueOf(2n ** 63n), '9223372036854775808');
    assert.deepEqual(valueOf({list: [5n, 5]}), {list: ['5', 5]});
  });

  it('has null for what JSON cannot say', () => {
    const circle: Record<string, unknown> = {};
    circle.itself = circle;
    for (const value of [undefined, null, circle, () => 5, Symbol('hidden')]) {
      assert.equal(valueOf(value), null);
    }
  });

  it('has everything else as JSON has it', () => {
    assert.equal(valueOf(new Date(0)), '1970-01-01T00:00:00.000Z');
    for (const value of ['text', 5.5, true, {a: [1]}]) assert.deepEqual(valueOf(value), value);
  });
});

function valueOf(value: unknown): unknown {
  const image = imageOf({id: 'a', value}, SHAPE);
  assert.doesNotThrow(() => JSON.stringify(image));
  return image.values.value;
}
