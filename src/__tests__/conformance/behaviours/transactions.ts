import assert from 'node:assert/strict';
import {ALL, givenItems, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget, TransactionFeatures} from '../behaviours.suite';

interface TransactionTarget extends BehaviourTarget {
  readonly transactions: TransactionFeatures;
}

export function transactionSuite({dataSource, transactions}: TransactionTarget): void {
  const {another, retype, duplicate, preparedPlans, outdated} = transactions;
  let items: ItemRepository;

  beforeEach(async () => {
    items = await givenItems(dataSource(), ALL);
  });

  it('writes and keeps states within the caller\'s transaction', async () => {
    const {_version} = await items.create({id: 'a', name: 'one'});
    const transaction = await items.beginTransaction();
    const entity = await items.findById('a', undefined, {transaction});
    await items.updateById('a', {name: 'two', _version}, {transaction});
    await items.create({id: 'b', name: 'bee'}, {transaction});
    assert.equal((await items.history('a', undefined, {transaction})).length, 1);
    assert.equal((await items.history('a')).length, 0);
    await transaction.rollback();
    assert.equal(await items.exists('b'), false);
    assert.deepEqual(await items.history('a'), []);
    await items.updateById('a', {name: 'three', _version: entity._version});
  });

  it('keeps both states of two writes in one transaction', async () => {
    await items.create({id: 'a', name: 'one'});
    const transaction = await items.beginTransaction();
    for (const name of ['two', 'three']) {
      const {_version} = await items.findById('a', undefined, {transaction});
      await items.updateById('a', {name, _version}, {transaction});
    }
    await transaction.commit();
    const states = await items.history('a');
    assert.deepEqual(states.map(s => [s._revision, s.entity.name]), [[1, 'one'], [2, 'two']]);
    assert.ok(states.every(s => s._validFrom <= s._validTo));
  });

  it('goes on when a column has changed its type', async () => {
    const {_version} = await items.create({id: 'a', name: 'one'});
    await items.findById('a');
    await items.updateById('a', {name: 'two', _version});
    await retyped('varchar(99)');
    const {name, _version: current} = await items.findById('a');
    assert.equal(name, 'two');
    await items.updateById('a', {name: 'three', _version: current});
    await items.create({id: 'b', name: 'bee'});
    await retyped('text');
    assert.equal((await items.findById('a')).name, 'three');
  });

  it('loses no more than one transaction to a column that has changed its type', async () => {
    // Of its own: a datasource names only so many statements, and others have had their share.
    const fresh = await another();
    items = await givenItems(fresh, ALL);
    await items.create({id: 'a', name: 'one'});
    await items.findById('a');
    await retyped('varchar(99)');
    const read = async () => {
      const transaction = await items.beginTransaction();
      const reading = items.findById('a', undefined, {transaction});
      await reading.finally(() => transaction.rollback());
    };
    if (preparedPlans) await assert.rejects(read(), {code: '0A000'});
    await read();
    await fresh.disconnect();
  });

  it('creates more rows than one statement can hold, all or none', async () => {
    const many = preparedPlans ? 4200 : 600;
    const rows = Array.from({length: many}, (_, i) => ({id: `i${i}`, name: `n${i}`}));
    const created = await items.createAll(rows);
    assert.equal(created.length, many);
    assert.equal(created[many - 1].id, `i${many - 1}`);
    assert.equal((await items.count()).count, many);
    await items.deleteAll({}, {hard: true});
    await assert.rejects(items.createAll([...rows, {id: 'i0', name: 'again'}]), {code: duplicate});
    assert.equal((await items.count()).count, 0);
  });

  for (const subset of [['history'], ['version'], ['audit'], ALL] as const) {
    it(`never loses a write that an old snapshot hides from it, with ${subset.join()}`, async () => {
      const repo = await givenItems(dataSource(), subset);
      const {_version: version} = await repo.create({id: 'a', name: 'one'});
      const update = (transaction: object) =>
        repo.updateById('a', {name: 'mine'}, {transaction, version});
      const isolationLevel = 'REPEATABLE READ';
      const transaction = await repo.beginTransaction({isolationLevel} as never);
      await repo.findById('a', undefined, {transaction});
      await repo.updateById('a', {name: 'theirs'}, {version});
      if (outdated === 'CONCURRENT_WRITE' && subset.join() === 'audit') await update(transaction);
      else await assert.rejects(update(transaction), {code: outdated});
      await transaction.rollback();
      assert.equal((await repo.findById('a')).name, 'theirs');
    });
  }

  it('refuses a transaction of another datasource', async () => {
    const elsewhere = await another();
    const transaction = await elsewhere.beginTransaction({});
    const refusal = {code: 'FOREIGN_TRANSACTION'};
    await assert.rejects(items.create({id: 'a', name: 'one'}, {transaction}), refusal);
    await assert.rejects(items.deleteAll({}, {transaction}), refusal);
    await transaction.rollback();
    await elsewhere.disconnect();
  });

  it('refuses a transaction that has ended', async () => {
    const transaction = await items.beginTransaction();
    await transaction.commit();
    await assert.rejects(items.create({id: 'a', name: 'one'}, {transaction}), /not active/);
  });

  async function retyped(type: string): Promise<void> {
    await dataSource().execute(retype(items.entityClass.modelName, type));
  }
}
