import assert from 'node:assert/strict';
import {inspect} from 'node:util';
import {EntityNotFoundError} from '@loopback/repository';
import {givenItems, type ItemRepository} from '../../support/behaviours';
import {givenOrders} from '../../support/orders';
import type {BehaviourTarget} from '../behaviours.suite';

export function historySuite({dataSource, crowd, rawRows}: BehaviourTarget): void {
  let items: ItemRepository;

  beforeEach(async () => {
    items = await givenItems(dataSource(), ['history']);
    await items.create({id: 'a', name: 'one', tags: ['x']});
  });

  it('keeps nothing of a create, and a state for each write after it', async () => {
    assert.deepEqual(await items.history('a'), []);
    const told = {remoteUser: 'bob', reason: 'typo', requestId: 'r1'};
    await items.updateById('a', {name: 'two'}, told);
    await items.replaceById('a', {name: 'three'}, {onBehalfOf: 'carol'});
    await items.deleteById('a');
    const revisions = await items.history('a');
    assert.deepEqual(
      revisions.map(r => [r._revision, r.entity.name, r._operation, r._by, r._onBehalfOf]),
      [
        [1, 'one', 'update', 'bob', undefined],
        [2, 'two', 'update', 'system', 'carol'],
        [3, 'three', 'delete', 'system', undefined],
      ],
    );
    assert.deepEqual([revisions[0]._reason, revisions[0]._requestId], ['typo', 'r1']);
    assert.deepEqual(revisions[0].entity.toJSON(), {
      ...{id: 'a', name: 'one', tags: ['x']},
      ...emptyOnes(revisions[0].entity.toJSON()),
    });
    for (const [i, {_validFrom, _validTo}] of revisions.entries()) {
      assert.ok(_validFrom <= _validTo);
      if (i > 0) assert.deepEqual(_validFrom, revisions[i - 1]._validTo);
    }
  });

  it('keeps a state of every row of a bulk write', async () => {
    await items.createAll([{id: 'b', name: 'two'}, {id: 'c', name: 'three'}]);
    await items.updateAll({name: 'same'}, {id: {neq: 'c'}});
    await items.deleteAll({name: 'same'});
    const found = await items.findHistory({order: ['_modelId ASC', '_revision ASC']});
    assert.deepEqual(
      found.map(r => [r._modelId, r._revision, r.entity.name, r._operation]),
      [
        ['a', 1, 'one', 'update'],
        ['a', 2, 'same', 'delete'],
        ['b', 1, 'two', 'update'],
        ['b', 2, 'same', 'delete'],
      ],
    );
  });

  it('finds past states by their own and by the revision\'s properties', async () => {
    await items.updateById('a', {name: 'two'}, {remoteUser: 'bob'});
    await items.updateById('a', {name: 'three'}, {remoteUser: 'eve'});
    assert.equal((await items.findHistory({where: {name: 'one'} as never})).length, 1);
    const [byEve] = await items.history('a', {where: {_by: 'eve'} as never});
    assert.equal(byEve.entity.name, 'two');
    assert.deepEqual((await items.history('a', {limit: 1, skip: 1})).map(r => r._revision), [2]);
  });

  it('goes on counting when an id is used again', async () => {
    await items.deleteById('a');
    await items.create({id: 'a', name: 'again'});
    await items.updateById('a', {name: 'and again'});
    assert.deepEqual((await items.history('a')).map(r => r._revision), [1, 2]);
  });

  it('numbers the states of a row that a crowd writes at once', async () => {
    await Promise.all(
      Array.from({length: crowd}, (_, i) => items.updateById('a', {name: `writer ${i}`})),
    );
    const revisions = await items.history('a');
    assert.deepEqual(revisions.map(r => r._revision), Array.from({length: crowd}, (_, i) => i + 1));
    assert.equal(new Set(revisions.map(r => r.entity.name)).size, crowd);
    revisions.slice(1).forEach((r, i) => assert.deepEqual(r._validFrom, revisions[i]._validTo));
  });

  it('shows rows as they were', async () => {
    await items.create({id: 'b', name: 'bee', qty: 1});
    const moments = [await momentPasses()];
    await items.updateById('a', {name: 'two'});
    moments.push(await momentPasses());
    await items.deleteById('a');
    moments.push(await momentPasses());
    const names = await Promise.all(
      [new Date(0), ...moments].map(async when =>
        (await items.findAsOf(when, {order: ['name DESC']})).map(i => i.name),
      ),
    );
    assert.deepEqual(names, [[], ['one', 'bee'], ['two', 'bee'], ['bee']]);
    const page = await items.findAsOf(moments[1], {order: ['name ASC'], limit: 1, skip: 1});
    assert.deepEqual(page.map(i => i.name), ['two']);
    const filter = {where: {qty: 1}, fields: ['name' as const]};
    const some = await items.findAsOf(moments[1].toISOString(), filter);
    assert.deepEqual(some.map(i => i.toJSON()), [{name: 'bee'}]);
    assert.equal((await items.findByIdAsOf('a', moments[0])).name, 'one');
    await assert.rejects(items.findByIdAsOf('a', moments[2]), EntityNotFoundError);
  });

  it('includes related rows as they were at the same moment', async () => {
    const both = {orders: ['history'], lines: ['history']} as const;
    const {orders, lines} = await givenOrders(dataSource(), both);
    await orders.createAll([{id: 'o1', code: 'A'}, {id: 'o2', code: 'B', parentId: 'o1'}]);
    await lines.createAll(['l1', 'l2', 'l3'].map(id => ({id, orderRef: 'o1', qty: 1})));
    const moment = await momentPasses();
    await lines.create({id: 'l4', orderRef: 'o1', qty: 1});
    await lines.updateById('l1', {qty: 9});
    await lines.updateById('l3', {orderRef: 'o2'});
    await lines.deleteById('l2');
    await orders.updateById('o1', {code: 'Z'});
    await orders.deleteById('o2');

    const include = [{relation: 'lines', scope: {order: ['id DESC'], include: ['order']}}, 'parts'];
    const [order] = await orders.findAsOf(moment, {where: {code: 'A'}, include} as never);
    assert.deepEqual(
      order.lines!.map(line => [line.id, line.qty, line.order!.code]),
      [['l3', 1, 'A'], ['l2', 1, 'A'], ['l1', 1, 'A']],
    );
    assert.deepEqual(order.parts!.map(part => part.code), ['B']);
    const scope = {where: {id: {gt: 'l1'}}, limit: 1, order: ['id ASC']};
    const one = {fields: ['id'], include: [{relation: 'lines', scope}]};
    const same = await orders.findByIdAsOf('o1', moment, one as never);
    assert.deepEqual(same.lines!.map(line => line.id), ['l2']);
    assert.equal(same.code, undefined);
    const [keyless] = await orders.findAsOf(moment, {fields: ['code'], include: ['lines']});
    assert.deepEqual(Object.keys(keyless).sort(), ['code', 'lines']);
    const [now] = await orders.findAsOf(new Date(), {include: ['lines']});
    assert.deepEqual(now.lines!.map(line => line.id).sort(), ['l1', 'l4']);
    const unknown = orders.findAsOf(moment, {include: ['nothing']});
    await assert.rejects(unknown, {code: 'INVALID_INCLUSION_FILTER'});
  });

  it('includes related rows without a history as they are now', async () => {
    const one = {orders: ['history'], lines: ['audit']} as const;
    const {orders, lines} = await givenOrders(dataSource(), one);
    await orders.create({id: 'o1', code: 'A'});
    await lines.create({id: 'l1', orderRef: 'o1', qty: 1});
    const moment = await momentPasses();
    await lines.updateById('l1', {qty: 2});
    await orders.updateById('o1', {code: 'Z'});
    const order = await orders.findByIdAsOf('o1', moment, {include: ['lines']});
    assert.deepEqual([order.code, order.lines!.map(line => line.qty)], ['A', [2]]);
  });

  it('pages through past and present states together', async () => {
    const names = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];
    await items.createAll(names.map((name, i) => ({id: name, name, qty: i % 2})));
    const moment = await momentPasses();
    await items.updateAll({name: 'changed'}, {qty: 1});
    await items.deleteById('n3');
    const where = {name: {inq: names}};
    const pages: string[] = [];
    for (let skip = 0; skip < 8; skip += 2) {
      const order = ['qty DESC', 'name ASC'];
      const page = await items.findAsOf(moment, {where, order, limit: 2, skip});
      pages.push(page.map(i => i.name).join());
    }
    assert.deepEqual(pages, ['n2,n4', 'n6,n1', 'n3,n5', '']);
  });

  it('leads from a revision\'s own time back to it', async () => {
    await momentPasses();
    await items.updateById('a', {name: 'two'});
    await momentPasses();
    await items.updateById('a', {name: 'three'});
    const [, second] = await items.history('a');
    assert.equal((await items.findByIdAsOf('a', second._validFrom)).name, 'two');
  });

  it('tells two states apart', async () => {
    await items.updateById('a', {name: 'two', qty: 3});
    await items.updateById('a', {tags: ['x', 'y']});
    assert.deepEqual(await items.diff('a', 1, 2), [
      {property: 'name', from: 'one', to: 'two'},
      {property: 'qty', from: null, to: 3},
    ]);
    const changed = (await items.diff('a', 2, 'current')).map(c => c.property);
    assert.deepEqual(changed, ['tags']);
    assert.deepEqual(await items.diff('a', 3, 'current'), []);
    await assert.rejects(items.diff('a', 9, 'current'), EntityNotFoundError);
  });

  it('takes no revision for one that is none', async () => {
    await items.updateById('a', {name: 'two'});
    for (const odd of [undefined, null, NaN, 0, -1, 1.5, '1', {gt: 0}]) {
      const refusal = {code: 'INVALID_WHERE'};
      await assert.rejects(items.diff('a', odd as never, 'current'), refusal);
      await assert.rejects(items.diff('a', 1, odd as never), refusal);
      await assert.rejects(items.revertTo('a', odd as never), refusal);
    }
    await assert.rejects(items.revertTo('a', 'current' as never), {code: 'INVALID_WHERE'});
    assert.equal((await items.findById('a')).name, 'two');
  });

  it('takes null for no filter, as find does', async () => {
    await items.updateById('a', {name: 'two'});
    const none = null as never;
    assert.equal((await items.history('a', none)).length, 1);
    assert.equal((await items.findHistory(none)).length, 1);
    assert.equal((await items.findAsOf(new Date(), none)).length, 1);
    assert.equal((await items.findByIdAsOf('a', new Date(), none)).id, 'a');
  });

  it('takes no moment for one that is none', async () => {
    for (const odd of [undefined, null, new Date('x'), 'yesterday', {}, true]) {
      await assert.rejects(items.findAsOf(odd as never), {code: 'INVALID_WHERE'});
      await assert.rejects(items.findByIdAsOf('a', odd as never), {code: 'INVALID_WHERE'});
    }
  });

  it('shows the present of a deleted row to those who ask for deleted ones alone', async () => {
    const both = await givenItems(dataSource(), ['history', 'softDelete']);
    await both.create({id: 'a', name: 'one'});
    await both.updateById('a', {name: 'two'});
    const moment = await momentPasses();
    await both.deleteById('a');

    for (const present of ['current', 3] as const) {
      await assert.rejects(both.diff('a', 1, present), EntityNotFoundError);
      await assert.rejects(both.diff('a', present, 2), EntityNotFoundError);
      for (const seen of [{withDeleted: true}, {onlyDeleted: true}]) {
        const [change] = await both.diff('a', 1, present, seen);
        assert.deepEqual(change, {property: 'name', from: 'one', to: 'two'});
      }
    }
    // What it was before the deletion, the past still says.
    assert.equal((await both.diff('a', 1, 2)).length, 1);
    assert.deepEqual((await both.history('a')).map(r => r._operation), ['update', 'delete']);
    assert.equal((await both.findByIdAsOf('a', moment)).name, 'two');
    await assert.rejects(both.findByIdAsOf('a', new Date()), EntityNotFoundError);
    const asDeleted = await both.findByIdAsOf('a', new Date(), {}, {withDeleted: true});
    assert.equal(asDeleted.name, 'two');

    await assert.rejects(both.revertTo('a', 1), EntityNotFoundError);
    await assert.rejects(both.revertTo('a', 3), EntityNotFoundError);
    await both.revertTo('a', 1, {withDeleted: true});
    assert.deepEqual(await both.find(), []);
    await both.restoreById('a');
    assert.equal((await both.findById('a')).name, 'one');
  });

  it('reverts by a new state', async () => {
    await items.updateById('a', {name: 'two', tags: []});
    await items.revertTo('a', 1, {remoteUser: 'bob'});
    const item = await items.findById('a');
    assert.deepEqual([item.name, [...item.tags!]], ['one', ['x']]);
    const last = (await items.history('a')).at(-1)!;
    assert.deepEqual([last._revision, last._operation, last._by, last.entity.name],
      [2, 'revert', 'bob', 'two']);
  });

  it('prunes by age and by number, and never everything by mistake', async () => {
    for (let i = 0; i < 4; i++) await items.updateById('a', {qty: i});
    await assert.rejects(items.pruneHistory({}), {code: 'INVALID_WHERE'});
    const longAgo = new Date(Date.now() - 3_600_000);
    assert.deepEqual(await items.pruneHistory({olderThan: longAgo}), {count: 0});
    assert.deepEqual(await items.pruneHistory({keepLast: 1, olderThan: longAgo}), {count: 0});
    assert.deepEqual(await items.pruneHistory({keepLast: 3}), {count: 1});
    assert.deepEqual((await items.history('a')).map(r => r._revision), [2, 3, 4]);
    const soon = new Date(Date.now() + 3_600_000);
    assert.deepEqual(await items.pruneHistory({olderThan: soon}), {count: 3});
  });

  it('prunes nothing by a limit that says nothing', async () => {
    for (let i = 0; i < 4; i++) await items.updateById('a', {qty: i});
    const soon = new Date(Date.now() + 3_600_000);
    const odd: Record<string, unknown>[] = [
      {}, {olderThan: undefined}, {olderThan: null}, {olderThan: new Date('x')},
      {keepLast: undefined}, {keepLast: null}, {keepLast: -1}, {keepLast: NaN}, {keepLast: 1.5},
      {keepLast: Infinity}, {keepLast: '1'}, {keepLast: 1, olderThan: undefined},
      {olderThan: soon, keepLast: undefined}, {keepLast: 1, olderThen: soon},
    ];
    for (const which of odd) {
      const pruning = items.pruneHistory(which as never);
      await assert.rejects(pruning, {code: 'INVALID_WHERE', statusCode: 400}, inspect(which));
    }
    await assert.rejects(items.pruneHistory(undefined as never), {code: 'INVALID_WHERE'});
    assert.equal((await items.history('a')).length, 4);
    assert.deepEqual(await items.pruneHistory({keepLast: 2 ** 40}), {count: 0});
    assert.deepEqual(await items.pruneHistory({keepLast: 0}), {count: 4});
  });

  it('redacts properties of all kept states', async () => {
    await items.updateById('a', {name: 'two'});
    await items.updateById('a', {name: 'three'});
    assert.deepEqual(await items.redactHistory('a', ['name']), {count: 2});
    assert.deepEqual((await items.history('a')).map(r => r.entity.name ?? null), [null, null]);
    assert.equal((await items.findById('a')).name, 'three');
    for (const odd of [['_by'], ['nmae'], [], undefined]) {
      await assert.rejects(items.redactHistory('a', odd as never), {code: 'INVALID_WHERE'});
    }
  });

  it('does not show the columns in which it counts', async () => {
    const created = await items.create({id: 'b', name: 'two'});
    for (const item of [created, await items.findById('b'), (await items.find())[0]]) {
      assert.ok(!('_revision' in item) && !('_validFrom' in item));
    }
    const [row] = await rawRows(dataSource(), items.entityClass.modelName);
    assert.equal(row._revision, 1);
  });
}

function emptyOnes(json: object): object {
  return Object.fromEntries(Object.entries(json).filter(([, v]) => v === null));
}

/** The present moment, with a clock that has moved on before and after it. */
async function momentPasses(): Promise<Date> {
  await new Promise(done => setTimeout(done, 5));
  const moment = new Date();
  await new Promise(done => setTimeout(done, 5));
  return moment;
}
