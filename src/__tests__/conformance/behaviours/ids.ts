import assert from 'node:assert/strict';
import {DefaultTransactionalRepository, Entity, model, property} from '@loopback/repository';
import {
  ALL,
  DECORATORS,
  givenItems,
  migrate,
  type ItemRepository,
} from '../../support/behaviours';
import type {HistoricalRepository} from '../../../mixins/repository-methods';
import type {BehaviourTarget} from '../behaviours.suite';

let models = 0;

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

  it('takes no text for a number', async () => {
    @model({name: `Numbered${++models}`})
    class Numbered extends Entity {
      @property({type: 'number', id: true, generated: false}) id!: number;
      @property({type: 'number'}) qty?: number;
    }
    class NumberedRepository extends DefaultTransactionalRepository<Numbered, number> {
      constructor() {
        super(Numbered, dataSource());
      }
    }
    for (const behaviour of ['history', 'softDelete'] as const) {
      DECORATORS[behaviour]()(NumberedRepository);
    }
    const numbered = new NumberedRepository() as NumberedRepository &
      HistoricalRepository<Numbered, number>;
    await migrate(dataSource());
    await numbered.createAll([{id: 0, qty: 0}, {id: 7, qty: 6}]);
    await numbered.updateById(7, {qty: 7});
    const {relational} = dataSource().connector as {relational?: boolean};
    for (const odd of ['7 days', 'seven', '']) {
      const id = odd as never;
      const refusal = {code: relational ? 'INVALID_WHERE' : 'ENTITY_NOT_FOUND'};
      // Elsewhere an id can be a text although it is said to be a number; '' is 0 to juggler.
      if (!relational && odd === '') continue;
      await assert.rejects(numbered.findById(id), refusal);
      await assert.rejects(numbered.updateById(id, {qty: 1}), refusal);
      await assert.rejects(numbered.deleteById(id), refusal);
      if (relational) await assert.rejects(numbered.redactHistory(id, ['qty']), refusal);
      const exists = await numbered.exists(id).catch(error => error.code);
      assert.equal(exists, relational ? 'INVALID_WHERE' : false);
      const deleted = await numbered.deleteAll({qty: odd} as never).catch(error => error.code);
      assert.deepEqual(deleted, relational ? 'INVALID_WHERE' : {count: 0});
    }
    assert.equal((await numbered.history(7))[0].entity.qty, 6);
    assert.equal((await numbered.findById('7' as never)).qty, 7);
    assert.deepEqual(await numbered.count(), {count: 2});
  });

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
