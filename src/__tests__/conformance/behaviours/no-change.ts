import assert from 'node:assert/strict';
import type {Context} from '@loopback/core';
import {EntityNotFoundError, type Options} from '@loopback/repository';
import {LiveEntitiesBindings} from '../../../keys';
import type {BehaviourName} from '../../../mixins/behaviour';
import {VersionConflictError} from '../../../mixins/errors';
import type {WrittenRow} from '../../../mixins/plan';
import {ALL, givenContext, givenItems, type Item, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';

const DATA = {name: 'one', qty: 1.5, tags: ['x', 'y']};

/** A write that leaves the data as it is leaves everything as it is. */
export function noChangeSuite({dataSource}: BehaviourTarget): void {
  let items: ItemRepository;
  let row: Item;
  let told: string[];
  let historical: boolean;

  const given = async (behaviours: readonly BehaviourName[], context?: Context) => {
    told = [];
    items = await givenItems(dataSource(), behaviours, context);
    await items.createAll([{...DATA, id: 'a'}, {id: 'b', name: 'two'}]);
    row = await items.findById('a');
    told = [];
    historical = behaviours.includes('history');
  };
  const version = (): Options => ('_version' in row ? {version: row._version} : {});
  const nothingHappened = async () => {
    assert.deepEqual((await items.findById('a')).toJSON(), row.toJSON());
    if (historical) assert.deepEqual(await items.findHistory(), []);
  };

  /** Where somebody listens to writes, they answer the rows as well. */
  const listened = givenContext();
  listened.bind(LiveEntitiesBindings.CHANGE_PUBLISHER).to({
    rowsWritten(_: string, rows: readonly WrittenRow[]) {
      told.push(...rows.map(({after}) => String(after?.id)));
    },
  });

  const ones: BehaviourName[][] = [['version'], ['audit'], ['history']];
  const subsets: BehaviourName[][] = [ALL, ...ones, ['audit', 'history']];
  for (const subset of subsets) {
    const writes: Record<string, (data: object) => Promise<unknown>> = {
      updateById: data => items.updateById('a', {...data}, version()),
      replaceById: data => items.replaceById('a', {...DATA, ...data}, version()),
      updateAll: data => items.updateAll(data, {id: 'a'}),
    };
    for (const [name, write] of Object.entries(writes)) {
      it(`${name} with ${subset.join()}`, async () => {
        await given(subset);
        await write(DATA);
        await nothingHappened();
        await given(subset, listened);
        for (const data of [DATA, {name: 'one'}, {qty: 1.5}, {tags: ['x', 'y']}, {secret: null}]) {
          await write(data);
          await nothingHappened();
        }
        assert.deepEqual(told, []);
        for (const data of [{qty: 2}, {qty: null}, {tags: ['y', 'x']}, {name: 'One'}]) {
          await write(data);
          row = await items.findById('a');
        }
        assert.deepEqual(told, ['a', 'a', 'a', 'a']);
        if (subset.includes('history')) assert.equal((await items.history('a')).length, 4);
      });
    }
  }

  it('is a success that says which version the row has', async () => {
    await given(ALL);
    const stamps: object[] = [];
    const onWritten = (stamp: object) => stamps.push(stamp);
    await items.updateById('a', {name: 'one'}, {...version(), onWritten});
    const {_version, _oldVersion, _modifiedBy, _modifiedOn} = row;
    const now = {_version, _oldVersion: _oldVersion ?? undefined, _modifiedBy, _modifiedOn};
    assert.deepEqual(stamps, [now]);
    const entity = await items.findById('a');
    await items.update(entity);
    assert.equal(entity._version, _version);
    await items.save(entity);
    assert.equal(entity._version, _version);
    entity.name = 'changed';
    await items.save(entity);
    const {_version: made} = await items.findById('a');
    assert.equal(entity._version, made);
    await items.updateById('a', {qty: 9}, {version: made, onWritten});
    const after = await items.findById('a');
    assert.deepEqual(stamps[1], {
      _version: after._version,
      _oldVersion: made,
      _modifiedBy: 'system',
      _modifiedOn: after._modifiedOn,
    });
  });

  it('of a stale version or an absent row is refused all the same', async () => {
    await given(ALL);
    const stale = {version: 'stale'};
    await assert.rejects(items.updateById('a', {name: 'one'}, stale), VersionConflictError);
    await assert.rejects(items.replaceById('a', DATA, stale), VersionConflictError);
    await assert.rejects(items.updateById('z', {name: 'one'}, stale), EntityNotFoundError);
    await given(['history']);
    await assert.rejects(items.updateById('z', {name: 'one'}), EntityNotFoundError);
  });

  it('of many rows writes those that change, and counts those that were meant', async () => {
    await given(['version', 'audit', 'history'], listened);
    assert.deepEqual(await items.updateAll({name: 'one'}), {count: 2});
    assert.deepEqual((await items.findHistory()).map(r => r.entity.name), ['two']);
    assert.deepEqual(told, ['b']);
    assert.deepEqual(await items.updateAll({name: 'one'}), {count: 2});
    assert.deepEqual(await items.updateAll({name: 'one'}, {name: 'two'}), {count: 0});
    assert.equal((await items.findHistory()).length, 1);
    assert.deepEqual((await items.findById('a')).toJSON(), row.toJSON());
    for (const behaviours of [['version'], ['audit'], ALL] as BehaviourName[][]) {
      await given(behaviours);
      assert.deepEqual(await items.updateAll({name: 'one'}), {count: 2});
      assert.deepEqual((await items.findById('a')).toJSON(), row.toJSON());
      assert.deepEqual(await items.count({name: 'one'}), {count: 2});
    }
  });

  it('is a change when a new version is asked for', async () => {
    await given(ALL);
    await items.updateById('a', {name: 'one', _newVersion: 'mine'}, version());
    assert.equal((await items.findById('a'))._version, 'mine');
    await items.updateById('a', {name: 'one'}, {version: 'mine', bumpVersion: true});
    assert.equal((await items.findById('a'))._oldVersion, 'mine');
    assert.equal((await items.history('a')).length, 2);
  });

  it('is a change when it encrypts, because nobody can tell two ciphertexts apart', async () => {
    await given(ALL);
    await items.updateById('a', {secret: 's'}, version());
    const {_version} = await items.findById('a');
    await items.updateById('a', {secret: 's'}, {version: _version});
    assert.equal((await items.findById('a'))._oldVersion, _version);
  });

  it('goes back to a state that the row has by changing nothing', async () => {
    await given(['history']);
    await items.updateById('a', {name: 'two'});
    await items.revertTo('a', 1);
    await items.revertTo('a', 1);
    assert.deepEqual((await items.history('a')).map(r => r._operation), ['update', 'revert']);
  });
}
