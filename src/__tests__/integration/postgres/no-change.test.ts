import assert from 'node:assert/strict';
import {
  DefaultTransactionalRepository,
  Entity,
  model,
  property,
  type juggler,
} from '@loopback/repository';
import {historical} from '../../../mixins/decorators';
import type {HistoricalRepository} from '../../../mixins/repository-methods';
import {givenPostgresSource, migrate} from '../../support/behaviours';
import {givenPostgres18, type TestDatabase} from '../../support/databases';

const typed = (dataType: string) => ({postgresql: {dataType}});

@model()
class Sample extends Entity {
  @property({type: 'string', id: true}) id!: string;
  @property({type: 'string'}) text?: string;
  @property({type: 'string', ...typed('varchar(20)')}) short?: string;
  @property({type: 'string', ...typed('uuid')}) uuid?: string;
  @property({type: 'string', ...typed('char(6)')}) padded?: string;
  @property({type: 'string', ...typed('text COLLATE "ANY_CASE"')}) anyCase?: string;
  @property({type: 'number'}) whole?: number;
  @property({type: 'number', ...typed('numeric(10,2)')}) price?: number;
  @property({type: 'number', ...typed('double precision')}) ratio?: number;
  @property({type: 'boolean'}) flag?: boolean;
  @property({type: 'date'}) moment?: Date;
  @property({type: 'date', ...typed('timestamp')}) local?: Date;
  @property({type: 'date', ...typed('date')}) day?: Date;
  @property({type: 'object', ...typed('json')}) json?: object;
  @property({type: 'object', ...typed('jsonb')}) jsonb?: object;
  @property({type: 'object'}) plain?: object;
  @property({type: 'geopoint'}) place?: object;
  @property({type: 'array', itemType: 'string'}) list?: string[];
}

/** Values of each column, and others that look much like them. */
const VALUES: Record<string, [unknown, ...unknown[]]> = {
  text: ['one', 'One', 'one ', null],
  short: ['one', 'One', ''],
  uuid: ['5b0f4a64-6d70-4c62-a2c0-0c6a3c2b1f11', '5b0f4a64-6d70-4c62-a2c0-0c6a3c2b1f12'],
  padded: ['abc', 'abC'],
  anyCase: ['straße', 'STRASSE', 'Straße'],
  whole: [1, 2, 0],
  price: [12.5, 12.51],
  ratio: [0.1, 0.30000000000000004, 1e300],
  flag: [true, false, null],
  moment: [new Date('2026-01-01T00:00:00.123Z'), new Date('2026-01-01T00:00:00.124Z')],
  local: [new Date('2026-01-01T00:00:00.123Z'), new Date('2026-01-01T00:00:00.124Z')],
  day: [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-02T00:00:00Z')],
  json: [{a: 1, b: ['x']}, {a: 1, b: ['x', null]}, {}],
  jsonb: [{a: 1, b: ['x', 'y']}, {a: 1, b: ['y', 'x']}, {a: '1', b: ['x', 'y']}],
  plain: [{a: 1, b: 'two'}, {a: 1, b: 'Two'}],
  place: [{lat: 1, lng: 2}, {lat: 2, lng: 1}],
  list: [['x', 'y'], ['y', 'x'], []],
};

describe('what PostgreSQL takes for a change', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let dataSource: juggler.DataSource;
  let samples: DefaultTransactionalRepository<Sample, string> &
    HistoricalRepository<Sample, string>;

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('no_change');
    await database.query(
      `CREATE COLLATION "ANY_CASE" (provider = icu, locale = 'und-u-ks-level1', deterministic = false)`,
    );
    dataSource = givenPostgresSource(database);
    @historical()
    class Samples extends DefaultTransactionalRepository<Sample, string> {
      constructor(db: juggler.DataSource) {
        super(Sample, db);
      }
    }
    samples = new Samples(dataSource) as never;
    await migrate(dataSource);
  });
  after(async () => {
    await dataSource.disconnect();
    await database.drop();
  });

  for (const [name, [first, ...others]] of Object.entries(VALUES)) {
    it(`${name}: another value, not the same again`, async () => {
      const revisions = async () => (await samples.history(name)).length;
      await samples.create({id: name, [name]: first});
      await samples.updateById(name, {[name]: first});
      await samples.updateAll({[name]: first}, {id: name});
      assert.equal(await revisions(), 0);
      for (const [i, other] of [...others, first].entries()) {
        await samples.updateById(name, {[name]: other});
        assert.equal(await revisions(), i + 1, `${JSON.stringify(other)} is another value`);
        await samples.updateById(name, {[name]: other});
        assert.equal(await revisions(), i + 1, `${JSON.stringify(other)} again`);
      }
    });
  }
});
