import assert from 'node:assert/strict';
import {EntityNotFoundError} from '@loopback/repository';
import {givenItems, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';

export function softDeleteSuite({dataSource, rawRows}: BehaviourTarget): void {
  let items: ItemRepository;

  beforeEach(async () => {
    items = await givenItems(dataSource(), ['softDelete']);
    await items.createAll(['a', 'b', 'c'].map(id => ({id, name: `item ${id}`, qty: 1})));
    await items.deleteById('b', {remoteUser: 'alice'});
  });

  it('marks a deleted row and keeps it', async () => {
    assert.equal((await items.findById('a'))._isDeleted, false);
    const rows = await rawRows(dataSource(), items.entityClass.modelName);
    assert.equal(rows.length, 3);
    const deleted = await items.findById('b', undefined, {withDeleted: true});
    assert.deepEqual([deleted._isDeleted, deleted._deletedBy], [true, 'alice']);
    assert.ok(Date.now() - new Date(deleted._deletedOn!).getTime() < 60_000);
  });

  it('passes deleted rows by in every read', async () => {
    await assert.rejects(items.findById('b'), EntityNotFoundError);
    await assert.rejects(items.findById('b', {fields: ['name']} as never), EntityNotFoundError);
    assert.deepEqual(idsOf(await items.find()), ['a', 'c']);
    assert.deepEqual(await items.find({where: {id: 'b'}, fields: {name: true}}), []);
    assert.equal(await items.findOne({where: {name: 'item b'}}), null);
    assert.equal(await items.exists('b'), false);
    assert.equal(await items.exists('a'), true);
    assert.deepEqual(await items.count(), {count: 2});
    assert.deepEqual(await items.count({id: 'b'}), {count: 0});
  });

  it('keeps the rest of a where that has an or of its own', async () => {
    const where = {qty: 1, or: [{id: 'a'}, {id: 'b'}]};
    assert.deepEqual(idsOf(await items.find({where})), ['a']);
    assert.deepEqual(idsOf(await items.find({where: {...where, qty: 2}})), []);
  });

  it('passes deleted rows by in every write', async () => {
    await assert.rejects(items.updateById('b', {name: 'x'}), EntityNotFoundError);
    await assert.rejects(items.replaceById('b', {name: 'x'}), EntityNotFoundError);
    await assert.rejects(items.deleteById('b'), EntityNotFoundError);
    assert.deepEqual(await items.updateAll({name: 'x'}), {count: 2});
    assert.deepEqual(await items.deleteAll(), {count: 2});
    assert.deepEqual(await items.deleteAll(), {count: 0});
    assert.deepEqual(await items.find(), []);
    const b = await items.findById('b', undefined, {withDeleted: true});
    assert.deepEqual([b.name, b._deletedBy], ['item b', 'alice']);
  });

  it('does not let data mark or unmark a row', async () => {
    await items.updateById('a', {name: 'x', _isDeleted: true});
    await items.replaceById('c', {name: 'x', _isDeleted: true, _deletedBy: 'me'});
    assert.deepEqual(idsOf(await items.find()), ['a', 'c']);
    const created = await items.create({id: 'd', name: 'x', _isDeleted: true});
    assert.equal(created._isDeleted, false);
  });

  it('shows deleted rows to those who ask', async () => {
    assert.deepEqual(idsOf(await items.find({}, {withDeleted: true})), ['a', 'b', 'c']);
    assert.deepEqual(idsOf(await items.find({}, {onlyDeleted: true})), ['b']);
    assert.deepEqual(idsOf(await items.find({}, {fetchDeleted: true})), ['b']);
    assert.deepEqual(await items.count({}, {withDeleted: true}), {count: 3});
    assert.equal(await items.exists('b', {onlyDeleted: true}), true);
    await items.updateById('b', {name: 'y'}, {withDeleted: true});
    assert.equal((await items.findById('b', {}, {onlyDeleted: true})).name, 'y');
  });

  it('restores rows', async () => {
    await items.restoreById('b');
    const b = await items.findById('b');
    const marks = [b._isDeleted, b._deletedBy ?? null, b._deletedOn ?? null];
    assert.deepEqual(marks, [false, null, null]);
    await assert.rejects(items.restoreById('b'), EntityNotFoundError);
    await items.deleteAll();
    assert.deepEqual(await items.restoreAll({id: {inq: ['a', 'b']}}), {count: 2});
    assert.deepEqual(idsOf(await items.find()), ['a', 'b']);
  });

  it('deletes for good when told to', async () => {
    await items.deleteById('a', {hard: true});
    await assert.rejects(items.deleteById('b', {hard: true}), EntityNotFoundError);
    await items.deleteById('b', {hard: true, withDeleted: true});
    const rows = await rawRows(dataSource(), items.entityClass.modelName);
    assert.deepEqual(rows.map(row => row.id), ['c']);
  });

  it('purges rows that were deleted long enough ago', async () => {
    await items.deleteById('a');
    const hourAgo = new Date(Date.now() - 3_600_000);
    assert.deepEqual(await items.purge({}, {olderThan: hourAgo}), {count: 0});
    assert.deepEqual(await items.purge({id: 'a'}), {count: 1});
    const later = new Date(Date.now() + 3_600_000);
    assert.deepEqual(await items.purge({}, {olderThan: later}), {count: 1});
    assert.deepEqual(idsOf(await items.find({}, {withDeleted: true})), ['c']);
  });

  it('purges nothing by an age that says nothing', async () => {
    const odd: unknown[] = [
      {olderThan: undefined}, {olderThan: null}, {olderThan: new Date('x')},
      {olderThan: 'long ago'}, {olderThen: new Date()}, {transaction: undefined}, [], null,
      new Date(),
    ];
    for (const age of odd) {
      const purging = items.purge({}, age as never);
      await assert.rejects(purging, {code: 'INVALID_WHERE', statusCode: 400});
    }
    assert.deepEqual(idsOf(await items.find({}, {onlyDeleted: true})), ['b']);
    assert.deepEqual(await items.purge({}, {}), {count: 1});
  });

  it('takes a row without the mark, from older times, for a live one', async () => {
    await (items.modelClass as never as RawModel).updateAll({id: 'a'}, {_isDeleted: null});
    assert.deepEqual(idsOf(await items.find()), ['a', 'c']);
    await items.deleteById('a');
    assert.deepEqual(idsOf(await items.find()), ['c']);
  });
}

interface RawModel {
  updateAll(where: object, data: object): Promise<unknown>;
}

function idsOf(items: {id: string}[]): string[] {
  return items.map(i => i.id).sort();
}
