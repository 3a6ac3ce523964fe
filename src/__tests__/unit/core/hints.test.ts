import assert from 'node:assert/strict';
import {mayMatch} from '../../../core/hints';
import {parseWhere} from '../../../core/filter';
import type {EntityShape, PropertyKind} from '../../../core/shape';

const shape: EntityShape = {
  name: 'Task',
  ids: ['id'],
  properties: {
    id: property('opaque'),
    text: property('opaque'),
    exact: property('collated'),
    rank: property('number'),
    _isDeleted: property('boolean'),
  },
  deletedFlag: '_isDeleted',
};

describe('whether a row may belong to a view', () => {
  it('is certain for numbers and for NULL', () => {
    assert.equal(may({rank: {lte: 3}}, {rank: 4}), false);
    assert.equal(may({rank: {lte: 3}}, {rank: 3}), true);
    assert.equal(may({rank: {lte: 3}}, {rank: null}), false);
    assert.equal(may({rank: null}, {rank: 1}), false);
  });

  it('is certain for plain texts that differ in more than case and blanks at the end', () => {
    assert.equal(may({text: 'abc'}, {text: 'abd'}), false);
    assert.equal(may({text: 'abc'}, {text: 'ABC  '}), true);
    assert.equal(may({text: {inq: ['abc', 'x']}}, {text: 'Y'}), false);
    assert.equal(may({text: {inq: ['abc', 'y']}}, {text: 'Y'}), true);
  });

  it('is open for texts beyond ASCII, of which a collation may say anything', () => {
    assert.equal(may({text: 'straße'}, {text: 'strasse'}), true);
    assert.equal(may({text: 'strasse'}, {text: 'straße'}), true);
  });

  it('is open for patterns and for order', () => {
    assert.equal(may({exact: {like: 'a%'}}, {exact: 'b'}), true);
    assert.equal(may({text: {gt: 'b'}}, {text: 'a'}), true);
  });

  it('is decided by whatever part is certain', () => {
    assert.equal(may({and: [{text: {like: 'a%'}}, {rank: 1}]}, {text: 'a', rank: 2}), false);
    assert.equal(may({or: [{text: 'b'}, {rank: 1}]}, {text: 'a', rank: 2}), false);
    assert.equal(may({or: [{text: 'b'}, {rank: 2}]}, {text: 'a', rank: 2}), true);
  });

  it('is no for a row that is deleted', () => {
    assert.equal(may({rank: 1}, {rank: 1, _isDeleted: true}), false);
  });
});

function may(where: object, values: Readonly<Record<string, unknown>>): boolean {
  const query = {entity: 'Task', condition: parseWhere(where, shape), order: []};
  return mayMatch(query, {key: 'a', values, raw: {}}, shape);
}

function property(kind: PropertyKind) {
  return {kind, hidden: false, encrypted: false};
}
