import assert from 'node:assert/strict';
import {DefaultCrudRepository, Entity, juggler, ModelDefinition} from '@loopback/repository';
import {audited, historical, softDeletable, versioned} from '../../mixins/decorators';
import type {HistoricalRepository} from '../../mixins/repository-methods';

interface Open extends Entity {
  id: string;
  name?: string;
  free?: number;
  extra?: string;
  _version?: string;
}

class OpenModel extends Entity {}
OpenModel.definition = new ModelDefinition({
  name: 'Open',
  settings: {strict: false},
  properties: {id: {type: 'string', id: true}, name: {type: 'string'}},
});

type OpenRepository = DefaultCrudRepository<Open, string> & HistoricalRepository<Open, string>;
const DECORATORS = {versioned, audited, softDeletable, historical};

describe('properties that a model does not name, where it is open and the connector too', () => {
  for (const [name, decorate] of Object.entries(DECORATORS)) {
    it(`are written like any other by a repository that is ${name}`, async () => {
      const open = givenOpen(decorate());
      await open.create({id: '1', name: 'a', free: 5});
      const write = async (work: (version: object) => Promise<unknown>) => {
        const {_version} = await open.findById('1');
        await work(_version ? {version: _version} : {});
        return open.findById('1');
      };
      assert.equal((await write(v => open.updateById('1', {free: 6}, v))).free, 6);
      assert.equal((await write(v => open.updateById('1', {name: 'b', free: 7}, v))).free, 7);
      assert.equal((await write(() => open.updateAll({free: 8}, {free: 7}))).free, 8);
      const replaced = await write(v => open.replaceById('1', {name: 'c', extra: 'x'}, v));
      assert.deepEqual([replaced.name, replaced.extra, replaced.free ?? null], ['c', 'x', null]);
      assert.deepEqual(await open.count({extra: 'x'} as object), {count: 1});
    });
  }

  it('are kept in the history, and come back from it', async () => {
    const open = givenOpen(historical());
    await open.create({id: '1', name: 'a', free: 5});
    await open.updateById('1', {free: 6});
    await open.updateById('1', {free: 6});
    await open.replaceById('1', {name: 'a'});
    const states = (await open.history('1')).map(({entity}) => entity.free);
    assert.deepEqual(states, [5, 6]);
    await open.revertTo('1', 1);
    assert.equal((await open.findById('1')).free, 5);
    await open.deleteById('1');
    assert.equal((await open.history('1')).length, 4);
  });
});

function givenOpen(decorate: ReturnType<typeof versioned>): OpenRepository {
  class Repository extends DefaultCrudRepository<Open, string> {}
  const Decorated = (decorate(Repository) ?? Repository) as typeof Repository;
  const dataSource = new juggler.DataSource({name: 'open', connector: 'memory'});
  const entity = OpenModel as unknown as typeof Entity & {prototype: Open};
  return new Decorated(entity, dataSource) as OpenRepository;
}
