import assert from 'node:assert/strict';
import {ALL, givenItems, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';

type Call = (items: ItemRepository, filter: never) => Promise<unknown>;

const READS: Record<string, Call> = {
  find: (items, filter) => items.find(filter),
  findOne: (items, filter) => items.findOne(filter),
  findById: (items, filter) => items.findById('a', filter),
};

const PAST: Record<string, Call> = {
  findHistory: (items, filter) => items.findHistory(filter),
  history: (items, filter) => items.history('a', filter),
  findAsOf: (items, filter) => items.findAsOf(new Date(), filter),
  findByIdAsOf: (items, filter) => items.findByIdAsOf('a', new Date(), filter),
};

const REFUSED: Record<string, object> = {
  'an order by what is no property': {order: ['nmae ASC']},
  'an order in no direction': {order: ['name UPWARDS']},
  'an order that is a statement': {order: ['name; DROP TABLE item']},
  'an order with a statement behind it': {order: ['name ASC, (SELECT 1) DESC']},
  'an order that ends a name': {order: ['name" ASC']},
  'an order of no text': {order: [{name: 'ASC'}]},
  'fields of what is no property': {fields: ['name', 'nmae']},
  'unknown fields left out': {fields: {nmae: false}},
  'fields of one name': {fields: 'name'},
  'a limit of no number': {limit: 'all'},
  'a limit that is NaN': {limit: NaN},
  'a limit with a statement': {limit: '1; DROP TABLE item'},
  'half a limit': {limit: 1.5},
  'a limit below zero': {limit: -1},
  'an offset below zero': {offset: -1},
  'an offset beyond numbers': {offset: 1e21},
  'a skip of no number': {skip: 'x'},
};

/** A filter that names what there is not is refused, before any of it becomes SQL. */
export function filtersSuite({dataSource}: BehaviourTarget): void {
  let items: ItemRepository;

  beforeEach(async () => {
    items = await givenItems(dataSource(), ALL);
    await items.createAll([{id: 'a', name: 'zero', qty: 1}, {id: 'b', name: 'one', qty: 1}]);
    await items.updateAll({qty: 2});
    await items.updateAll({qty: 3});
  });

  for (const [name, read] of Object.entries({...READS, ...PAST})) {
    it(`${name} is refused with what there is not to order, show or page by`, async () => {
      for (const [title, filter] of Object.entries(REFUSED)) {
        await assert.rejects(read(items, filter as never), {code: 'INVALID_FILTER'}, title);
      }
    });
  }

  for (const [name, read] of Object.entries(PAST)) {
    it(`${name} is refused with what it would not heed`, async () => {
      await assert.rejects(read(items, {wher: {}} as never), {code: 'INVALID_FILTER'});
    });
  }

  it('is an object', async () => {
    for (const read of [READS.find, READS.findOne, PAST.findHistory, PAST.findAsOf]) {
      await assert.rejects(read(items, [] as never), {code: 'INVALID_FILTER'});
    }
  });

  it('orders past states by several properties, in LoopBack\'s ways to write it', async () => {
    const orders = ['qty DESC, name ASC', ['qty DESC', 'name ASC'], [' qty  desc ', 'name']];
    for (const order of orders) {
      const states = await items.findHistory({order} as never);
      assert.deepEqual(states.map(s => [s.entity.name, s.entity.qty]), [
        ['one', 2], ['zero', 2], ['one', 1], ['zero', 1],
      ]);
      const rows = await items.findAsOf(new Date(Date.now() + 1e6), {order} as never);
      assert.deepEqual(rows.map(({name}) => name), ['one', 'zero']);
    }
  });

  it('shows the fields of a state that are asked for, and what ended it', async () => {
    const [some] = await items.history('a', {fields: ['name'], limit: 1} as never);
    assert.deepEqual({...some.entity.toJSON()}, {name: 'zero'});
    assert.equal(some._revision, 1);
    const [most] = await items.findHistory({fields: {qty: false}, limit: 1} as never);
    assert.equal(most.entity.qty, undefined);
    assert.equal(most.entity.name, 'zero');
  });
}
