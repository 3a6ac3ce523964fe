import type {juggler} from '@loopback/repository';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {createPostgresLive, type PostgresLive} from '../../adapters/postgres/live';
import type {RowImage} from '../../core/change';
import {parseOrder, parseWhere} from '../../core/filter';
import {refereeFor} from '../../core/match';
import type {ViewQuery} from '../../core/query';
import type {EntityShape} from '../../core/shape';
import {
  givenPostgres15,
  givenPostgres18,
  type PostgresServer,
  type TestDatabase,
} from '../support/databases';
import {
  fill,
  givenEveryType,
  someOrder,
  someRow,
  someTree,
  type Texts,
  type Tree,
} from '../support/every-type';
import {SILENT} from '../support/live-database';
import {FOUND} from './referee.found';

const SERVERS: [string, () => Promise<PostgresServer | undefined>][] = [
  ['PostgreSQL 18', givenPostgres18],
  ['PostgreSQL 15', givenPostgres15],
];

/** Dates that JavaScript does not have; Node asks about them. */
const BEYOND = /BC|^\d{5}/;

interface Score {
  decided: number;
  asked: number;
}

for (const [title, given] of SERVERS) {
  describe(`the referee beside ${title}`, function () {
    this.timeout(3_600_000);
    let database: TestDatabase;
    let dataSource: juggler.DataSource;
    let live: PostgresLive;
    let shape: EntityShape;

    before(async function () {
      const server = await given();
      if (server === undefined) return this.skip();
      database = await server.createDatabase('referee');
      const every = await givenEveryType(database);
      dataSource = every.dataSource;
      const models = [every.repository.modelClass as never];
      live = await createPostgresLive({dataSource: dataSource as never, models, logger: SILENT});
      [shape] = live.shapes;
    });
    after(async () => {
      await live?.close();
      await dataSource?.disconnect();
      await database?.drop();
    });

    it('says of every row whether it belongs as the database does, or asks', async () => {
      const score = {plain: {decided: 0, asked: 0}, other: {decided: 0, asked: 0}};
      const rows = fc.array(someRow(), {minLength: 1, maxLength: 12});
      const trees = fc.array(someTree(), {minLength: 1, maxLength: 6});
      await fc.assert(fc.asyncProperty(rows, trees, async (texts, filters) => {
        const images = await stored(texts);
        for (const filter of filters) await compareMatches(filter, images, score);
      }), {numRuns: Number(process.env.FC_RUNS ?? 60), examples: FOUND.matches});
      report('belongs', title, score);
      assert.equal(score.plain.asked, 0, 'what is plain is decided');
      assert.ok(score.plain.decided > score.other.asked, 'most is decided');
    });

    it('orders rows as the database does, or asks', async () => {
      const score: Score = {decided: 0, asked: 0};
      const rows = fc.array(someRow(), {minLength: 2, maxLength: 12});
      const orders = fc.array(someOrder(), {minLength: 1, maxLength: 6});
      await fc.assert(fc.asyncProperty(rows, orders, async (texts, each) => {
        await stored(texts);
        for (const order of each) await compareOrder(order, score);
      }), {numRuns: Number(process.env.FC_RUNS ?? 60), examples: FOUND.orders});
      report('order', title, {all: score});
      assert.ok(score.decided > score.asked, `${score.decided} decided, ${score.asked} asked`);
    });

    it('never asks about the order of what is plain', async () => {
      const plain = ['small', 'big', 'exact', 'double', 'flag', 'name', 'ref', 'local', 'day'];
      const keys = fc.uniqueArray(fc.constantFrom(...plain), {minLength: 1, maxLength: 3});
      const rows = fc.array(someRow(), {minLength: 2, maxLength: 12});
      await fc.assert(fc.asyncProperty(rows, keys, async (texts, order) => {
        await stored(texts);
        const score: Score = {decided: 0, asked: 0};
        await compareOrder(order.map((name, i) => (i % 2 ? name : `${name} DESC`)), score);
        assert.equal(score.asked, 0);
      }), {numRuns: 30});
    });

    async function stored(texts: readonly Texts[]): Promise<readonly RowImage[]> {
      await fill(database, texts);
      return (await live.source.read(queryOf({}, []), 1000, false)).rows;
    }

    function queryOf(where: object, order: readonly string[]): ViewQuery {
      return {
        entity: 'Every', condition: parseWhere(where, shape), order: parseOrder(order, shape),
      };
    }

    async function compareMatches(
      {where, leaves}: Tree,
      images: readonly RowImage[],
      score: {plain: Score; other: Score},
    ): Promise<void> {
      const query = queryOf(where, []);
      // A pattern that ends with its escape is an error when the database comes to look at it.
      const read = await live.source.read(query, 1000, false).catch(pass22025);
      if (!read) return;
      const belongs = new Set(read.rows.map(({key}) => key));
      const referee = refereeFor(query, shape);
      for (const image of images) {
        const verdict = referee.matches(image);
        const isPlain = leaves.every(({mustDecide, property}) =>
          mustDecide && !BEYOND.test(image.raw[property] ?? ''));
        score[isPlain ? 'plain' : 'other'][verdict === 'ask' ? 'asked' : 'decided']++;
        if (verdict === 'ask') continue;
        assert.equal(verdict, belongs.has(image.key), explain(where, image, leaves));
      }
    }

    async function compareOrder(order: readonly string[], score: Score): Promise<void> {
      const query = queryOf({}, order);
      const {rows} = await live.source.read(query, 1000, false);
      const referee = refereeFor(query, shape);
      rows.forEach((first, i) => rows.slice(i + 1).forEach(second => {
        for (const [a, b, wanted] of [[first, second, -1], [second, first, 1]] as const) {
          const verdict = referee.compare(a, b);
          score[verdict === 'ask' ? 'asked' : 'decided']++;
          if (verdict === 'ask') continue;
          assert.equal(Math.sign(verdict), wanted,
            `${order.join()}: ${JSON.stringify(a.raw)} beside ${JSON.stringify(b.raw)}`);
        }
      }));
    }
  });
}

function explain(where: object, image: RowImage, leaves: Tree['leaves']): string {
  const values = leaves.map(({property}) => [property, image.raw[property]]);
  return `${JSON.stringify(where)} on ${JSON.stringify(Object.fromEntries(values))}`;
}

function pass22025(error: Error & {code?: string}): undefined {
  if (error.code !== '22025') throw error;
  return undefined;
}

function report(what: string, title: string, scores: Readonly<Record<string, Score>>): void {
  if (!process.env.FC_RUNS) return;
  for (const [name, {decided, asked}] of Object.entries(scores)) {
    console.log(`      ${what} (${name}), ${title}: ${decided} decided, ${asked} asked`);
  }
}
