import assert from 'node:assert/strict';
import {
  DefaultTransactionalRepository,
  Entity,
  ModelDefinition,
  type juggler,
  type PropertyDefinition,
} from '@loopback/repository';
import {historical, softDeletable, versioned} from '../../../mixins/decorators';
import type {HistoricalRepository, VersionedRepository} from '../../../mixins/repository-methods';
import {givenPostgresSource} from '../../support/behaviours';
import {givenPostgres18, type TestDatabase} from '../../support/databases';

interface Named extends Entity {
  id: string;
  value?: string;
  other?: string;
  _version?: string;
}

type NamedRepository = DefaultTransactionalRepository<Named, string> &
  VersionedRepository<Named, string> &
  HistoricalRepository<Named, string>;

const ODD = ['$1', 'a"b', 'a.b', 'a b', 'größe', 'Upper', `q'uote`, 'semi;--', 'a\\b', 't', 'id'];
/** As long as PostgreSQL lets names be, less than a suffix. */
const LONG = 'a_table_whose_name_says_all_that_there_is_to_say_about_it_at_';

describe('odd names in PostgreSQL', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let dataSource: juggler.DataSource;

  beforeEach(async () => {
    database = await (await givenPostgres18()).createDatabase('names');
    dataSource = givenPostgresSource(database);
  });
  afterEach(async () => {
    await dataSource.disconnect();
    await database.drop();
  });

  for (const name of ODD) {
    it(`a column and a table named ${name} are like any other`, async () => {
      const columnName = name === 'id' ? 'named id' : name;
      const named = await givenNamed('Odd', {table: name}, {postgresql: {columnName}});
      await named.createAll([{id: 'a', value: 'one'}, {id: 'b'}]);
      const [{_version}] = await named.find({where: {value: 'one'}, order: ['value DESC']});
      await named.updateById('a', {value: 'two', _version});
      await named.updateAll({value: 'three'}, {value: 'two'});
      const now = await named.findById('a');
      const versions = [{id: 'a', _version: now._version}];
      await named.updateAll({value: 'four'}, {value: 'three'}, {versions});
      const states = (await named.history('a')).map(({entity}) => entity.value);
      assert.deepEqual(states, ['one', 'two', 'three']);
      const [past] = await named.findAsOf(new Date(), {where: {value: 'four'}});
      assert.equal(past.id, 'a');
      await named.deleteById('a', {version: past._version});
      assert.deepEqual(await named.count(), {count: 1});
    });
  }

  it('a question mark is refused, because a connector would take it for a value', () => {
    const refusals: [object, object][] = [
      [{postgresql: {table: 'ok?'}}, {}],
      [{}, {postgresql: {columnName: 'ok?'}}],
    ];
    for (const [settings, property] of refusals) {
      assert.throws(() => repositoryOf('Asking', settings, property), {code: 'NAME_UNUSABLE'});
    }
  });

  it('an id with a column name of its own has a history like any other', async () => {
    const named = await givenNamed('Numbered', {}, {}, {}, {postgresql: {columnName: 'thing_id'}});
    await named.create({id: 'a', value: 'one'});
    const {_version} = await named.findById('a');
    await named.updateById('a', {value: 'two', _version});
    assert.deepEqual((await named.history('a')).map(({entity}) => entity.value), ['one']);
    const [past] = await named.findAsOf(new Date());
    assert.deepEqual([past.id, past.value], ['a', 'two']);
  });

  it('tables that begin alike keep their histories apart', async () => {
    const all = [
      await givenNamed('One', {table: `${LONG}1`}),
      await givenNamed('Two', {table: `${LONG}2`}),
      await givenNamed('Three', {tableName: `${LONG}3`, schema: 'public'}),
      await givenNamed(`${LONG}A`),
      await givenNamed(`${LONG}B`),
    ];
    for (const named of all) {
      const {_version} = await named.create({id: 'a', value: named.entityClass.modelName});
      await named.updateById('a', {value: 'changed', _version});
    }
    for (const named of all) {
      const states = (await named.findHistory()).map(({entity}) => entity.value);
      assert.deepEqual(states, [named.entityClass.modelName]);
      assert.equal((await named.find()).length, 1);
    }
  });

  it('indexes of live rows whose names are long are all there, and stay', async () => {
    const unique = {index: {unique: true}};
    const named = await givenNamed('Long', {table: `${LONG}it`}, unique, unique);
    for (let i = 0; i < 2; i++) await dataSource.autoupdate(['Long']);
    const {_version} = await named.create({id: 'a', value: 'v', other: 'o'});
    await assert.rejects(named.create({id: 'b', value: 'v'}), {code: '23505'});
    await assert.rejects(named.create({id: 'b', other: 'o'}), {code: '23505'});
    await named.deleteById('a', {version: _version});
    await named.create({id: 'b', value: 'v', other: 'o'});
  });

  it('a history does not go into a model of the application', () => {
    new DefaultTransactionalRepository(entityNamed('BookHistory', {}, {}), dataSource);
    assert.throws(() => repositoryOf('Book', {}, {}), {code: 'HISTORY_NAME_TAKEN'});
  });

  async function givenNamed(
    name: string,
    postgresql?: object,
    value: Partial<PropertyDefinition> = {},
    other: Partial<PropertyDefinition> = {},
    id: Partial<PropertyDefinition> = {},
  ): Promise<NamedRepository> {
    const named = repositoryOf(name, postgresql ? {postgresql} : {}, value, other, id);
    await dataSource.automigrate([name, `${name}History`]);
    return named;
  }

  function repositoryOf(name: string, settings: object, value: object, other = {}, id = {}) {
    const entity = entityNamed(name, settings, value, other, id);
    @versioned()
    @softDeletable()
    @historical()
    class Repository extends DefaultTransactionalRepository<Named, string> {}
    return new Repository(entity, dataSource) as NamedRepository;
  }
});

function entityNamed(name: string, settings: object, value: object, other = {}, id = {}) {
  class NamedModel extends Entity {}
  NamedModel.definition = new ModelDefinition({
    name,
    settings: {...settings},
    properties: {
      id: {type: 'string', id: true, ...id},
      value: {type: 'string', ...value},
      other: {type: 'string', ...other},
    },
  });
  return NamedModel as unknown as typeof Entity & {prototype: Named};
}
