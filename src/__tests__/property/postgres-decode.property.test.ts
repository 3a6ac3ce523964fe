import {DefaultCrudRepository, Entity, juggler, ModelDefinition} from '@loopback/repository';
import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import {createPostgresLive, type PostgresLive} from '../../adapters/postgres/live';
import {EVERYTHING} from '../../core/query';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {SILENT} from '../support/live-database';
import {Recorder} from '../support/recorder';

/** Property type, column type, and texts that the column takes. */
const COLUMNS: Record<string, [definition: object, column: string, texts: fc.Arbitrary<string>]> = {
  plain: [{type: 'string'}, 'text', anyText()],
  short: [{type: 'string'}, 'varchar(20)', anyText().map(text => [...text].slice(0, 20).join(''))],
  blank: [{type: 'string'}, 'char(8)', fc.stringMatching(/^\w{0,8}$/)],
  uuid: [{type: 'string'}, 'uuid', fc.uuid()],
  mood: [{type: 'string'}, 'mood', fc.constantFrom('sad', 'glad')],
  name: [{type: 'string'}, 'short_name', fc.stringMatching(/^\w{1,8}$/)],
  small: [{type: 'number'}, 'smallint', fc.integer({min: -32768, max: 32767}).map(String)],
  whole: [{type: 'number'}, 'integer', fc.integer().map(String)],
  large: [{type: 'number'}, 'bigint', fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String)],
  money: [{type: 'number'}, 'numeric(20, 4)', fc.integer().map(cents => String(cents / 100))],
  exact: [{type: 'number'}, 'numeric', fc.constantFrom('0', '1.50', '-0.00', '1e30', 'NaN')],
  real: [{type: 'number'}, 'real', fc.float({noNaN: true}).map(String)],
  double: [{type: 'number'}, 'double precision', fc.double().map(String)],
  yes: [{type: 'boolean'}, 'boolean', fc.constantFrom('t', 'f')],
  letter: [{type: 'boolean'}, 'char(1)', fc.constantFrom('Y', 'N')],
  digit: [{type: 'boolean'}, 'integer', fc.constantFrom('0', '1', '7')],
  at: [{type: 'date'}, 'timestamptz', moments()],
  local: [{type: 'date'}, 'timestamp', moments()],
  day: [{type: 'date'}, 'date', moments()],
  time: [{type: 'string'}, 'time', fc.constantFrom('00:00', '23:59:59.123456')],
  span: [{type: 'string'}, 'interval', fc.constantFrom('1 day', '-1 year 2 mons 3.5 secs')],
  json: [{type: 'object'}, 'jsonb', anyJson()],
  text: [{type: 'object'}, 'json', anyJson()],
  any: [{type: 'any'}, 'jsonb', anyJson()],
  stringified: [{type: 'string'}, 'jsonb', anyJson()],
  list: [{type: 'array', itemType: 'string'}, 'jsonb', listOf(fc.oneof(anyText(), fc.integer()))],
  numbers: [{type: 'array', itemType: 'number'}, 'jsonb', listOf(fc.integer())],
  objects: [{type: 'array', itemType: 'object'}, 'jsonb',
    listOf(fc.dictionary(fc.string(), fc.nat()))],
  words: [{type: 'array', itemType: 'string'}, 'text[]', fc.array(fc.stringMatching(/^\w*$/))
    .map(words => `{${words.map(word => (word === '' ? 'NULL' : word)).join()}}`)],
  bytes: [{type: 'buffer'}, 'bytea', fc.uint8Array()
    .map(bytes => `\\x${Buffer.from(bytes).toString('hex')}`)],
  point: [{type: 'geopoint'}, 'point', fc.constantFrom('(1,2)', '(-1.5,0)')],
  secret: [{type: 'number', encrypt: true}, 'text', anyText()],
  assumed: [{type: 'string', default: 'zz', persistDefaultValues: false}, 'text',
    fc.constantFrom('zz', 'aa')],
};

class Everything extends Entity {}
Everything.definition = new ModelDefinition({
  name: 'Everything',
  properties: {
    id: {type: 'number', id: true},
    ...Object.fromEntries(
      Object.entries(COLUMNS).map(([name, [definition]]) => [name, definition]),
    ),
  },
});

describe('row images from PostgreSQL', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let dataSource: juggler.DataSource;
  let repository: DefaultCrudRepository<Everything, number>;
  let live: PostgresLive;
  const recorder = new Recorder();

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('decode');
    const columns = Object.entries(COLUMNS).map(([name, [, column]]) => `"${name}" ${column}`);
    await database.query(`CREATE TYPE mood AS ENUM ('sad', 'glad');
      CREATE DOMAIN name_base AS varchar(8);
      CREATE DOMAIN short_name AS name_base CHECK (value <> '');
      CREATE TABLE everything (id bigint PRIMARY KEY, unmapped text, ${columns.join()})`);
    dataSource = new juggler.DataSource({connector: 'postgresql', ...database.config});
    repository = new DefaultCrudRepository<Everything, number>(Everything, dataSource);
    const models = [repository.modelClass];
    live = await createPostgresLive({dataSource, models, logger: SILENT});
    await live.feed.start(live.shapes, recorder);
  });
  after(async () => {
    await live.close();
    await dataSource.disconnect();
    await database.drop();
  });

  it('equal what the repository answers, from the feed and from a read', async () => {
    let lastId = 0;
    const row = fc.record(Object.fromEntries(Object.entries(COLUMNS).map(
      ([name, [, , texts]]) => [name, fc.option(texts, {freq: 6})],
    )));
    const rows = fc.array(row, {minLength: 15, maxLength: 15});
    await fc.assert(fc.asyncProperty(rows, async given => {
      const first = lastId + 1;
      lastId += given.length;
      const texts = given.map((values, i) => [String(first + i), ...Object.values(values)]);
      await insert(texts);
      await recorder.upTo(String(lastId));
      const byRead = await live.source.read(
        {
          entity: 'Everything',
          condition: {kind: 'compare', property: 'id', operator: 'gte', value: first},
          order: [{property: 'id', descending: false}],
        },
        given.length,
        false,
      );
      for (let i = 0; i < given.length; i++) {
        const id = first + i;
        const expected = JSON.parse(JSON.stringify(await answerOf(id, given[i])));
        const [change] = recorder.changesOf(String(id));
        assert.ok(change.kind === 'insert');
        assert.deepEqual(change.after.values, expected);
        assert.deepEqual(byRead.rows[i].values, expected);
        assert.deepEqual(byRead.rows[i].raw, change.after.raw);
        assert.equal(byRead.rows[i].key, change.after.key);
      }
      recorder.forget();
    }), {numRuns: Number(process.env.FC_RUNS ?? 40)});
  });

  it('hold the whole text where JSON loses some', async () => {
    await database.query(`INSERT INTO everything (id, at, large, exact)
      VALUES (-1, '2026-01-31 12:00:00.123456+02', '9007199254740993', '0.1000000000000000055')`);
    const {rows: [image]} = await live.source.read(
      {entity: 'Everything', condition: EVERYTHING, order: [{property: 'id', descending: false}]},
      1,
      false,
    );
    const {at, large, exact} = image.raw;
    assert.deepEqual([at, large, exact],
      ['2026-01-31 10:00:00.123456+00', '9007199254740993', '0.1000000000000000055']);
    assert.equal(image.values.at, '2026-01-31T10:00:00.123Z');
  });

  /** What is encrypted never comes decrypted: the plain repository cannot read it, nor do we. */
  async function answerOf(id: number, given: Record<string, string | null>): Promise<object> {
    const found = await repository.findById(id);
    return {...found.toJSON(), secret: given.secret};
  }

  async function insert(rows: (string | null)[][]): Promise<void> {
    const names = ['id', ...Object.keys(COLUMNS)];
    const values = rows.map((_, r) =>
      `(${names.map((__, c) => `$${r * names.length + c + 1}`).join()})`);
    await database.query(
      `INSERT INTO everything (${names.map(name => `"${name}"`).join()}) VALUES ${values.join()}`,
      rows.flat(),
    );
  }
});

function anyText(): fc.Arbitrary<string> {
  const odd = fc.constantFrom('', '\ufeffmarked', ' ', "it's", '\\', '"', '🧰', 'é', 'e\u0301');
  return fc.oneof(odd, fc.string({unit: 'grapheme'}), fc.string({unit: 'binary'}))
    .map(text => text.replaceAll('\0', ''));
}

function moments(): fc.Arbitrary<string> {
  const special = fc.constantFrom(
    'infinity', '-infinity', '0001-01-01 00:00:00Z', '0044-03-15 12:00:00Z BC',
    '1969-12-31 23:59:59.999999Z', '9999-12-31 23:59:59.9Z', '12026-01-01 00:00:00Z',
  );
  const [min, max] = [new Date('1500-01-01'), new Date('2200-01-01')];
  const usual = fc.date({min, max, noInvalidDate: true});
  const fine = fc.tuple(usual, fc.nat(999)).map(([date, micros]) =>
    date.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`));
  return fc.oneof({weight: 1, arbitrary: special}, {weight: 8, arbitrary: fine});
}

function anyJson(): fc.Arbitrary<string> {
  return fc.json({maxDepth: 2}).filter(isStorable);
}

function listOf(item: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  return fc.array(item, {maxLength: 4}).map(list => JSON.stringify(list)).filter(isStorable);
}

/** PostgreSQL takes neither zero characters nor halves of surrogate pairs. */
function isStorable(json: string): boolean {
  return !/\\u(0000|d[89a-f])/i.test(json);
}
