import assert from 'node:assert/strict';
import type {Options} from '@loopback/repository';
import {ALL, givenItems, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';

type Call = (items: ItemRepository, where: never, options?: Options) => Promise<unknown>;

const WRITES: Record<string, Call> = {
  updateAll: (items, where, options) => items.updateAll({qty: 9}, where, options),
  deleteAll: (items, where, options) => items.deleteAll(where, options),
  'deleteAll for good': (items, where, options) =>
    items.deleteAll(where, {...options, hard: true, withDeleted: true}),
  restoreAll: (items, where, options) => items.restoreAll(where, options),
  purge: (items, where, options) => items.purge(where, undefined, options),
  'purge of old rows': (items, where, options) =>
    items.purge(where, {olderThan: new Date(Date.now() + 1e6)}, options),
};

const READS: Record<string, Call> = {
  find: (items, where) => items.find({where}),
  'find of some fields': (items, where) => items.find({where, fields: ['id']}),
  findOne: (items, where) => items.findOne({where}),
  count: (items, where) => items.count(where),
  findHistory: (items, where) => items.findHistory({where}),
  history: (items, where) => items.history('a', {where}),
  findAsOf: (items, where) => items.findAsOf(new Date(), {where}),
  findByIdAsOf: (items, where) => items.findByIdAsOf('a', new Date(), {where}),
};

/** By what was dropped, all of these once meant more rows than they say, most of them all. */
const REFUSED: Record<string, unknown> = {
  'a nor': {nor: [{name: 'zero'}]},
  'an or of nothing': {or: []},
  'an or of nothing beside a condition': {name: 'zero', or: []},
  'an or of no list': {or: {name: 'zero'}},
  'an undefined value': {name: undefined},
  'an undefined value in a list': {name: {inq: ['zero', undefined]}},
  'an unknown property': {nmae: 'zero'},
  'an unknown operator': {name: {is: 'zero'}},
  'an unknown operator of a flag': {_isDeleted: {is: false}},
  'no operator': {name: {}},
  'an inq of no list': {name: {inq: 'zero'}},
  'a between of one value': {qty: {between: [1]}},
  'a date that is none': {_createdOn: {lt: new Date('yesterday')}},
  'a text that is no date': {_createdOn: {lt: 'yesterday'}},
  'less than what is no number': {qty: {lt: NaN}},
  'a list in its place': [],
  'a text in its place': 'name',
  'a number in its place': 5,
};

/** What a where says, it means; one that would be read otherwise is refused. */
export function wheresSuite({dataSource, rawRows}: BehaviourTarget): void {
  let items: ItemRepository;

  beforeEach(async () => {
    items = await givenItems(dataSource(), ALL);
    await items.createAll([
      {id: 'a', name: 'zero', qty: 1},
      {id: 'b', name: 'one', qty: 2},
      {id: 'gone', name: 'two', qty: 3},
    ]);
    await items.updateAll({qty: 5}, {id: 'a'});
    await items.deleteAll({id: 'gone'});
  });

  for (const [name, write] of Object.entries(WRITES)) {
    it(`${name} is refused with a where that would mean more rows than it says`, async () => {
      const before = await everything();
      for (const [title, where] of Object.entries({...REFUSED, 'an and of nothing': {and: []}})) {
        await assert.rejects(write(items, where as never), {code: 'INVALID_WHERE'}, title);
      }
      assert.deepEqual(await everything(), before);
    });
  }

  for (const [name, read] of Object.entries(READS)) {
    it(`${name} is refused with a where that would mean more rows than it says`, async () => {
      for (const [title, where] of Object.entries(REFUSED)) {
        await assert.rejects(read(items, where as never), {code: 'INVALID_WHERE'}, title);
      }
    });
  }

  it('means all rows where it says so', async () => {
    const all = ['a', 'b'];
    const always = [{}, {or: [{}]}, {and: [{}]}, {or: [{id: 'a'}, {}]}, {id: {nin: []}}];
    for (const where of [...always, {or: [{id: 'a'}, {id: {nin: []}}]}, undefined]) {
      assert.deepEqual(await idsOf(where), all, JSON.stringify(where));
      assert.deepEqual(await items.count(where as never), {count: 2});
      assert.deepEqual(await items.updateAll({qty: 7}, where as never), {count: 2});
    }
    assert.deepEqual(await idsOf({and: []}), all);
    assert.deepEqual(await idsOf({or: [{id: 'b'}, {and: []}]}), all);
  });

  it('means no row where it says so', async () => {
    assert.deepEqual(await idsOf({id: {inq: []}}), []);
    assert.deepEqual(await items.deleteAll({id: {inq: []}}), {count: 0});
    assert.deepEqual(await items.updateAll({qty: 7}, {or: [{id: {inq: []}}]}), {count: 0});
  });

  it('heeds every operator of a property', async () => {
    await items.updateAll({qty: null}, {id: 'b'});
    assert.deepEqual(await idsOf({qty: {exists: true}}), ['a']);
    assert.deepEqual(await idsOf({qty: {exists: false}}), ['b']);
    assert.deepEqual(await idsOf({name: {like: '%o%', nlike: 'z%', options: ''}}), ['b']);
    assert.deepEqual(await idsOf({name: {inq: ['zero', 'one'], neq: 'one'}}), ['a']);
  });

  async function idsOf(where: unknown): Promise<string[]> {
    return (await items.find({where: where as never, order: ['id ASC']})).map(({id}) => id);
  }

  /** Rows and states as they are stored. */
  async function everything(): Promise<string[]> {
    const {modelName} = items.entityClass;
    const tables = [modelName, `${modelName}History`];
    const rows = await Promise.all(tables.map(name => rawRows(dataSource(), name)));
    return rows.flat().map(row => JSON.stringify(row)).sort();
  }
}
