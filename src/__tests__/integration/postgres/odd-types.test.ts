import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {
  DefaultTransactionalRepository,
  Entity,
  ModelDefinition,
  type juggler,
  type PropertyDefinition,
} from '@loopback/repository';
import {historical, versioned} from '../../../mixins/decorators';
import {VersionConflictError} from '../../../mixins/errors';
import type {HistoricalRepository, VersionedRepository} from '../../../mixins/repository-methods';
import {givenPostgresSource, migrate} from '../../support/behaviours';
import {
  givenPostgres15,
  givenPostgres18,
  type PostgresServer,
  type TestDatabase,
} from '../../support/databases';

interface Odd extends Entity {
  id: unknown;
  value?: unknown;
  note?: string;
  _version?: string;
}

type OddRepository = DefaultTransactionalRepository<Odd, unknown> &
  VersionedRepository<Odd, unknown> &
  HistoricalRepository<Odd, unknown>;

const typed = (type: PropertyDefinition['type'], dataType?: string) =>
  ({type, ...(dataType ? {postgresql: {dataType}} : {})}) as PropertyDefinition;

/** Types of ids: an id, other spellings of it, and ids of other rows. */
const IDS: Record<string, [PropertyDefinition, unknown[], (n: number) => unknown]> = {
  'bytes': [
    typed('buffer', 'bytea'),
    [Buffer.from([0, 255])],
    n => Buffer.from([n, 254]),
  ],
  'a UUID in capitals': [
    typed('string', 'uuid'),
    ['5B0F4A64-6D70-4C62-A2C0-0C6A3C2B1F11', '5b0f4a64-6d70-4c62-a2c0-0c6a3c2b1f11',
      '{5b0f4a646d704c62a2c00c6a3c2b1f11}'],
    () => randomUUID(),
  ],
  'a bigint beyond numbers': [
    typed('string', 'bigint'), ['9007199254740993', '09007199254740993'], n => `${n}`,
  ],
  'a bigint': [typed('number', 'bigint'), [7, '7'], n => n + 100],
  'an integer': [typed('number'), [7, '7'], n => n + 100],
  'a padded text': [typed('string', 'char(6)'), ['abc', 'abc  '], n => `k${n}`],
  'a text in any case': [
    typed('string', 'text COLLATE "ANY_CASE"'), ['Straße', 'STRASSE'], n => `k${n}`,
  ],
  'a decimal': [typed('number', 'numeric(10,2)'), [1.5, '1.50'], n => n + 100],
  'a moment': [
    typed('date'),
    [new Date('2026-01-01T00:00:00.123Z'), '2026-01-01T01:00:00.123+01:00'],
    n => new Date(Date.UTC(2027, 0, n + 1)),
  ],
};

/** Types of properties: a value, another, and the other one in another spelling. */
const VALUES: Record<string, [PropertyDefinition, unknown, unknown, unknown?]> = {
  'bytes': [typed('buffer', 'bytea'), Buffer.from([0, 255]), Buffer.from([255, 0])],
  'a UUID': [
    typed('string', 'uuid'),
    '5b0f4a64-6d70-4c62-a2c0-0c6a3c2b1f11',
    '5b0f4a64-6d70-4c62-a2c0-0c6a3c2b1f12',
    '5B0F4A64-6D70-4C62-A2C0-0C6A3C2B1F12',
  ],
  'a bigint': [typed('number', 'bigint'), 12, 13],
  'a bigint as text': [typed('string', 'bigint'), '9007199254740993', '9007199254740992'],
  'a decimal': [typed('number', 'numeric(10,2)'), 1.5, 2],
  'a decimal as text': [typed('string', 'numeric(10,2)'), '1.50', '2.00'],
  'a day as text': [typed('string', 'date'), '2026-01-01', '2026-01-02'],
  'a moment as text': [typed('string', 'timestamptz'), '2026-01-01', '2026-01-02T00:00:00.5Z'],
  'an interval': [typed('string', 'interval'), '1 day', '24:00:00'],
  'a time': [typed('string', 'time'), '12:30', '12:30:01'],
  'an object in a text': [typed('object'), {a: 1}, {b: [1]}],
  'a scalar of JSON': [typed('any', 'jsonb'), 5, true],
  'a list of numbers': [
    {type: 'array', itemType: 'number', postgresql: {dataType: 'jsonb'}}, [1], [2, 3],
  ],
  'a list of texts': [
    {type: 'array', itemType: 'string', postgresql: {dataType: 'varchar[]'}}, ['a'], [],
  ],
};

const servers: Record<string, () => Promise<PostgresServer | undefined>> = {
  'PostgreSQL 18': givenPostgres18,
  'PostgreSQL 15': givenPostgres15,
};

for (const [name, givenServer] of Object.entries(servers)) {
  describe(`odd types on ${name}`, function () {
    this.timeout(60_000);
    let database: TestDatabase | undefined;
    let dataSource: juggler.DataSource;

    before(async function () {
      database = await (await givenServer())?.createDatabase('odd_types');
      if (!database) return this.skip();
      await database.query(
        `CREATE COLLATION "ANY_CASE" (provider = icu, locale = 'und-u-ks-level1', deterministic = false)`,
      );
      dataSource = givenPostgresSource(database);
    });
    after(async () => {
      await dataSource?.disconnect();
      await database?.drop();
    });

    for (const [what, [property, [id, ...spellings], another]] of Object.entries(IDS)) {
      for (const executor of ['one statement', 'juggler'] as const) {
        describe(`an id that is ${what}, by ${executor}`, () => {
          let odds: OddRepository;
          beforeEach(async () => {
            odds = await givenOdds(property, typed('string'), executor);
          });

          it('is answered as it is read, whoever reads', async () => {
            const created = await odds.create({id, note: 'one'});
            const [found] = await odds.find();
            const [some] = await odds.find({fields: ['id', 'note']});
            const byId = await odds.findById(id);
            for (const odd of [some, byId]) assert.deepEqual(odd.id, found.id);
            // Juggler's create answers numbers that the driver has as text as it has them.
            if (executor === 'one statement') assert.deepEqual(created.id, found.id);
          });

          it('is met in every spelling', async () => {
            const {_version} = await odds.create({id, note: 'one'});
            let version = _version;
            for (const [i, spelling] of [id, ...spellings].entries()) {
              await odds.updateById(spelling, {note: `by spelling ${i}`}, {version});
              version = (await odds.findById(spelling))._version;
              const versions = [{id: spelling, _version: version}];
              assert.deepEqual(await odds.updateAll({note: 'all'}, {}, {versions}), {count: 1});
              await assert.rejects(
                odds.updateAll({note: 'stale'}, {}, {versions}),
                ({expected, actual}: VersionConflictError) =>
                  expected === version && typeof actual === 'string' && actual !== expected,
              );
              version = (await odds.findById(spelling))._version;
            }
            assert.equal((await odds.history(id)).length, 2 * (spellings.length + 1));
          });

          it('goes on counting its revisions when it is used again', async () => {
            for (const many of [0, 30]) {
              const first = await odds.create({id, note: 'one'});
              await odds.deleteById(id, {version: first._version});
              const others = Array.from({length: many}, (_, n) => ({id: another(n)}));
              const spelling = spellings.at(-1) ?? id;
              const [again] = await odds.createAll([{id: spelling}, ...others]);
              await odds.deleteById(id, {version: again._version});
              await odds.deleteAll();
            }
            const numbers = (await odds.history(id)).map(state => state._revision);
            assert.deepEqual(numbers, [1, 2, 3, 4]);
          });
        });
      }
    }

    for (const [what, [property, first, second, respelt = second]] of Object.entries(VALUES)) {
      for (const executor of ['one statement', 'juggler'] as const) {
        it(`keeps each state of ${what}, and none of a write of the same, by ${executor}`, async () => {
          const odds = await givenOdds(typed('string'), property, executor);
          const versionOf = async () => ({version: (await odds.findById('a'))._version});
          const {_version} = await odds.create({id: 'a', value: first});
          const before = (await odds.findById('a')).value;
          await odds.updateById('a', {value: second}, {version: _version});
          const after = (await odds.findById('a')).value;
          assert.notDeepEqual(after, before);
          if (executor === 'one statement') {
            await odds.updateById('a', {value: respelt}, await versionOf());
            await odds.updateAll({value: respelt}, {id: 'a'});
          }
          await odds.replaceById('a', {id: 'a'}, await versionOf());
          const states = (await odds.history('a')).map(({entity}) => entity.value);
          assert.deepEqual(plain(states), plain([before, after]));
        });
      }

      it(`answers ${what} as it was given when other rows leave it open`, async () => {
        const odds = await givenOdds(typed('string'), property, 'one statement');
        const [, given] = await odds.createAll([{id: 'a'}, {id: 'b', value: first}]);
        assert.deepEqual(plain(given.value), plain(first));
      });
    }

    let models = 0;

    /** @param executor - Models with hooks are written by juggler */
    async function givenOdds(
      id: PropertyDefinition,
      value: PropertyDefinition,
      executor: 'one statement' | 'juggler',
    ): Promise<OddRepository> {
      class OddModel extends Entity {}
      OddModel.definition = new ModelDefinition({
        name: `Odd${++models}`,
        properties: {id: {...id, id: true}, value, note: typed('string')},
      });
      @versioned()
      @historical()
      class Odds extends DefaultTransactionalRepository<Odd, unknown> {
        constructor(db: juggler.DataSource) {
          super(OddModel as never, db);
        }
      }
      const odds = new Odds(dataSource) as OddRepository;
      await migrate(dataSource);
      if (executor === 'juggler') {
        const hooked = odds.modelClass as unknown as {observe(hook: string, f: unknown): void};
        hooked.observe('after delete', async () => {});
      }
      return odds;
    }
  });
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
