import assert from 'node:assert/strict';
import {Context} from '@loopback/core';
import {
  DefaultCrudRepository,
  Entity,
  hasMany,
  juggler,
  model,
  property,
  type HasManyRepositoryFactory,
} from '@loopback/repository';
import {encrypted, LiveEntitiesBindings} from '../../index';
import {givenMemory, givenPostgresSource, migrate} from '../support/behaviours';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {keys} from '../support/people';

@model()
class Card extends Entity {
  @property({type: 'string', id: true}) id: string;
  @property({type: 'string'}) ownerId: string;
  @property({type: 'string', encrypt: {searchable: true}}) number: string;
  @property({type: 'string', encrypt: true}) pin?: string;
  @property({type: 'string'}) label?: string;
}

@model()
class Owner extends Entity {
  @property({type: 'string', id: true}) id: string;
  @hasMany(() => Card) cards?: Card[];
}

@encrypted()
class CardRepository extends DefaultCrudRepository<Card, string> {}

class OwnerRepository extends DefaultCrudRepository<Owner, string> {
  readonly cards: HasManyRepositoryFactory<Card, string>;

  constructor(dataSource: juggler.DataSource, cards: CardRepository) {
    super(Owner, dataSource);
    this.cards = this.createHasManyRepositoryFactoryFor('cards', async () => cards);
    this.registerInclusionResolver('cards', this.cards.inclusionResolver);
  }
}

describe('encrypted properties across relations', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  const sources: Record<string, () => Promise<juggler.DataSource>> = {
    'memory': async () => givenMemory(),
    'PostgreSQL 18': async () => {
      database = await (await givenPostgres18()).createDatabase('relations');
      return givenPostgresSource(database);
    },
  };
  after(() => database?.drop());

  for (const [name, given] of Object.entries(sources)) {
    it(`are found, shown and refused in scopes and constrained repositories (${name})`, async () => {
      const dataSource = await given();
      const cards = new CardRepository(Card, dataSource);
      const context = new Context();
      context.configure(LiveEntitiesBindings.CRYPTO).to(keys('k1'));
      (cards as unknown as {liveContext: Context}).liveContext = context;
      const owners = new OwnerRepository(dataSource, cards);
      await migrate(dataSource);
      await owners.createAll([{id: 'o1'}, {id: 'o2'}]);
      await owners.cards('o1').create({id: 'c1', number: '4111', pin: '1'});
      await owners.cards('o1').create({id: 'c2', number: '5500'});
      await owners.cards('o2').create({id: 'c3', number: '4111'});

      const include = (scope: object) => ({include: [{relation: 'cards', scope}], order: ['id']});
      const found = await owners.find(include({where: {or: [{number: '4111'}, {id: 'x'}]}}));
      assert.deepEqual(found.map(o => o.cards?.map(({id, number}) => [id, number])),
        [[['c1', '4111']], [['c3', '4111']]]);
      const [first] = await owners.find(include({fields: ['number', 'ownerId'], order: ['id']}));
      assert.deepEqual(first.cards?.map(card => card.toJSON()),
        [{number: '4111', ownerId: 'o1'}, {number: '5500', ownerId: 'o1'}]);

      const mine = owners.cards('o1');
      assert.deepEqual((await mine.find({where: {number: '4111'}})).map(({id}) => id), ['c1']);
      assert.equal((await mine.patch({label: 'red'}, {number: '5500'})).count, 1);
      assert.equal((await mine.delete({number: {inq: ['5500']}, label: 'red'})).count, 1);

      const refusal = {code: 'ENCRYPTED_QUERY_UNSUPPORTED', statusCode: 422};
      await assert.rejects(owners.find(include({where: {and: [{pin: '1'}]}})), refusal);
      await assert.rejects(owners.find(include({where: {number: {like: '4%'}}})), refusal);
      await assert.rejects(owners.find(include({order: ['number DESC']})), refusal);
      await assert.rejects(mine.find({where: {pin: '1'}}), refusal);
      await assert.rejects(mine.delete({pin: {gt: '1'}} as never), refusal);
      await dataSource.disconnect();
    });
  }
});
