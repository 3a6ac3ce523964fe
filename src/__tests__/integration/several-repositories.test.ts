import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {juggler} from '@loopback/repository';
import {
  ALL,
  givenContext,
  givenItemModel,
  givenItems,
  givenMemory,
  givenPostgresSource,
} from '../support/behaviours';
import {givenPostgres18, type TestDatabase} from '../support/databases';

describe('two repositories of one entity with different behaviours', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  const sources: Record<string, () => Promise<juggler.DataSource>> = {
    'memory': async () => givenMemory(),
    'PostgreSQL 18': async () => {
      database = await (await givenPostgres18()).createDatabase('several');
      return givenPostgresSource(database);
    },
  };
  after(() => database?.drop());

  for (const [name, given] of Object.entries(sources)) {
    it(`work side by side, and neither shows what the other hides (${name})`, async () => {
      const dataSource = await given();
      const [context, Model] = [givenContext(), givenItemModel(`Shared${randomUUID().slice(0, 8)}`)];
      const full = await givenItems(dataSource, ALL, context, Model);
      const plain = await givenItems(dataSource, ['softDelete'], context, Model);
      const {_version} = await full.create({id: 'a', name: 'one'});
      await full.updateById('a', {name: 'two', _version});
      const seen = await plain.findById('a');
      assert.deepEqual(['_revision', '_validFrom', '_newVersion'].filter(n => n in seen), []);
      assert.equal((await full.history('a')).length, 1);
      await plain.updateById('a', {name: 'three'});
      assert.equal((await full.findById('a')).name, 'three');
      await dataSource.disconnect();
    });
  }
});
