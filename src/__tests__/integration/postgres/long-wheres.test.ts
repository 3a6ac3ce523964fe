import assert from 'node:assert/strict';
import type {juggler} from '@loopback/repository';
import {ALL, givenItems, givenPostgresSource, type ItemRepository} from '../../support/behaviours';
import {
  givenPostgres15,
  givenPostgres18,
  type PostgresServer,
  type TestDatabase,
} from '../../support/databases';
import {givenOrders} from '../../support/orders';

/** More than the protocol can count. */
const MANY = 70_000;
const IDS = Array.from({length: MANY}, (_, i) => `never${i}`);
const NUMBERS = Array.from({length: MANY}, (_, i) => 1000 + i);
const MOMENTS = Array.from({length: MANY}, (_, i) => new Date(i));

const servers: Record<string, () => Promise<PostgresServer | undefined>> = {
  'PostgreSQL 18': givenPostgres18,
  'PostgreSQL 15': givenPostgres15,
};

for (const [name, givenServer] of Object.entries(servers)) {
  describe(`a where of very many values, on ${name}`, function () {
    this.timeout(60_000);
    let database: TestDatabase | undefined;
    let dataSource: juggler.DataSource;
    let items: ItemRepository;

    before(async function () {
      database = await (await givenServer())?.createDatabase('long_wheres');
      if (!database) return this.skip();
      dataSource = givenPostgresSource(database);
    });

    after(async () => {
      await dataSource?.disconnect();
      await database?.drop();
    });

    beforeEach(async () => {
      items = await givenItems(dataSource, ALL);
      await items.createAll([
        {id: 'a', name: 'one', qty: 1},
        {id: 'b', name: 'two', qty: 2, secret: 's'},
        {id: 'c', name: 'three'},
      ]);
    });

    it('finds, counts and writes the rows that a list names', async () => {
      const where = {id: {inq: [...IDS, 'a', 'b']}};
      assert.deepEqual(idsOf(await items.find({where})), ['a', 'b']);
      assert.deepEqual(await items.count(where), {count: 2});
      assert.equal((await items.findOne({where, order: ['id DESC']}))!.id, 'b');
      assert.deepEqual(await items.updateAll({qty: 7}, where), {count: 2});
      const soon = new Date(Date.now() + 1e6);
      assert.deepEqual(idsOf(await items.findAsOf(soon, {where})), ['a', 'b']);
      assert.deepEqual(await items.deleteAll(where), {count: 2});
      assert.deepEqual(await items.restoreAll(where), {count: 2});
      assert.deepEqual(await items.deleteAll(where, {cascade: [], hard: true}), {count: 2});
      assert.deepEqual(idsOf(await items.find()), ['c']);
      assert.equal((await items.history('a')).length, 4);
    });

    it('leaves out the rows that a list names', async () => {
      const where = {id: {nin: [...IDS, 'a', 'b']}};
      assert.deepEqual(idsOf(await items.find({where})), ['c']);
      assert.deepEqual(await items.updateAll({qty: 7}, where), {count: 1});
      await items.deleteAll();
      assert.deepEqual(await items.purge(where), {count: 1});
    });

    it('reads fields and decrypts them', async () => {
      const where = {and: [{id: {inq: [...IDS, 'a', 'b']}}, {or: [{qty: {gt: 1}}, {id: 'x'}]}]};
      const rows = await items.find({where, fields: ['name', 'secret']});
      assert.deepEqual(rows.map(row => ({...row.toJSON()})), [{name: 'two', secret: 's'}]);
      const others = await items.find({where, fields: {secret: false, _version: false}});
      assert.deepEqual([others[0].secret, others[0].name], [undefined, 'two']);
    });

    it('includes related rows', async () => {
      const {orders, lines} = await givenOrders(dataSource, {orders: ['audit'], lines: ['audit']});
      await orders.create({id: 'o', code: 'A'});
      await lines.create({id: 'l', orderRef: 'o', qty: 1});
      const [order] = await orders.find({where: {id: {inq: [...IDS, 'o']}}, include: ['lines']});
      assert.deepEqual(order.lines!.map(({id}) => id), ['l']);
      assert.deepEqual(idsOf(await orders.find({where: {id: {inq: IDS}}, include: ['lines']})), []);
    });

    it('compares every type as a short list is compared', async () => {
      const [{_createdOn: on}] = await items.find({where: {id: 'a'}});
      await items.updateAll({qty: null}, {id: 'c'});
      const lists: [string, unknown[], unknown[]][] = [
        ['qty', [1, null], NUMBERS],
        ['qty', [2], NUMBERS],
        ['_createdOn', [on], MOMENTS],
        ['_isDeleted', [false], Array.from({length: 100}, () => true)],
        ['name', ['two', '{"a,b"}', 'a\\b', 'NULL', ''], IDS],
      ];
      for (const [property, short, more] of lists) {
        for (const operator of ['inq', 'nin']) {
          const found = (list: unknown[]) =>
            items.find({where: {[property]: {[operator]: list}} as never}).then(idsOf);
          const title = `${property} ${operator}`;
          assert.deepEqual(await found([...more, ...short]), await found(short), title);
        }
      }
    });

    it('checks as many rows as are named with their versions', async () => {
      const rows = await items.find();
      const versions = [...IDS.map(id => ({id, _version: 'v'})), ...rows];
      const write = items.updateAll({qty: 7}, {}, {versions});
      await assert.rejects(write, error => {
        assert.equal((error as {conflicts: unknown[]}).conflicts.length, MANY);
        return true;
      });
      assert.deepEqual(await items.updateAll({qty: 7}, {}, {versions: rows}), {count: 3});
    });

    it('gives lists of any length one name', async () => {
      const names = await namesUsed(async () => {
        for (const length of [100, 1000, MANY]) {
          await items.updateAll({qty: 7}, {id: {inq: IDS.slice(0, length)}});
          await items.find({where: {id: {inq: IDS.slice(0, length)}}});
        }
      });
      assert.equal(names.size, 2);
    });

    it('is refused before the connector writes it where it does not fit', async () => {
      const where = {or: IDS.map(id => ({id}))};
      const asked = await comparisonsWritten(async () => {
        const refusal = {code: 'INVALID_WHERE', statusCode: 400};
        await assert.rejects(items.find({where}), refusal);
        await assert.rejects(items.find({where, fields: ['id']}), refusal);
        await assert.rejects(items.count(where), refusal);
        await assert.rejects(items.updateAll({qty: 7}, where), refusal);
        await assert.rejects(items.deleteAll(where), refusal);
        await assert.rejects(items.findAsOf(new Date(), {where}), refusal);
        await assert.rejects(items.findHistory({where: {_modelId: {inq: IDS}} as never}), refusal);
      });
      assert.equal(asked, 0);
    });

    it('is refused where operation hooks make juggler write it', async () => {
      const model = items.modelClass as unknown as {observe(hook: string, then: object): void};
      model.observe('access', async () => undefined);
      const where = {id: {inq: IDS}};
      const asked = await comparisonsWritten(async () => {
        await assert.rejects(items.find({where}), {code: 'INVALID_WHERE'});
        await assert.rejects(items.count(where), {code: 'INVALID_WHERE'});
        await assert.rejects(items.updateAll({qty: 7}, where), {code: 'INVALID_WHERE'});
      });
      assert.equal(asked, 0);
    });

    type Pool = {query(config: {name?: string}): unknown};

    /** The names of the statements that are sent meanwhile. */
    async function namesUsed(work: () => Promise<unknown>): Promise<Set<string | undefined>> {
      const {pg} = dataSource.connector as unknown as {pg: Pool};
      const names = new Set<string | undefined>();
      const {query} = pg;
      pg.query = config => {
        names.add(config.name);
        return query.call(pg, config);
      };
      await work().finally(() => void (pg.query = query));
      return names;
    }

    /** How many conditions the connector makes SQL of meanwhile. */
    async function comparisonsWritten(work: () => Promise<unknown>): Promise<number> {
      const connector = dataSource.connector as unknown as {
        _buildWhere?: (...args: unknown[]) => unknown;
      };
      const original = connector._buildWhere!;
      let count = 0;
      connector._buildWhere = function (...args) {
        count++;
        return original.apply(this, args);
      };
      await work().finally(() => delete connector._buildWhere);
      return count;
    }
  });
}

function idsOf(rows: {id: string}[]): string[] {
  return rows.map(({id}) => id).sort();
}
