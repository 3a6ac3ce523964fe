import assert from 'node:assert/strict';
import {imagesOf, type Change, type CommittedTransaction} from '../../core/change';
import type {ChangeFeed} from '../../core/ports';
import type {EntityShape} from '../../core/shape';
import type {Categories, Products} from '../support/live-database';
import {Recorder} from '../support/recorder';

/** A feed to be examined, over empty tables of categories and products. */
export interface FeedHarness {
  readonly feed: ChangeFeed;
  readonly shapes: readonly EntityShape[];
  readonly products: Products;
  readonly categories: Categories;
  /** Runs SQL past the application. Absent where the feed does not see such writes. */
  readonly sql?: (statement: string) => Promise<unknown>;
  /** Whether the data source has transactions; without, one write can be several. Default true. */
  readonly hasTransactions?: boolean;
  drop(): Promise<void>;
}

/** What every change feed must do. */
export function itDeliversCommittedTransactions(
  given: () => Promise<FeedHarness | undefined>,
): void {
  let harness: FeedHarness;
  let recorder: Recorder;

  before(async function () {
    this.timeout(60_000);
    const found = await given();
    if (!found) return this.skip();
    harness = found;
    recorder = new Recorder();
    await harness.feed.start(harness.shapes, recorder);
  });
  afterEach(() => recorder.forget());
  after(() => harness?.drop());

  it('delivers what was created, with the row as it is now', async () => {
    await harness.products.create({id: 'created', name: 'Bolt', qty: 3});
    const [{changes}] = await recorder.upTo('created');
    assert.deepEqual(summary(changes), [
      {kind: 'insert', entity: 'Product',
        after: {id: 'created', name: 'Bolt', qty: 3, description: null, categoryId: null}},
    ]);
  });

  it('delivers an update with the row before and after', async () => {
    await harness.products.create({id: 'updated', name: 'Bolt', qty: 3});
    await harness.products.updateById('updated', {qty: 4});
    await recorder.until(() => recorder.changesOf('updated').length === 2);
    const [, update] = summary(recorder.changesOf('updated'));
    assert.equal(update.kind, 'update');
    assert.deepEqual([update.before?.qty, update.after?.qty], [3, 4]);
    assert.deepEqual([update.before?.name, update.after?.name], ['Bolt', 'Bolt']);
  });

  it('delivers a delete with the row as it was', async () => {
    await harness.products.create({id: 'deleted', name: 'Bolt'});
    await harness.products.deleteById('deleted');
    await recorder.until(() => recorder.changesOf('deleted').length === 2);
    const [, deletion] = summary(recorder.changesOf('deleted'));
    assert.equal(deletion.kind, 'delete');
    assert.equal(deletion.before?.name, 'Bolt');
  });

  it('delivers what one statement did to many rows in one transaction', async () => {
    await harness.products.createAll(['m1', 'm2', 'm3'].map(id => ({id, name: 'many'})));
    await harness.products.updateAll({qty: 7}, {name: 'many'});
    await recorder.until(() => recorder.changesOf('m3').length === 2);
    const sizes = recorder.transactions.map(({changes}) => changes.length);
    const parts = harness.hasTransactions === false && sizes.length > 2 ? [3, 1, 1, 1] : [3, 3];
    assert.deepEqual(sizes, parts);
  });

  it('delivers a transaction whole, tables and all, and not before it commits', async function () {
    if (harness.hasTransactions === false) return this.skip();
    const transaction = await harness.products.beginTransaction();
    await harness.categories.create({id: 'c', name: 'Bolts'}, {transaction});
    await harness.products.create({id: 'whole', categoryId: 'c'}, {transaction});
    await harness.products.create({id: 'meanwhile'});
    const before = await recorder.upTo('meanwhile');
    assert.deepEqual(before.flatMap(keys), ['meanwhile']);
    await harness.products.updateById('whole', {qty: 1}, {transaction});
    await transaction.commit();
    const all = await recorder.upTo('whole');
    assert.deepEqual(keys(all[all.length - 1]), ['c', 'whole', 'whole']);
  });

  it('keeps silent about what was rolled back', async function () {
    if (harness.hasTransactions === false) return this.skip();
    const transaction = await harness.products.beginTransaction();
    await harness.products.create({id: 'never'}, {transaction});
    await transaction.rollback();
    await harness.products.create({id: 'after rollback'});
    const all = await recorder.upTo('after rollback');
    assert.deepEqual(all.flatMap(keys), ['after rollback']);
  });

  it('keeps silent about a statement that was refused, and one that found nothing', async () => {
    await harness.products.create({id: 'there'});
    await recorder.upTo('there');
    recorder.forget();
    await assert.rejects(harness.products.create({id: 'there', name: 'twice'}));
    await assert.rejects(harness.products.updateById('not there', {qty: 1}));
    await harness.products.create({id: 'after refusal'});
    const all = await recorder.upTo('after refusal');
    assert.deepEqual(all.flatMap(keys), ['after refusal']);
  });

  it('delivers a replaced row, and all that a condition deletes', async () => {
    await harness.products.createAll(['r1', 'r2'].map(id => ({id, name: 'replaced', qty: 1})));
    await harness.products.replaceById('r1', {id: 'r1', name: 'replaced'} as never);
    await harness.products.deleteAll({name: 'replaced'});
    await harness.products.create({id: 'after replace'});
    const all = await recorder.upTo('after replace');
    const [replace, ...deletes] = all.slice(1, -1).flatMap(({changes}) => summary(changes));
    assert.deepEqual([replace.before?.qty, replace.after?.qty], [1, null]);
    assert.deepEqual(deletes.map(({kind, before}) => [kind, before?.id]).sort(),
      [['delete', 'r1'], ['delete', 'r2']]);
  });

  it('delivers in the order of commits, not of beginnings', async function () {
    if (harness.hasTransactions === false) return this.skip();
    const [first, second] = [
      await harness.products.beginTransaction(),
      await harness.products.beginTransaction(),
    ];
    await harness.products.create({id: 'begun first'}, {transaction: first});
    await harness.products.create({id: 'begun second'}, {transaction: second});
    await second.commit();
    await first.commit();
    assert.deepEqual((await recorder.upTo('begun first')).flatMap(keys),
      ['begun second', 'begun first']);
  });

  it('delivers a thousand concurrent writes once each, each row in its own order', async () => {
    const ids = Array.from({length: 50}, (_, i) => `row ${i}`);
    await Promise.all(ids.map(async id => {
      await harness.products.create({id, qty: 0});
      for (let qty = 1; qty < 20; qty++) await harness.products.updateById(id, {qty});
    }));
    await harness.products.create({id: 'after the thousand'});
    await recorder.upTo('after the thousand');
    for (const id of ids) {
      const steps = summary(recorder.changesOf(id)).map(({after}) => after?.qty);
      assert.deepEqual(steps, Array.from({length: 20}, (_, qty) => qty));
    }
  });

  it('sees what SQL writes past the application', async function () {
    if (!harness.sql) return this.skip();
    await harness.sql(`INSERT INTO product (id, name) VALUES ('by sql', 'Nut')`);
    const all = await recorder.upTo('by sql');
    assert.equal(summary(all[0].changes)[0].after?.name, 'Nut');
  });

  it('sees what a cascade deletes', async function () {
    if (!harness.sql) return this.skip();
    await harness.categories.create({id: 'doomed', name: 'Doomed'});
    await harness.products.create({id: 'child', categoryId: 'doomed'});
    await harness.sql(`DELETE FROM category WHERE id = 'doomed'`);
    await recorder.until(() => recorder.changesOf('child').length === 2);
    const last = recorder.transactions[recorder.transactions.length - 1];
    assert.deepEqual(keys(last).sort(), ['child', 'doomed']);
    assert.deepEqual(last.changes.map(({kind}) => kind), ['delete', 'delete']);
  });

  it('leaves out what a savepoint took back, and keeps the rest', async function () {
    if (!harness.sql) return this.skip();
    await harness.sql(`
      BEGIN;
      INSERT INTO product (id) VALUES ('kept 1');
      SAVEPOINT doubt;
      INSERT INTO product (id) VALUES ('taken back');
      ROLLBACK TO doubt;
      SAVEPOINT sure;
      INSERT INTO product (id) VALUES ('kept 2');
      RELEASE sure;
      COMMIT`);
    assert.deepEqual((await recorder.upTo('kept 2')).flatMap(keys), ['kept 1', 'kept 2']);
  });

  it('delivers an update of the key as one, from the old key to the new', async function () {
    if (!harness.sql) return this.skip();
    await harness.products.create({id: 'old key'});
    await harness.sql(`UPDATE product SET id = 'new key' WHERE id = 'old key'`);
    await recorder.until(() => recorder.changesOf('new key').length === 1);
    const [change] = recorder.changesOf('new key');
    assert.equal(change.kind === 'update' && change.before.key, 'old key');
  });

  it('says that a table was truncated', async function () {
    if (!harness.sql) return this.skip();
    await harness.sql('TRUNCATE product');
    await harness.products.create({id: 'after truncate'});
    const [{changes}] = await recorder.upTo('after truncate');
    assert.deepEqual(changes, [{kind: 'truncate', entity: 'Product'}]);
  });

  it('delivers nothing more once it was stopped', async () => {
    await harness.feed.stop();
    await harness.products.create({id: 'unheard'});
    assert.deepEqual(recorder.transactions, []);
  });
}

type Row = Readonly<Record<string, unknown>>;

/** Changes as plain objects, so that they can be compared. */
function summary(changes: readonly Change[]): {
  kind: string;
  entity: string;
  before?: Row;
  after?: Row;
}[] {
  return changes.map(change => {
    const {kind, entity} = change;
    const {before, after} = change.kind === 'truncate' ? {} : imagesOf(change);
    return {
      kind,
      entity,
      ...(before && {before: ownValues(before.values)}),
      ...(after && {after: ownValues(after.values)}),
    };
  });
}

/** Without what behaviours keep beside the entity's own properties. */
function ownValues(values: Row): Row {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith('_')));
}

function keys({changes}: CommittedTransaction): string[] {
  return changes.flatMap(change => {
    if (change.kind === 'truncate') return [];
    const {before, after} = imagesOf(change);
    return (after ?? before!).key;
  });
}
