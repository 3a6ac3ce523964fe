import {
  DefaultCrudRepository,
  Entity,
  juggler,
  ModelDefinition,
  type Where,
} from '@loopback/repository';
import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import {createPostgresLive, type PostgresLive} from '../../adapters/postgres/live';
import {parseOrder, parseWhere} from '../../core/filter';
import type {RowImage} from '../../core/change';
import type {ViewQuery} from '../../core/query';
import {
  givenPostgres15,
  givenPostgres18,
  type PostgresServer,
  type TestDatabase,
} from '../support/databases';
import {SILENT} from '../support/live-database';

class Item extends Entity {
  declare id: number;
}
Item.definition = new ModelDefinition({
  name: 'Item',
  properties: {
    id: {type: 'number', id: true},
    name: {type: 'string'},
    german: {type: 'string'},
    loose: {type: 'string'},
    code: {type: 'string'},
    qty: {type: 'number'},
    price: {type: 'number'},
    weight: {type: 'number'},
    active: {type: 'boolean'},
    made: {type: 'date'},
    ref: {type: 'string'},
    _isDeleted: {type: 'boolean'},
  },
});

const NAMES = [
  '', 'a', 'A', 'ab', 'a_b', 'a%b', 'a\\b', 'ä', 'Z', 'z', 'é', 'e\u0301', '🧰', '\uffee', '10', '9',
];
const NUMBERS = [-1.5, 0, 1, 2.25, 10];
const MOMENTS = ['2026-01-01T00:00:00.000Z', '2026-06-01T12:00:00.500Z'];
const REF = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';

const SERVERS: [string, () => Promise<PostgresServer | undefined>][] = [
  ['PostgreSQL 18', givenPostgres18],
  ['PostgreSQL 15', givenPostgres15],
];

const NOT_DELETED = {or: [{_isDeleted: null}, {_isDeleted: false}]} as Where<Item>;

const WHERES = [
  {},
  {qty: null},
  {qty: {neq: null}},
  {name: {neq: 'a'}},
  {name: {inq: ['a', 'b', null]}},
  {name: {inq: []}},
  {name: {nin: ['a', 'b']}},
  {name: {nin: ['a', null]}},
  {name: {nin: []}},
  {qty: {between: [0, 2]}},
  {qty: {gt: 0}},
  {name: {like: 'a%'}},
  {name: {like: 'a\\_b'}},
  {name: {like: 'a\\%b'}},
  {name: {like: 'a\\\\b'}},
  {name: {nlike: 'a%'}},
  {name: {ilike: 'A%'}},
  {name: {nilike: 'A%'}},
  {name: {regexp: '^a'}},
  {name: {regexp: '/^A/i'}},
  {name: {regexp: /^A/i}},
  {code: 'x'},
  {ref: REF},
  {active: true},
  {active: {neq: true}},
  {made: {lt: '2026-03-01T00:00:00.000Z'}},
  {made: MOMENTS[0]},
  {or: [{name: 'a'}, {and: [{qty: {gte: 1}}, {active: false}]}]},
  {and: []},
] as Where<Item>[];

for (const [title, given] of SERVERS) {
  describe(`rows read from ${title}`, function () {
    this.timeout(120_000);
    let database: TestDatabase;
    let dataSource: juggler.DataSource;
    let items: DefaultCrudRepository<Item, number>;
    let live: PostgresLive;

    before(async function () {
      const server = await given();
      if (server === undefined) return this.skip();
      database = await server.createDatabase('rows');
      await database.query(TABLE);
      dataSource = new juggler.DataSource({connector: 'postgresql', ...database.config});
      items = new DefaultCrudRepository<Item, number>(Item, dataSource);
      const models = [items.modelClass];
      live = await createPostgresLive({dataSource, models, logger: SILENT});
      await fill(database);
    });
    after(async () => {
      await live?.close();
      await dataSource?.disconnect();
      await database?.drop();
    });

    for (const where of WHERES) {
      it(`are those that the connector finds where ${JSON.stringify(where, asText)}`, async () => {
        assert.deepEqual(await read(where), await find(where));
      });
    }

    it('are those that the connector finds, whatever is asked', async () => {
      await fc.assert(fc.asyncProperty(wheres(), async where => {
        assert.deepEqual(await read(where), await find(where));
      }), {numRuns: Number(process.env.FC_RUNS ?? 300)});
    });

    it('are not asked for where an `or` is empty, which the connector leaves out', async () => {
      assert.deepEqual(await find({or: []}), await find({}));
      await assert.rejects(read({or: []}), {code: 'VIEW_QUERY_UNSUPPORTED'});
    });

    it('are those with a value, or without, where it is asked whether one exists', async () => {
      assert.deepEqual(await read({qty: {exists: true}}),
        await find({qty: {neq: null}} as Where<Item>));
      assert.deepEqual(await read({qty: {exists: false}}), await find({qty: null} as Where<Item>));
    });

    it('keep both of two operators on one property, of which the connector drops one', async () => {
      assert.deepEqual(await read({qty: {gt: 0, lt: 2}}), await find({qty: 1} as Where<Item>));
    });

    it('compare numbers that are no integers with integers as numbers', async () => {
      assert.deepEqual(await read({id: {lt: 2.5}}), await find({id: {lt: 3}}));
      assert.deepEqual(await read({id: {inq: [1, 2.5]}}), await find({id: 1}));
    });

    it('come in the order of the connector, NULLs and collations included', async () => {
      for (const property of Object.keys(live.shapes[0].properties)) {
        for (const direction of ['ASC', 'DESC']) {
          const order = [`${property} ${direction}`, 'id ASC'];
          const expected = await items.find({where: NOT_DELETED, order});
          const {rows} = await live.source.read(query({}, order), 1000, false);
          assert.deepEqual(keys(rows), expected.map(({id}) => String(id)));
        }
      }
    });

    it('stop at the limit, and are counted beyond it', async () => {
      const all = await find({});
      const {rows, total} = await live.source.read(query({}, ['id']), 3, true);
      assert.deepEqual([keys(rows), total], [all.slice(0, 3), all.length]);
      assert.equal((await live.source.read(query({}, ['id']), 1000, true)).total, all.length);
      assert.equal((await live.source.read(query({id: -1}, ['id']), 3, true)).total, 0);
      assert.equal((await live.source.read(query({}, ['id']), 3, false)).total, undefined);
    });

    it('are judged by their images as by the table, after it has changed', async () => {
      const {rows: images} = await live.source.read(query({}, ['id']), 1000, false);
      const asked = fc.tuple(wheres(), fc.subarray(Object.keys(live.shapes[0].properties)),
        fc.constantFrom('ASC', 'DESC'));
      const expected = new Map<string, {matching: string[]; view: ViewQuery}>();
      await fc.assert(fc.asyncProperty(asked, async ([where, properties, direction]) => {
        const view = query(where, properties.map(property => `${property} ${direction}`));
        const {rows} = await live.source.read(view, 1000, false);
        expected.set(JSON.stringify([where, properties, direction]), {matching: keys(rows), view});
      }), {numRuns: Number(process.env.FC_RUNS ?? 100)});
      await database.query('BEGIN; UPDATE item SET name = NULL, qty = 99; COMMIT');
      for (const {matching, view} of expected.values()) {
        const verdicts = await live.source.judge(view, images);
        const matched = images
          .map((image, i) => ({image, ...verdicts[i]}))
          .filter(({matches}) => matches)
          .sort((a, b) => a.rank - b.rank);
        assert.deepEqual(matched.map(({image}) => image.key), matching);
      }
      await fill(database);
    });

    const query = (where: object, order: string[]): ViewQuery => ({
      entity: 'Item',
      condition: parseWhere(where, live.shapes[0]),
      order: parseOrder(order, live.shapes[0]),
    });
    const read = async (where: object) =>
      keys((await live.source.read(query(where, ['id']), 1000, false)).rows);
    const find = async (where: Where<Item>) =>
      (await items.find({where: {and: [where, NOT_DELETED]}, order: ['id']}))
        .map(({id}) => String(id));
  });
}

function wheres(): fc.Arbitrary<Where<Item>> {
  const compare = fc.constantFrom('neq', 'gt', 'gte', 'lt', 'lte');
  const on = (property: string, values: readonly unknown[]) => {
    const value = fc.constantFrom(...values);
    // Within an `or`, the connector forgets an empty list, where it should make all true.
    const list = fc.array(fc.option(value, {freq: 5}), {minLength: 1, maxLength: 3});
    return fc.oneof(
      fc.option(value, {freq: 5}).map(operand => ({[property]: operand})),
      fc.tuple(compare, value).map(([operator, operand]) => ({[property]: {[operator]: operand}})),
      fc.tuple(fc.constantFrom('inq', 'nin'), list)
        .map(([operator, operand]) => ({[property]: {[operator]: operand}})),
      fc.tuple(value, value).map(between => ({[property]: {between}})),
    );
  };
  const leaf = fc.oneof(
    ...['name', 'german', 'loose'].map(property => on(property, NAMES)),
    ...['qty', 'price', 'weight'].map(property => on(property, NUMBERS)),
    on('active', [true, false]),
    on('made', MOMENTS),
    on('code', ['x', 'x ', 'y']),
    on('ref', [REF]),
  );
  const {tree} = fc.letrec(tie => ({
    tree: fc.oneof({maxDepth: 2}, leaf,
      fc.array(tie('tree'), {minLength: 1, maxLength: 3}).map(and => ({and})),
      fc.array(tie('tree'), {minLength: 1, maxLength: 3}).map(or => ({or}))),
  }));
  return tree as fc.Arbitrary<Where<Item>>;
}

/** A column of each collation: code points, a language's, and one under which A equals a. */
const TABLE = `
  CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE TABLE item (id int PRIMARY KEY, name text COLLATE "C", german text COLLATE "de-x-icu",
    loose text COLLATE loose, code char(4), qty numeric, price double precision, weight real,
    active boolean, made timestamptz, ref uuid, _isdeleted boolean)`;

async function fill(database: TestDatabase): Promise<void> {
  const rows = NAMES.flatMap((name, i) => [name, null].map((text, j) => ({
    id: 2 * i + j, name: text, german: name, loose: text, code: i % 2 ? 'x' : null,
    qty: pick([...NUMBERS, null], i), price: pick([...NUMBERS, null], j + i),
    weight: pick(NUMBERS, j), active: pick([true, false, null], i),
    made: pick([...MOMENTS, null], i + j), ref: j ? REF : null,
    _isdeleted: pick([false, null, true, false], i),
  })));
  await database.query(`BEGIN; TRUNCATE item; COMMIT`);
  await database.query(
    'INSERT INTO item SELECT * FROM jsonb_populate_recordset(NULL::item, $1::jsonb)',
    [JSON.stringify(rows)],
  );
}

function pick<T>(values: readonly T[], i: number): T {
  return values[i % values.length];
}

function keys(rows: readonly RowImage[]): string[] {
  return rows.map(({key}) => key);
}

function asText(_: string, value: unknown): unknown {
  return value instanceof RegExp ? String(value) : value;
}
