import assert from 'node:assert/strict';
import {ALL, givenItems, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';

type Call = (items: ItemRepository, id: never) => Promise<unknown>;

const OF_ONE_ROW: Record<string, Call> = {
  findById: (items, id) => items.findById(id),
  'findById of some fields': (items, id) => items.findById(id, {fields: ['name']}),
  exists: (items, id) => items.exists(id),
  updateById: (items, id) => items.updateById(id, {name: 'x'}, {version: 'v'}),
  replaceById: (items, id) => items.replaceById(id, {name: 'x'}, {version: 'v'}),
  deleteById: (items, id) => items.deleteById(id, {version: 'v'}),
  'deleteById for good': (items, id) =>
    items.deleteById(id, {hard: true, withDeleted: true, bumpVersion: false}),
  restoreById: (items, id) => items.restoreById(id),
  history: (items, id) => items.history(id),
  findByIdAsOf: (items, id) => items.findByIdAsOf(id, new Date()),
  diff: (items, id) => items.diff(id, 1, 'current'),
  revertTo: (items, id) => items.revertTo(id, 1, {bumpVersion: false}),
  redactHistory: (items, id) => items.redactHistory(id, ['name']),
  withRetry: (items, id) => items.withRetry(id, async () => 'done'),
};

const NO_IDS: Record<string, unknown> = {
  'an undefined id': undefined,
  'null': null,
  'an operator': {neq: 'x'},
  'an operator without a class': Object.assign(Object.create(null), {neq: 'x'}),
  'a list': ['a'],
  'a pattern': /a/,
};

/** A call by id is about one row, whatever it is given for an id. */
export function idsSuite({dataSource, rawRows}: BehaviourTarget): void {
  let items: ItemRepository;

  beforeEach(async () => {
    items = await givenItems(dataSource(), ALL);
    await items.createAll([{id: 'a', name: 'zero'}, {id: 'gone', name: 'gone'}]);
    await items.updateAll({qty: 2});
    await items.deleteAll({id: 'gone'});
  });

  for (const [name, call] of Object.entries(OF_ONE_ROW)) {
    it(`${name} is refused with an id that is none`, async () => {
      const before = await everything();
      for (const [title, id] of Object.entries(NO_IDS)) {
        await assert.rejects(call(items, id as never), {code: 'INVALID_WHERE'}, title);
      }
      assert.deepEqual(await everything(), before);
    });
  }

  it('exists answers yes or no for each way to look at deleted rows', async () => {
    const looks = [{}, {withDeleted: true}, {onlyDeleted: true}, {fetchDeleted: true}];
    const answers = (id: string) => Promise.all(looks.map(options => items.exists(id, options)));
    assert.deepEqual(await answers('a'), [true, true, false, false]);
    assert.deepEqual(await answers('gone'), [false, true, true, true]);
    assert.deepEqual(await answers('never'), [false, false, false, false]);
    assert.equal(await items.exists('', {withDeleted: true}), false);
  });

  async function everything(): Promise<string[]> {
    const {modelName} = items.entityClass;
    const tables = [modelName, `${modelName}History`];
    const rows = await Promise.all(tables.map(name => rawRows(dataSource(), name)));
    return rows.flat().map(row => JSON.stringify(row)).sort();
  }
}
