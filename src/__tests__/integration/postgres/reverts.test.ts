import assert from 'node:assert/strict';
import {DefaultTransactionalRepository, Entity, ModelDefinition} from '@loopback/repository';
import {historical} from '../../../mixins/decorators';
import type {HistoricalRepository} from '../../../mixins/repository-methods';
import {givenPostgresSource} from '../../support/behaviours';
import {givenPostgres18} from '../../support/databases';

/** Columns for which PostgreSQL's driver makes something else than the text that was written. */
const COLUMNS = {
  date: '2024-02-29',
  timestamptz: '2024-02-29 10:00:00.5+02',
  interval: '1 day 02:00:00',
  jsonb: '{"a": [1]}',
};

interface Kept extends Entity {
  id: string;
  name?: string;
  kept?: unknown;
}

describe('a revert in PostgreSQL', () => {
  for (const [dataType, value] of Object.entries(COLUMNS)) {
    it(`writes a text property back into a column of ${dataType}`, async () => {
      const database = await (await givenPostgres18()).createDatabase('reverts');
      const dataSource = givenPostgresSource(database);
      try {
        class KeptModel extends Entity {}
        KeptModel.definition = new ModelDefinition({
          name: 'Kept',
          properties: {
            id: {type: 'string', id: true},
            name: {type: 'string'},
            kept: {type: 'string', postgresql: {dataType}},
          },
        });
        @historical()
        class Repository extends DefaultTransactionalRepository<Kept, string> {}
        const kept = new Repository(
          KeptModel as unknown as typeof Entity & {prototype: Kept},
          dataSource,
        ) as Repository & HistoricalRepository<Kept, string>;
        await dataSource.automigrate(['Kept', 'KeptHistory']);
        await kept.create({id: 'a', name: 'one', kept: value});
        const before = await kept.findById('a');
        await kept.updateById('a', {name: 'two', kept: null} as object);
        await kept.revertTo('a', 1);
        assert.deepEqual(await kept.findById('a'), before);
      } finally {
        await dataSource.disconnect();
        await database.drop();
      }
    });
  }
});
