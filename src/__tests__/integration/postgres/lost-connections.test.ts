import assert from 'node:assert/strict';
import {once} from 'node:events';
import {DefaultTransactionalRepository, juggler} from '@loopback/repository';
import type {Pool} from 'pg';
import {DatabaseUnavailableError, versioned} from '../../../index';
import {
  ALL,
  givenItems,
  givenPostgresSource,
  type Item,
  type ItemRepository,
} from '../../support/behaviours';
import {givenPostgres18, type TestDatabase} from '../../support/databases';
import {Network} from '../../support/network';

/** Places in the pool: one that is lost for good is soon missed. */
const MAX = 2;

/** What juggler adds to a transaction, of which LoopBack's type does not speak. */
interface Observable {
  observe(event: string, observer: () => Promise<void>): void;
}

describe('transactions on connections that break', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let network: Network;
  let dataSource: juggler.DataSource;
  let items: ItemRepository;

  before(async () => (database = await (await givenPostgres18()).createDatabase('lost')));
  after(() => database.drop());
  beforeEach(async () => {
    network = await Network.before(() => database.config);
    const port = Number(new URL(network.url).port);
    dataSource = givenPostgresSource(database, {port, max: MAX, onError: undefined});
    items = await givenItems(dataSource, ALL);
    await items.createAll([{id: 'a', name: 'A'}, {id: 'b', name: 'B'}]);
  });
  afterEach(async () => {
    await items.deleteAll({}, {hard: true, bumpVersion: false}).catch(() => undefined);
    await dataSource.disconnect();
    await network.close();
  });

  const begins: Record<string, () => Promise<unknown>> = {
    'the application': () => items.beginTransaction(),
    'juggler': () => dataSource.beginTransaction({}),
    'a write of more rows than one statement takes': () =>
      items.createAll(Array.from({length: 6_000}, (_, i) => ({id: `n${i}`, name: 'N'}))),
  };
  for (const [who, begin] of Object.entries(begins)) {
    it(`keep no place in the pool when the BEGIN of ${who} fails`, async () => {
      for (let time = 0; time <= MAX; time++) {
        cutWhenAcquired();
        await assert.rejects(begin(), isUnavailable);
      }
      assert.equal((await items.find()).length, 2);
      const transactions = await Promise.all([items.beginTransaction(), items.beginTransaction()]);
      await Promise.all(transactions.map(transaction => transaction.rollback()));
    });
  }

  it('keep no place in the pool when COMMIT or ROLLBACK fails', async () => {
    for (let time = 0; time <= MAX; time++) {
      for (const end of ['commit', 'rollback'] as const) {
        const transaction = await items.beginTransaction();
        await items.count({}, {transaction});
        network.cutAll();
        await assert.rejects(transaction[end](), isUnavailable);
      }
    }
    assert.equal((await items.find()).length, 2);
  });

  it('keep no place in the pool when an observer forbids the COMMIT', async () => {
    for (let time = 0; time <= MAX; time++) {
      const transaction = await items.beginTransaction();
      await items.create({id: `c${time}`, name: 'C'}, {transaction});
      (transaction as unknown as Observable).observe('before commit', async () => {
        throw new Error('not today');
      });
      await assert.rejects(transaction.commit(), /not today/);
    }
    assert.equal((await items.find()).length, 2, 'nothing of it was committed');
  });

  it('are handed on whole from one that ends to one that waits', async () => {
    const ends = Array.from({length: 30}, async (_, i) => {
      const transaction = await items.beginTransaction();
      await items.create({id: `t${i}`, name: 'T'}, {transaction});
      await (i % 3 === 0 ? transaction.rollback() : transaction.commit());
    });
    await Promise.all(ends);
    assert.equal((await items.find({where: {name: 'T'}})).length, 20);
  });

  it('say of a failed COMMIT that nobody knows whether it was carried out', async () => {
    const transaction = await items.beginTransaction();
    network.cutAll();
    await assert.rejects(transaction.commit(), /whether .* is not known/);
  });

  it('say why a COMMIT failed, not that the transaction is over', async () => {
    const table = items.modelClass.modelName.toLowerCase();
    await database.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'refused at the end' USING ERRCODE = '23514'; END $$;
      CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON ${table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`);
    try {
      const many = Array.from({length: 6_000}, (_, i) => ({id: `n${i}`, name: 'N'}));
      await assert.rejects(items.createAll(many), {code: '23514', message: 'refused at the end'});
      assert.equal((await items.find()).length, 2);
    } finally {
      await database.query(`DROP FUNCTION refuse CASCADE`);
    }
  });

  it('say why a statement failed, not that the rollback failed too', async () => {
    const connector = dataSource.connector as unknown as {pg: Pool};
    const many = Array.from({length: 6_000}, (_, i) => ({id: `n${i}`, name: 'N'}));
    const cut = new Promise<void>(resolve => {
      connector.pg.once('acquire', client => {
        const query = client.query.bind(client);
        client.query = (...args: unknown[]) => {
          const text = String((args[0] as {text?: string}).text ?? args[0]);
          if (text.startsWith('INSERT')) network.cutAll();
          resolve();
          return query(...(args as [never]));
        };
      });
    });
    await assert.rejects(items.createAll(many), (error: Error) => {
      assert.ok(error instanceof DatabaseUnavailableError);
      assert.match(String(error.cause), /terminated|EPIPE|ECONNRESET/);
      return true;
    });
    await cut;
    assert.equal((await items.find()).length, 2);
  });

  it('do not end the process when they break before the repository is first used', async () => {
    const port = Number(new URL(network.url).port);
    const source = givenPostgresSource(database, {port, max: MAX, onError: undefined});
    const {pg} = source.connector as unknown as {pg: Pool};
    const {entityClass} = items;
    class Items extends DefaultTransactionalRepository<Item, string> {
      constructor() {
        super(entityClass as never, source);
      }
    }
    versioned()(Items);
    const repository = new Items();
    if (pg.idleCount === 0) await once(pg, 'release');
    network.cutAll();
    await once(pg, 'remove');
    assert.equal((await repository.find()).length, 2);
    await source.disconnect();
  });

  /** The connection that is asked for next breaks before it can say BEGIN. */
  function cutWhenAcquired(): void {
    const {pg} = dataSource.connector as unknown as {pg: Pool};
    pg.once('acquire', () => network.cutAll());
  }
});

function isUnavailable(error: unknown): true {
  assert.ok(error instanceof DatabaseUnavailableError, String(error));
  assert.equal(error.code, 'DATABASE_UNAVAILABLE');
  assert.equal(error.statusCode, 503);
  assert.doesNotMatch(error.message, /127\.0\.0\.1|terminated/);
  assert.ok(error.cause instanceof Error);
  return true;
}
