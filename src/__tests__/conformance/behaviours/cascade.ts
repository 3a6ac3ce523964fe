import assert from 'node:assert/strict';
import type {BehaviourName} from '../../../mixins/behaviour';
import {VersionConflictError} from '../../../mixins/errors';
import {givenOrders, type OrderBook, type OrderSettings} from '../../support/orders';
import type {BehaviourTarget} from '../behaviours.suite';

const ALL: BehaviourName[] = ['version', 'audit', 'softDelete', 'history'];

/** Deletions that take related rows along, and restores that bring just those back. */
export function cascadeSuite({dataSource, transactions}: BehaviourTarget): void {
  let book: OrderBook;

  /** o1 has the lines l1, l2 and the part o2, which has l3; o3 has l4. */
  const given = async (settings: Partial<OrderSettings> = {}) => {
    const cascade = ['lines', 'parts'];
    book = await givenOrders(dataSource(), {orders: ALL, lines: ALL, cascade, ...settings});
    const {orders, lines, notes} = book;
    await orders.createAll([
      {id: 'o1', code: 'A'},
      {id: 'o2', code: 'B', parentId: 'o1'},
      {id: 'o3', code: 'C'},
    ]);
    const owners = {l1: 'o1', l2: 'o1', l3: 'o2', l4: 'o3'};
    const rows = Object.entries(owners).map(([id, orderRef]) => ({id, orderRef, qty: 1}));
    await lines.createAll(rows);
    await notes.createAll([{id: 'n1', orderRef: 'o1', qty: 1}]);
  };
  const left = async () => {
    const found = [await book.orders.find(), await book.lines.find(), await book.notes.find()];
    return found.flat().map(row => row.id).sort().join(' ');
  };
  const unchecked = {bumpVersion: false};

  it('takes what belongs to a row along, and what belongs to that', async () => {
    await given();
    await book.orders.deleteById('o1', {...unchecked, remoteUser: 'alice', reason: 'void'});
    assert.equal(await left(), 'l4 n1 o3');
    const deleted = await book.lines.find({}, {onlyDeleted: true});
    assert.equal(deleted.length, 3);
    const states = [...(await book.lines.findHistory()), ...(await book.orders.findHistory())];
    assert.deepEqual(
      states.map(s => [s._operation, s._by, s._reason]),
      Array.from({length: 5}, () => ['delete', 'alice', 'void']),
    );
  });

  it('brings back just what went with the row', async () => {
    await given();
    const {orders, lines} = book;
    await lines.deleteById('l1', unchecked);
    await orders.deleteById('o1', unchecked);
    await orders.restoreById('o1');
    assert.equal(await left(), 'l2 l3 l4 n1 o1 o2 o3');
    assert.deepEqual((await lines.find({}, {onlyDeleted: true})).map(l => l.id), ['l1']);
    await lines.restoreById('l1');
    assert.equal(await left(), 'l1 l2 l3 l4 n1 o1 o2 o3');
  });

  it('follows what the options name, and nothing when they say so', async () => {
    await given({cascade: undefined});
    const {orders} = book;
    await orders.deleteById('o3', unchecked);
    assert.equal(await left(), 'l1 l2 l3 l4 n1 o1 o2');
    await orders.restoreById('o3');
    await orders.deleteById('o1', {...unchecked, cascade: ['note', 'parts.lines']});
    assert.equal(await left(), 'l1 l2 l4 o3');
    await orders.restoreById('o1', {cascade: true});
    assert.equal(await left(), 'l1 l2 l3 l4 n1 o1 o2 o3');
    await orders.deleteById('o1', {...unchecked, cascade: true});
    assert.equal(await left(), 'l4 o3');
    await orders.restoreById('o1');
    assert.equal(await left(), 'l4 o1 o3');
    await given();
    await book.orders.deleteById('o1', {...unchecked, cascade: false});
    assert.equal(await left(), 'l1 l2 l3 l4 n1 o2 o3');
  });

  it('deletes and restores many rows', async () => {
    await given();
    assert.deepEqual(await book.orders.deleteAll({code: {inq: ['B', 'C']}}), {count: 2});
    assert.equal(await left(), 'l1 l2 n1 o1');
    assert.deepEqual(await book.orders.restoreAll({code: 'C'}), {count: 1});
    assert.equal(await left(), 'l1 l2 l4 n1 o1 o3');
    assert.deepEqual(await book.orders.restoreAll(), {count: 1});
    assert.equal(await left(), 'l1 l2 l3 l4 n1 o1 o2 o3');
  });

  it('brings back all that one call has deleted', async () => {
    await given();
    const {orders} = book;
    await orders.deleteById('o3', unchecked);
    await orders.deleteAll({code: {inq: ['A', 'B']}});
    assert.equal(await left(), 'n1');
    await orders.restoreById('o2', {batch: true});
    assert.equal(await left(), 'l1 l2 l3 n1 o1 o2');
    assert.deepEqual(await orders.restoreAll({code: 'C'}, {batch: true}), {count: 1});
  });

  it('of a row that has changed deletes nothing', async () => {
    await given();
    const stale = {version: 'stale'};
    await assert.rejects(book.orders.deleteById('o1', stale), VersionConflictError);
    if (transactions) {
      const hard = {...stale, hard: true};
      await assert.rejects(book.orders.deleteById('o1', hard), VersionConflictError);
    }
    assert.equal(await left(), 'l1 l2 l3 l4 n1 o1 o2 o3');
  });

  it('deletes and purges for good what belongs to a row', async () => {
    await given();
    const {orders, lines} = book;
    await orders.deleteById('o3', {...unchecked, hard: true});
    assert.equal(await lines.exists('l4', {withDeleted: true}), false);
    await orders.deleteById('o1', unchecked);
    await lines.restoreById('l1');
    const hourAgo = new Date(Date.now() - 3_600_000);
    assert.deepEqual(await orders.purge({}, {olderThan: hourAgo}), {count: 0});
    assert.equal(await left(), 'l1 n1');
    await orders.purge();
    assert.deepEqual(await orders.count({}, {withDeleted: true}), {count: 0});
    assert.deepEqual(await lines.count({}, {withDeleted: true}), {count: 0});
  });

  it('refuses what could not be brought back, and what it does not know', async () => {
    await given({lines: ['version']});
    const deletion = book.orders.deleteById('o3', unchecked);
    await assert.rejects(deletion, {code: 'BEHAVIOUR_MISSING'});
    const unknown = book.orders.deleteById('o3', {...unchecked, cascade: ['linse']});
    await assert.rejects(unknown, {code: 'CASCADE_UNKNOWN'});
    if (transactions) assert.equal(await left(), 'l1 l2 l3 l4 n1 o1 o2 o3');
  });

  if (transactions) {
    it('is part of the caller\'s transaction', async () => {
      await given();
      const {orders} = book;
      const transaction = await orders.beginTransaction();
      await orders.deleteById('o1', {...unchecked, transaction});
      assert.deepEqual(await orders.count({}, {transaction}), {count: 1});
      await transaction.rollback();
      assert.equal(await left(), 'l1 l2 l3 l4 n1 o1 o2 o3');
    });
  }

  it('does not show the mark of a deletion', async () => {
    await given();
    await book.orders.deleteById('o3', unchecked);
    const [deleted] = await book.orders.find({}, {onlyDeleted: true});
    assert.ok(!('_deletionId' in deleted));
    const [revision] = await book.orders.history('o3');
    assert.ok(!('_deletionId' in revision.entity));
  });
}
