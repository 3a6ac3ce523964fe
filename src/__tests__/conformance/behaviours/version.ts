import assert from 'node:assert/strict';
import {EntityNotFoundError} from '@loopback/repository';
import {VersionConflictError, VersionRequiredError} from '../../../mixins/errors';
import {givenItems, type Item, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function versionSuite({dataSource, crowd}: BehaviourTarget): void {
  let items: ItemRepository;
  let item: Item;

  beforeEach(async () => {
    items = await givenItems(dataSource(), ['version']);
    item = await items.create({id: 'a', name: 'one'});
  });

  it('gives every created row a version of its own', async () => {
    const others = await items.createAll([
      {id: 'b', name: 'two', _version: 'made up'},
      {id: 'c', name: 'three'},
    ]);
    const versions = [item, ...others].map(i => i._version!);
    versions.forEach(version => assert.match(version, UUID));
    assert.equal(new Set(versions).size, 3);
    const stored = await items.find({order: ['id ASC']});
    assert.deepEqual(stored.map(i => i._version), versions);
  });

  const writes: Record<string, (version?: string) => Promise<unknown>> = {
    updateById: v => items.updateById('a', {name: 'x', ...(v && {_version: v})}),
    'updateById with the version in the options': v =>
      items.updateById('a', {name: 'x'}, {version: v}),
    replaceById: v => items.replaceById('a', {name: 'x', _version: v}),
    update: v => items.update(givenItem({id: 'a', name: 'x', _version: v})),
    save: v => items.save(givenItem({id: 'a', name: 'x', _version: v})),
    deleteById: v => items.deleteById('a', {version: v}),
    delete: v => items.delete(givenItem({id: 'a', name: 'x', _version: v})),
  };

  for (const [name, write] of Object.entries(writes)) {
    it(`${name} needs the current version`, async () => {
      await assert.rejects(write(), (error: VersionRequiredError) => {
        assert.ok(error instanceof VersionRequiredError);
        assert.deepEqual([error.code, error.statusCode], ['VERSION_REQUIRED', 428]);
        return true;
      });
      await assert.rejects(write('stale'), (error: VersionConflictError) => {
        assert.ok(error instanceof VersionConflictError);
        assert.deepEqual([error.code, error.statusCode], ['VERSION_CONFLICT', 409]);
        assert.deepEqual(error.details, {
          entityName: items.entityClass.modelName,
          entityId: 'a',
          expected: 'stale',
          actual: item._version,
        });
        return true;
      });
      assert.equal((await items.findById('a')).name, 'one');
      await write(item._version);
      const [now] = await items.find();
      if (!name.startsWith('delete')) {
        assert.equal(now.name, 'x');
        assert.equal(now._oldVersion, item._version);
        assert.notEqual(now._version, item._version);
      } else {
        assert.equal(now, undefined);
      }
    });

    it(`${name} tells an absent row from a stale version`, async () => {
      await items.deleteById('a', {version: item._version});
      await assert.rejects(write(item._version), EntityNotFoundError);
    });
  }

  for (const name of ['updateById', 'replaceById', 'save', 'deleteById']) {
    it(`of four parallel writes by ${name} with one version, one succeeds`, async () => {
      const results = await Promise.allSettled(
        [1, 2, 3, 4].map(() => writes[name](item._version)),
      );
      const refusals = results.flatMap(r => (r.status === 'rejected' ? [r.reason] : []));
      assert.equal(refusals.length, 3);
      const kind = name === 'deleteById' ? EntityNotFoundError : VersionConflictError;
      refusals.forEach(reason => assert.ok(reason instanceof kind, String(reason)));
    });
  }

  it('lets the caller name the next version', async () => {
    const next = 'f3c1f2a0-0000-4000-8000-000000000001';
    await items.updateById('a', {name: 'x', _version: item._version, _newVersion: next});
    const {_version, _newVersion} = await items.findById('a');
    assert.deepEqual([_version, _newVersion], [next, undefined]);
    const created = await items.create({id: 'b', name: 'y', _newVersion: 'mine'});
    assert.deepEqual([created._version, created._newVersion], ['mine', undefined]);
  });

  it('refuses a next version that is no name, or that the row has already', async () => {
    const {_version} = item;
    for (const next of [_version, '', 7, {neq: 'x'}]) {
      const data = {name: 'x', _newVersion: next} as Partial<Item>;
      const refused = {code: 'VERSION_INVALID', statusCode: 422};
      await assert.rejects(items.updateById('a', {...data, _version}), refused);
      await assert.rejects(items.updateById('a', data, {version: _version}), refused);
      await assert.rejects(items.replaceById('a', {...data, _version}), refused);
      await assert.rejects(items.save(givenItem({...data, id: 'a', _version})), refused);
      if (next !== _version) await assert.rejects(items.create({...data, id: 'b'}), refused);
    }
    const now = await items.findById('a');
    assert.deepEqual([now.name, now._version], ['one', _version]);
    await items.updateAll({name: 'all', _newVersion: _version});
    const after = await items.findById('a');
    assert.equal(after.name, 'all');
    assert.notEqual(after._version, _version);
  });

  it('refuses a next version that the row had before its present one', async () => {
    const refused = {code: 'VERSION_INVALID', statusCode: 422};
    const next = async (named: string) => {
      const {_version} = await items.findById('a');
      const data = {name: `to ${named}`, _version, _newVersion: named};
      await items.updateById('a', data);
    };
    const first = item._version!;
    await next('second');
    await assert.rejects(next(first), refused);
    await assert.rejects(next('second'), refused);
    const {name, _version, _oldVersion} = await items.findById('a');
    assert.deepEqual([name, _version, _oldVersion], ['to second', 'second', first]);
    const stale = {name: 'x', _version: 'stale', _newVersion: first};
    await assert.rejects(items.updateById('a', stale), VersionConflictError);
    await assert.rejects(items.replaceById('none', {...stale, id: 'none'}), EntityNotFoundError);
    await next('third');
    // Without a history, nobody knows of it any more.
    await next(first);
    assert.equal((await items.findById('a'))._oldVersion, 'third');
  });

  it('gives each row of a bulk update a version of its own', async () => {
    await items.createAll([{id: 'b', name: 'two'}, {id: 'c', name: 'three'}]);
    const before = await items.find({order: ['id ASC']});
    assert.deepEqual(await items.updateAll({qty: 5}, {name: {neq: 'three'}}), {count: 2});
    const after = await items.find({order: ['id ASC']});
    assert.equal(new Set(after.map(i => i._version)).size, 3);
    assert.deepEqual(after.map(i => i._version === before[0]._version), [false, false, false]);
    assert.deepEqual(
      after.map(i => i._oldVersion ?? null),
      [before[0]._version, before[1]._version, null],
    );
  });

  it('writes without a bump leave the version as it is and need none', async () => {
    await items.updateById('a', {qty: 1}, {bumpVersion: false});
    const touched = await items.findById('a');
    assert.deepEqual([touched.qty, touched._version], [1, item._version]);
    await assert.rejects(
      items.updateById('a', {qty: 2}, {bumpVersion: false, version: 'stale'}),
      VersionConflictError,
    );
  });

  it('leaves a saved or updated entity ready to be saved again', async () => {
    const entity = await items.findById('a');
    entity.name = 'two';
    const saved = await items.save(entity);
    entity.name = 'three';
    await items.update(entity);
    saved._version = entity._version;
    saved.name = 'four';
    await items.save(saved);
    const now = await items.findById('a');
    assert.deepEqual([now.name, now._oldVersion], ['four', entity._version]);
  });

  it('never changes the data, options or where that it is given', async () => {
    const data = Object.freeze({name: 'two', _version: item._version, tags: Object.freeze(['x'])});
    const options = Object.freeze({reason: 'test'});
    await items.updateById('a', data as never, options);
    const where = Object.freeze({qty: Object.freeze({gt: '1', lt: '5'})});
    await items.updateAll(Object.freeze({qty: 7}), where as never, options);
    await items.find(Object.freeze({where, order: Object.freeze(['name ASC'])}) as never, options);
    await items.deleteAll(where as never, options);
    await items.create(Object.freeze({id: 'b', name: 'two'}), options);
  });

  it('never changes a list that it is given, whatever its values are typed as', async () => {
    const rated = ['1', '2'];
    const inq = Object.freeze([...rated]) as never;
    const where = {qty: {inq}};
    await Promise.all([items.find({where}), items.count(where), items.findOne({where})]);
    await items.updateAll({name: 'two'}, where);
    await items.deleteAll({and: [where, {qty: {between: Object.freeze(['0', '5']) as never}}]});
    assert.deepEqual(inq, rated);
  });

  it('refuses two versions of which one is stale, whichever it is', async () => {
    const {_version: current} = item;
    const refused = {code: 'VERSION_CONFLICT', expected: 'stale', actual: current};
    const stale = {name: 'two', _version: 'stale'};
    await assert.rejects(items.updateById('a', stale, {version: current}), refused);
    const good = {name: 'two', _version: current};
    await assert.rejects(items.updateById('a', good, {version: 'stale'}), refused);
    await assert.rejects(items.replaceById('a', stale, {version: current}), refused);
    assert.equal((await items.findById('a')).name, 'one');
    await items.updateById('a', good, {version: current});
  });

  it('reads again and repeats when somebody else was faster', async () => {
    let attempts = 0;
    await items.withRetry('a', async current => {
      attempts++;
      if (attempts === 1) await items.updateById('a', {qty: 1, _version: current._version});
      await items.updateById('a', {name: 'mine', _version: current._version});
    });
    const now = await items.findById('a');
    assert.deepEqual([attempts, now.name, now.qty], [2, 'mine', 1]);
    const hopeless = () => items.deleteById('a', {version: 'no'});
    await assert.rejects(items.withRetry('a', hopeless, {attempts: 3}), VersionConflictError);
  });

  it('lets many change one row, each exactly once', async () => {
    await items.updateById('a', {qty: 0, _version: item._version});
    const many = crowd / 20;
    await Promise.all(
      Array.from({length: many}, () =>
        items.withRetry(
          'a',
          async now => items.updateById('a', {qty: now.qty! + 1, _version: now._version}),
          {attempts: 1000},
        ),
      ),
    );
    assert.equal((await items.findById('a')).qty, many);
  });

  it('takes null for the version of a row from before it was versioned', async () => {
    await (items.modelClass as never as RawModel).updateAll({id: 'a'}, {_version: null});
    const old = await items.findById('a');
    await items.updateById('a', {name: 'x', _version: old._version ?? null} as never);
    assert.match((await items.findById('a'))._version!, UUID);
  });

  it('takes no operator for a version or an id', async () => {
    const trick = {neq: 'x'} as never;
    await assert.rejects(items.updateById('a', {name: 'x', _version: trick}), VersionRequiredError);
    await assert.rejects(items.deleteById('a', {version: trick}), VersionRequiredError);
    const byTrick = items.deleteById(trick, {version: item._version});
    await assert.rejects(byTrick, {code: 'INVALID_WHERE'});
  });

  it('refuses a bulk write with a where that would be dropped', async () => {
    for (const where of [{name: undefined}, {nmae: 'x'}, {or: [{qty: {gt: undefined}}]}]) {
      await assert.rejects(items.updateAll({qty: 1}, where as never), {code: 'INVALID_WHERE'});
      await assert.rejects(items.deleteAll(where as never), {code: 'INVALID_WHERE'});
    }
  });

  it('heeds both ends of a range', async () => {
    await items.createAll([1, 2, 3].map(qty => ({id: `q${qty}`, name: 'q', qty})));
    const where = {qty: {gt: 1, lt: 3}} as never;
    assert.deepEqual((await items.find({where})).map(i => i.id), ['q2']);
    assert.deepEqual(await items.count(where), {count: 1});
    assert.deepEqual(await items.deleteAll(where), {count: 1});
  });

  function givenItem(data: Partial<Item>): Item {
    return new (items.entityClass as never as new (data: Partial<Item>) => Item)(data);
  }
}

interface RawModel {
  updateAll(where: object, data: object): Promise<unknown>;
}
