import assert from 'node:assert/strict';
import type {Options} from '@loopback/repository';
import {ALL, givenItems, type Item, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';

/** What each method gets; a write gets the version that the row `a` has. */
type Call = (items: ItemRepository, options: Options, version: string) => Promise<unknown>;

const DATA = {name: 'two', tags: ['x'], secret: 's'};
const WHERE = {and: [{qty: {gt: 0, lt: 9}}, {or: [{id: 'a'}, {name: {inq: ['one', 'two']}}]}]};
const FILTER = {where: WHERE, order: ['name ASC'], limit: 5, fields: ['id', 'name', 'secret']};
const DATA_OF_MANY = {name: 'three', tags: ['y']};
const STATES = {where: {and: [{name: {inq: ['zero', 'one']}}]}, order: ['_revision ASC']};
const LONG_AGO = new Date(0);

const WRITES: Record<string, Call> = {
  create: (items, options) => items.create(frozen({...DATA, id: 'n'}), options),
  createAll: (items, options) => items.createAll(frozen([{...DATA, id: 'n'}]), options),
  updateById: (items, options, version) =>
    items.updateById('a', frozen({...DATA, _version: version}), options),
  replaceById: (items, options, version) =>
    items.replaceById('a', frozen({...DATA, _version: version}), options),
  updateAll: (items, options) =>
    items.updateAll(frozen(DATA_OF_MANY), frozen(WHERE) as never, options),
  'updateAll of checked rows': (items, options, version) => {
    const versions = [{id: 'a', _version: version}];
    return items.updateAll(frozen(DATA_OF_MANY), {}, frozen({...options, versions}));
  },
  save: (items, options, version) => items.save(entity(items, version), options),
  update: (items, options, version) => items.update(entity(items, version), options),
  delete: (items, options, version) => items.delete(entity(items, version), options),
  deleteById: (items, options, version) =>
    items.deleteById('a', frozen({...options, version})),
  deleteAll: (items, options) => items.deleteAll(frozen(WHERE) as never, options),
  'deleteAll for good': (items, options) =>
    items.deleteAll(frozen(WHERE) as never, frozen({...options, hard: true})),
  restoreById: (items, options) => items.restoreById('gone', options),
  restoreAll: (items, options) => items.restoreAll(frozen({id: 'gone'}), options),
  purge: (items, options) =>
    items.purge(frozen({id: 'gone'}), frozen({olderThan: soon()}), options),
  revertTo: (items, options, version) =>
    items.revertTo('a', 1, frozen({...options, version})),
  pruneHistory: (items, options) => items.pruneHistory(frozen({keepLast: 0}), options),
  redactHistory: (items, options) => items.redactHistory('a', frozen(['name']), options),
  'restoreAll with what was deleted together': (items, options) =>
    items.restoreAll(frozen({id: 'gone'}), frozen({...options, batch: true})),
};

const READS: Record<string, Call> = {
  find: (items, options) => items.find(frozen(FILTER) as never, options),
  findOne: (items, options) => items.findOne(frozen(FILTER) as never, options),
  findById: (items, options) =>
    items.findById('a', frozen({fields: FILTER.fields}) as never, options),
  count: (items, options) => items.count(frozen(WHERE) as never, options),
  exists: (items, options) => items.exists('a', options),
  history: (items, options) => items.history('a', frozen(STATES) as never, options),
  findHistory: (items, options) => items.findHistory(frozen(STATES) as never, options),
  findAsOf: (items, options) =>
    items.findAsOf(soon(), frozen(FILTER) as never, options),
  findByIdAsOf: (items, options) =>
    items.findByIdAsOf('a', soon(), frozen({fields: ['name']}) as never, options),
  diff: (items, options) => items.diff('a', 1, 'current', options),
  withRetry: (items, options) =>
    items.withRetry('a', async found => found.name, frozen({...options, attempts: 2})),
};

/** What holds for every method. */
export function methodsSuite({dataSource, transactions}: BehaviourTarget): void {
  let items: ItemRepository;
  let version: string;

  beforeEach(async () => {
    items = await givenItems(dataSource(), ALL);
    await items.createAll([{id: 'a', name: 'zero', qty: 1}, {id: 'gone', name: 'gone'}]);
    const {_version} = await items.findById('a');
    await items.updateById('a', {name: 'one', secret: 's', _version});
    await items.deleteAll({id: 'gone'});
    version = (await items.findById('a'))._version!;
  });

  for (const [name, call] of Object.entries({...WRITES, ...READS})) {
    it(`${name} changes nothing that it is given`, async () => {
      await call(items, frozen({reason: 'test', remoteUser: {id: 'alice'}}), version);
    });
  }

  for (const [name, write] of Object.entries(transactions ? WRITES : {})) {
    it(`${name} is part of the caller's transaction`, async () => {
      const before = await stateOf(items);
      const transaction = await items.beginTransaction();
      await write(items, frozen({transaction}), version);
      assert.notDeepEqual(await stateOf(items, {transaction}), before);
      assert.deepEqual(await stateOf(items), before);
      await transaction.rollback();
      assert.deepEqual(await stateOf(items), before);
    });
  }

  for (const [name, read] of Object.entries(transactions ? READS : {})) {
    it(`${name} sees what the caller's transaction has written`, async () => {
      const before = await read(items, {}, version);
      const transaction = await items.beginTransaction();
      await items.deleteAll({}, {transaction, hard: true, withDeleted: true});
      const after = await read(items, frozen({transaction}), version).catch(error => error.code);
      await transaction.rollback();
      assert.notDeepEqual(after, before);
      assert.deepEqual(await read(items, {}, version), before);
    });
  }

  for (const [name, call] of Object.entries(transactions ? {...WRITES, ...READS} : {})) {
    it(`${name} is refused in a transaction of another datasource`, async () => {
      const elsewhere = await transactions!.another();
      const transaction = await elsewhere.beginTransaction({});
      const before = await stateOf(items);
      const foreign = call(items, frozen({transaction}), version);
      await assert.rejects(foreign, {code: 'FOREIGN_TRANSACTION'});
      await transaction.rollback();
      await elsewhere.disconnect();
      assert.deepEqual(await stateOf(items), before);
    });

    for (const end of ['commit', 'rollback'] as const) {
      it(`${name} is refused in a transaction after its ${end}`, async () => {
        const transaction = await items.beginTransaction();
        await transaction[end]();
        const before = await stateOf(items);
        const late = call(items, frozen({transaction}), version);
        await assert.rejects(late, {code: 'INACTIVE_TRANSACTION'});
        assert.deepEqual(await stateOf(items), before);
      });
    }
  }

  it('reads nothing that was never there', async () => {
    assert.deepEqual(await items.findAsOf(LONG_AGO), []);
  });
}

function soon(): Date {
  return new Date(Date.now() + 1e6);
}

/** Rows and states, as far as a write can change them. */
async function stateOf(items: ItemRepository, options: Options = {}): Promise<unknown> {
  const everything = {...options, withDeleted: true};
  const rows = await items.find({order: ['id ASC']}, everything);
  const history = await items.findHistory({}, options);
  return JSON.parse(JSON.stringify([rows, history]));
}

/** An entity is written back to: it alone may change. */
function entity(items: ItemRepository, version: string): Item {
  const data = {...DATA, id: 'a', _version: version};
  return new (items.entityClass as never as new (data: Partial<Item>) => Item)(data);
}

/** Frozen to its depths, but for what is not data. */
function frozen<T>(value: T): T {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}
