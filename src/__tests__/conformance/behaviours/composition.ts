import assert from 'node:assert/strict';
import {EntityNotFoundError} from '@loopback/repository';
import type {BehaviourName} from '../../../mixins/behaviour';
import {VersionConflictError} from '../../../mixins/errors';
import {ALL, givenItems, subsetsOf, type Item, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';
import {stepsSuite} from './steps';

const OWN: Record<BehaviourName, string[]> = {
  version: ['_version', '_oldVersion'],
  audit: ['_type', '_createdBy', '_createdOn', '_modifiedBy', '_modifiedOn'],
  softDelete: ['_isDeleted', '_deletedBy', '_deletedOn'],
  history: [],
  crypto: [],
};

export function compositionSuite({dataSource, crowd, rawRows}: BehaviourTarget): void {
  it('any subset works, and adds only its own properties', async () => {
    for (const subset of subsetsOf(ALL)) {
      const items = await givenItems(dataSource(), subset);
      const lived = await life(items, subset);
      const expected = ['id', 'name', 'qty', 'secret', 'tags', ...subset.flatMap(b => OWN[b])];
      const extra = lived.properties.filter(p => !expected.includes(p));
      assert.deepEqual(extra, [], subset.join());
      assert.equal(lived.revisions, subset.includes('history') ? 3 : undefined, subset.join());
      assert.equal(lived.kept, subset.includes('softDelete') ? 1 : 0, subset.join());
    }
  });

  it('the order of the decorators changes nothing, and twice is once', async () => {
    const some = sampleOf(permutationsOf(ALL), 10);
    const orders = [ALL, [...ALL].reverse(), ...some, [...ALL, ...ALL]];
    const lives: object[] = [];
    for (const order of orders) {
      lives.push(await life(await givenItems(dataSource(), order), order));
    }
    lives.forEach((lived, i) => assert.deepEqual(lived, lives[0], orders[i].join()));
  });

  it('checks the version of a delete, which deletes nothing when stale', async () => {
    const items = await givenItems(dataSource(), ALL);
    await items.create({id: 'a', name: 'one'});
    await assert.rejects(items.deleteById('a', {version: 'stale'}), VersionConflictError);
    assert.equal(await items.exists('a'), true);
    assert.deepEqual(await items.history('a'), []);
  });

  it('keeps one state per live row of a bulk delete, none of rows deleted before', async () => {
    const items = await givenItems(dataSource(), ALL);
    await items.createAll([{id: 'a', name: 'one'}, {id: 'b', name: 'two'}]);
    assert.deepEqual(await items.deleteAll(), {count: 2});
    assert.deepEqual(await items.deleteAll(), {count: 0});
    assert.equal((await items.findHistory()).length, 2);
    const deleted = await items.find({}, {onlyDeleted: true});
    assert.equal(new Set(deleted.map(i => i._version)).size, 2);
  });

  it('answers the same row the same, however it is asked for', async () => {
    const items = await givenItems(dataSource(), ALL);
    await items.create({id: 'a', name: 'one', qty: 1.5, secret: 's', tags: ['x', 'y']});
    const [found] = await items.find({where: {id: 'a'}});
    const [byId, one] = [await items.findById('a'), await items.findOne()];
    for (const item of [byId, one]) assert.deepEqual({...item}, {...found});
    assert.ok(byId instanceof items.entityClass && byId._createdOn instanceof Date);
  });

  it('stamps before it keeps', async () => {
    const items = await givenItems(dataSource(), ALL);
    const {_version} = await items.create({id: 'a', name: 'one'}, {remoteUser: 'alice'});
    await items.updateById('a', {name: 'two', _version}, {remoteUser: 'bob'});
    const [state] = await items.history('a');
    const now = await items.findById('a');
    assert.deepEqual([state.entity._modifiedBy, state._by], ['alice', 'bob']);
    assert.deepEqual([now._createdBy, now._modifiedBy], ['alice', 'bob']);
    assert.equal(state.entity._version, _version);
  });

  it('refuses a next version that any kept state of the row has', async () => {
    const items = await givenItems(dataSource(), ALL);
    const {_version: first} = await items.create({id: 'a', name: 'one'});
    await items.create({id: 'b', name: 'other', _newVersion: 'of another row'});
    let version = first!;
    const next = async (named: string, write: 'updateById' | 'replaceById' = 'updateById') => {
      await items[write]('a', {name: `to ${named}`, _version: version, _newVersion: named});
      version = named;
    };
    for (const named of ['second', 'third', 'fourth']) await next(named);
    for (const used of [first!, 'second', 'third', 'fourth']) {
      const refused = {code: 'VERSION_INVALID', statusCode: 422};
      await assert.rejects(next(used), refused);
      await assert.rejects(next(used, 'replaceById'), refused);
    }
    assert.equal((await items.findById('a')).name, 'to fourth');
    assert.equal((await items.history('a')).length, 3);
    await next('of another row');
    assert.equal((await items.findById('a'))._oldVersion, 'fourth');
  });

  it('a restore is a write like any other', async () => {
    const items = await givenItems(dataSource(), ALL);
    const {_version} = await items.create({id: 'a', name: 'one', secret: 's'});
    await items.deleteById('a', {version: _version, remoteUser: 'alice'});
    await assert.rejects(items.restoreById('a', {version: _version}), VersionConflictError);
    await items.restoreById('a', {remoteUser: 'bob'});
    const states = await items.history('a');
    const ends = states.map(s => `${s._operation} by ${s._by}`);
    assert.deepEqual(ends, ['delete by alice', 'restore by bob']);
    assert.equal((await items.findById('a')).secret, 's');
    await assert.rejects(items.restoreById('nobody'), EntityNotFoundError);
  });

  it('does not show rows that were deleted at the moment asked for', async () => {
    const items = await givenItems(dataSource(), ALL);
    const {_version} = await items.create({id: 'a', name: 'one'});
    await items.deleteById('a', {version: _version});
    assert.deepEqual(await items.findAsOf(new Date()), []);
    assert.equal((await items.findAsOf(new Date(), {}, {withDeleted: true})).length, 1);
  });

  it('of a crowd with one version one wins, and leaves one state', async () => {
    const items = await givenItems(dataSource(), ALL);
    const {_version} = await items.create({id: 'a', name: 'one'});
    const results = await Promise.allSettled(
      Array.from({length: crowd}, (_, i) => items.updateById('a', {name: `${i}`, _version})),
    );
    assert.equal(results.filter(r => r.status === 'fulfilled').length, 1);
    assert.equal((await items.history('a')).length, 1);
  });

  it('keeps what an application has overridden', async () => {
    const items = await givenItems(dataSource(), ALL);
    const prototype = Object.getPrototypeOf(items);
    const log: string[] = [];
    prototype.create = async function (entity: Item, options: object) {
      log.push('before');
      const created = await Object.getPrototypeOf(prototype).create.call(this, entity, options);
      log.push(`after ${created._version ? 'the behaviours' : 'nothing'}`);
      return created;
    };
    await items.create({id: 'a', name: 'one'});
    assert.deepEqual(log, ['before', 'after the behaviours']);
  });

  stepsSuite(dataSource);

  /** The same writes on any repository; answers what must not depend on the order. */
  async function life(items: ItemRepository, behaviours: readonly BehaviourName[]) {
    const created = await items.create({id: 'a', name: 'one', secret: 's'}, {remoteUser: 'alice'});
    const versionOf = ({_version}: Item) => (_version ? {_version} : {});
    await items.updateById('a', {name: 'two', ...versionOf(created)}, {remoteUser: 'bob'});
    const second = await items.findById('a');
    await items.replaceById('a', {name: 'three', ...versionOf(second)});
    const third = await items.findById('a');
    const properties = Object.keys(third).sort();
    await items.deleteById('a', {version: third._version});
    await assert.rejects(items.findById('a'), EntityNotFoundError);
    return {
      properties,
      second: withoutTimes(second),
      kept: (await rawRows(dataSource(), items.entityClass.modelName)).length,
      revisions: behaviours.includes('history') ? (await items.history('a')).length : undefined,
    };
  }
}

function withoutTimes(item: Item): object {
  const {_type, _version, _oldVersion, _createdOn, _modifiedOn, ...rest} = item.toJSON() as Item;
  return rest;
}

function permutationsOf<T>(all: readonly T[]): T[][] {
  if (all.length < 2) return [[...all]];
  return all.flatMap((first, i) =>
    permutationsOf(all.filter((_, j) => j !== i)).map(rest => [first, ...rest]),
  );
}

function sampleOf<T>(all: readonly T[], count: number): T[] {
  const step = Math.floor(all.length / count);
  return all.filter((_, i) => i % step === 0);
}
