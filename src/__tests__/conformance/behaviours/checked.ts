import assert from 'node:assert/strict';
import {VersionConflictError, VersionRequiredError} from '../../../mixins/errors';
import {ALL, givenItems, type Item, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';

/** Writes of many rows that name each row's version: all or nothing. */
export function checkedSuite({dataSource, transactions}: BehaviourTarget): void {
  let items: ItemRepository;
  let versions: Item[];

  beforeEach(async () => {
    items = await givenItems(dataSource(), ALL);
    versions = await items.createAll(['a', 'b', 'c'].map(id => ({id, name: id, qty: 1})));
  });

  it('changes the rows that are as they were read', async () => {
    const two = versions.slice(0, 2);
    assert.deepEqual(await items.updateAll({qty: 2}, {}, {versions: two}), {count: 2});
    const now = await items.find({order: ['id ASC']});
    assert.deepEqual(now.map(i => i.qty), [2, 2, 1]);
    assert.deepEqual(now.map(i => i._oldVersion ?? null), [...two.map(i => i._version), null]);
    assert.equal(new Set(now.map(i => i._version)).size, 3);
    assert.equal((await items.findHistory()).length, 2);
  });

  it('changes none when one of them has changed, and says which', async () => {
    await items.updateById('b', {qty: 7}, {version: versions[1]._version});
    const {_version: actual} = await items.findById('b');
    for (const write of [
      () => items.updateAll({qty: 2}, {}, {versions}),
      () => items.deleteAll({}, {versions}),
      () => items.deleteAll({}, {versions, hard: true}),
    ]) {
      await assert.rejects(write(), (error: VersionConflictError) => {
        assert.ok(error instanceof VersionConflictError, String(error));
        const conflict = {entityId: 'b', expected: versions[1]._version, actual};
        assert.deepEqual(error.conflicts, [conflict]);
        assert.deepEqual(error.details, {
          entityName: items.entityClass.modelName,
          ...conflict,
          conflicts: [conflict],
        });
        return true;
      });
    }
    assert.deepEqual((await items.find({order: ['id ASC']})).map(i => i.qty), [1, 7, 1]);
    assert.equal((await items.findHistory()).length, 1);
  });

  it('takes a row that has gone for one that has changed', async () => {
    await items.deleteById('c', {version: versions[2]._version});
    const gone = {entityId: 'c', expected: versions[2]._version, actual: null};
    await assert.rejects(items.updateAll({qty: 2}, {}, {versions}), {conflicts: [gone]});
    assert.deepEqual(await items.count({qty: 1}), {count: 2});
  });

  it('tells a deleted row that has changed from one that has gone', async () => {
    await items.deleteAll();
    const deleted = await items.find({order: ['id ASC']}, {onlyDeleted: true});
    await items.updateById('b', {qty: 7}, {version: deleted[1]._version, withDeleted: true});
    await items.restoreById('c');
    const now = await items.find({order: ['id ASC']}, {withDeleted: true});
    const named = [...deleted, {id: 'never', _version: 'v'}];
    const conflicts = [
      {entityId: 'b', expected: deleted[1]._version, actual: now[1]._version},
      {entityId: 'c', expected: deleted[2]._version, actual: now[2]._version},
      {entityId: 'never', expected: 'v', actual: null},
    ];
    for (const write of [
      () => items.restoreAll({}, {versions: named}),
      () => items.purge({}, {}, {versions: named}),
    ]) {
      await assert.rejects(write(), {code: 'VERSION_CONFLICT', conflicts});
    }
    assert.deepEqual(await items.find({order: ['id ASC']}, {withDeleted: true}), now);
    assert.deepEqual(await items.restoreAll({}, {versions: [now[0], now[1]]}), {count: 2});
  });

  it('sees of the rows that it names those that the caller may', async () => {
    await items.deleteById('b', {version: versions[1]._version});
    const b = await items.findById('b', {}, {withDeleted: true});
    const refusedWith = (actual: unknown, options: object) =>
      assert.rejects(items.updateAll({qty: 2}, {}, {...options, versions: [versions[1]]}), {
        conflicts: [{entityId: 'b', expected: versions[1]._version, actual}],
      });
    await refusedWith(null, {});
    await refusedWith(b._version, {withDeleted: true});
  });

  it('names every conflict of a crowd of rows', async () => {
    const crowd = Array.from({length: 2500}, (_, i) => ({id: `x${i}`, _version: 'v'}));
    const write = items.updateAll({qty: 2}, {}, {versions: [...crowd, ...versions]});
    await assert.rejects(write, (error: VersionConflictError) => {
      assert.equal(error.conflicts!.length, 2500);
      return true;
    });
  });

  it('does not pass by a row for which the where does not hold', async () => {
    const where = {name: {neq: 'b'}};
    await assert.rejects(items.updateAll({qty: 2}, where, {versions}), VersionConflictError);
    assert.deepEqual(await items.updateAll({qty: 2}, {name: {neq: 'x'}}, {versions}), {count: 3});
  });

  it('deletes the rows that are as they were read', async () => {
    assert.deepEqual(await items.deleteAll({}, {versions: [versions[0]]}), {count: 1});
    assert.deepEqual(await items.deleteAll({}, {versions: [versions[1]], hard: true}), {count: 1});
    assert.deepEqual((await items.find()).map(i => i.id), ['c']);
    assert.equal((await items.findHistory()).length, 2);
  });

  it('names what it is told wrongly', async () => {
    const write = (rows: object[]) => items.updateAll({qty: 2}, {}, {versions: rows});
    await assert.rejects(write([{id: 'a'}]), VersionRequiredError);
    await assert.rejects(write([{id: 'a', _version: {neq: ''}}]), VersionRequiredError);
    await assert.rejects(write([{id: {neq: ''}, _version: 'x'}]), {code: 'INVALID_WHERE'});
    for (const lost of [undefined, null, {}, 'a', [null], ['a'], [undefined]]) {
      const all = items.updateAll({qty: 2}, {}, {versions: lost as never});
      await assert.rejects(all, {code: 'INVALID_WHERE'});
    }
    assert.deepEqual(await items.count({qty: 2}), {count: 0});
    const twice = [versions[0], {id: 'a', _version: 'other'}];
    await assert.rejects(write(twice), {code: 'INVALID_WHERE'});
    assert.deepEqual(await write([]), {count: 0});
    assert.deepEqual(await write([versions[0], versions[0]]), {count: 1});
    const plain = await givenItems(dataSource(), ['audit']);
    const unversioned = plain.updateAll({qty: 2}, {}, {versions});
    await assert.rejects(unversioned, {code: 'BEHAVIOUR_MISSING'});
  });

  it('leaves alone the rows that have the values already', async () => {
    await items.updateById('a', {qty: 2}, {version: versions[0]._version});
    const now = await items.find({order: ['id ASC']});
    assert.deepEqual(await items.updateAll({qty: 2}, {}, {versions: now}), {count: 3});
    assert.equal((await items.findById('a'))._version, now[0]._version);
    assert.equal((await items.findHistory()).length, 3);
  });

  it('takes null for the version of rows from before they were versioned', async () => {
    await (items.modelClass as never as RawModel).updateAll({id: 'a'}, {_version: null});
    const [old] = await items.find({where: {id: 'a'}});
    const named = [{id: 'a', _version: old._version ?? null}];
    assert.deepEqual(await items.updateAll({qty: 2}, {}, {versions: named}), {count: 1});
    await assert.rejects(items.updateAll({qty: 3}, {}, {versions: named}), VersionConflictError);
  });

  if (transactions) {
    it('of several with the same versions one succeeds, wholly', async () => {
      const results = await Promise.allSettled(
        Array.from({length: 8}, (_, i) => items.updateAll({qty: 10 + i}, {}, {versions})),
      );
      assert.equal(results.filter(r => r.status === 'fulfilled').length, 1);
      const now = await items.find();
      assert.equal(new Set(now.map(i => i.qty)).size, 1);
      assert.equal((await items.findHistory()).length, 3);
    });
  }

  it('creates rows whose versions the caller names', async () => {
    const rows = ['x', 'y'].map(id => ({id, name: id, _newVersion: `${id}-1`}));
    const created = await items.createAll(rows);
    assert.deepEqual(created.map(i => i._version), ['x-1', 'y-1']);
    const stored = await items.find({where: {id: {inq: ['x', 'y']}}, order: ['id ASC']});
    assert.deepEqual(stored.map(i => i._version), ['x-1', 'y-1']);
  });
}

interface RawModel {
  updateAll(where: object, data: object): Promise<unknown>;
}
