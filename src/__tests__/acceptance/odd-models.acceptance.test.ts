import assert from 'node:assert/strict';
import {inject} from '@loopback/core';
import {
  DefaultTransactionalRepository, Entity, ModelDefinition, type juggler,
} from '@loopback/repository';
import type {LiveClient} from '../../client';
import {defineEntityController, LiveEntitiesBindings, realtime} from '../../index';
import {givenClient} from '../support/client';
import {givenPostgres18} from '../support/databases';
import {onPostgres} from '../support/loopback-live';
import {RawClient} from '../support/raw-client';
import {RulesApplication} from '../support/read-rules';
import {until} from '../support/until';

/** Made without `@model`, so that LoopBack's decorators know nothing of it. */
class Seat extends Entity {
  declare hall: string;
  declare place: string;
  declare price?: number;
}
Seat.definition = new ModelDefinition({
  name: 'Seat',
  properties: {
    hall: {type: 'string', id: 1, required: true},
    place: {type: 'string', id: 2, required: true},
    price: {type: 'number', jsonSchema: {minimum: 0}},
  },
  settings: {strict: true},
});

class Ticket extends Entity {
  declare id: string;
  declare price?: number;
}
Ticket.definition = new ModelDefinition({
  name: 'Ticket',
  properties: {
    id: {type: 'string', id: true, required: true},
    price: {type: 'number', jsonSchema: {minimum: 0}},
  },
  settings: {strict: true},
});

@realtime<Seat>({views: {all: {transform: () => ({order: ['price ASC']})}}})
class SeatRepository extends DefaultTransactionalRepository<Seat, object> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Seat, dataSource);
  }
}

@realtime<Ticket>({views: {}})
class TicketRepository extends DefaultTransactionalRepository<Ticket, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Ticket, dataSource);
  }
}

class Meter extends Entity {
  declare id: number;
  declare value: number;
}
Meter.definition = new ModelDefinition({
  name: 'Meter',
  properties: {
    id: {type: 'number', id: true, required: true, postgresql: {dataType: 'bigint'}},
    value: {type: 'number'},
  },
});

@realtime<Meter>({views: {all: {transform: () => ({order: ['value ASC']})}}})
class MeterRepository extends DefaultTransactionalRepository<Meter, number> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Meter, dataSource);
  }
}

describe('models that are unlike most', function () {
  this.timeout(60_000);
  let source: {readonly dataSource: juggler.DataSource; drop(): Promise<unknown>};
  let app: RulesApplication;
  let client: LiveClient;

  before(async () => {
    source = (await onPostgres(givenPostgres18))!;
    const repositories = [SeatRepository, TicketRepository, MeterRepository];
    app = await new RulesApplication(source.dataSource, repositories).open();
    client = givenClient(app.restServer.url!);
  });
  after(async () => {
    client?.close();
    await app?.shutDown();
    await source?.drop();
  });

  it('refuses to reach a row by an id that is a part of a composite one', async () => {
    const seats = await app.getRepository(SeatRepository);
    await seats.createAll([
      {hall: 'x', place: '1', price: 1}, {hall: 'x', place: '2', price: 2},
    ]);
    const all = client.collection<Seat>({type: 'Seat', view: 'all', getCount: true});
    await all.ready;
    const refusal = {code: 'BAD_REQUEST', message: /several properties \(hall, place\)/};
    for (const call of [
      () => client.model<Seat>({type: 'Seat', id: 'x'}).ready,
      () => client.read({type: 'Seat', id: 'x'}),
      () => all.update('x', {price: 9}),
      () => all.delete('x'),
    ]) {
      await assert.rejects(call, refusal);
    }
    const prices = () => all.value.map(({place, price}) => `${place}: ${price}`).join();
    assert.equal(prices(), '1: 1,2: 2');
    await all.create({hall: 'x', place: '3', price: 3});
    await seats.updateAll({price: 0}, {hall: 'x', place: '2'});
    await until(all, () => prices() === '2: 0,1: 1,3: 3' && all.meta?.count === 3);
    const server = await app.get(LiveEntitiesBindings.REALTIME_SERVER);
    await server.notifyUpdate({type: 'Seat', ids: ['x']});
  });

  it('makes no REST controller for a composite id', () => {
    assert.throws(() => defineEntityController(Seat, SeatRepository, {basePath: '/seats'}),
      /TypeError: Seat has several id properties/);
  });

  it('keeps rows apart whose ids JavaScript rounds to one', async () => {
    const {dataSource} = source;
    await dataSource.execute(
      'INSERT INTO meter (id, value) VALUES (9007199254740992, 1), (9007199254740993, 2)');
    const all = client.collection<Meter>({type: 'Meter', view: 'all', getCount: true});
    await all.ready;
    const values = () => all.value.map(({value}) => value).join();
    assert.equal(values(), '1,2');
    const raw = await RawClient.connect(app.restServer.url!, {protocol: 2});
    await raw.call('subscribe', {ref: {type: 'Meter', view: 'all'}});
    raw.close();
    assert.match(raw.received, /"keys":\["9007199254740992","9007199254740993"\]/);
    await dataSource.execute('UPDATE meter SET value = 5 WHERE id = 9007199254740992');
    await until(all, () => values() === '2,5');
    await dataSource.execute('DELETE FROM meter WHERE id = 9007199254740993');
    await until(all, () => values() === '5' && all.meta?.count === 1);
  });

  it('checks what is written to a model without @model', async () => {
    const tickets = client.collection<Ticket>({type: 'Ticket', view: 'none'});
    const invalid = {code: 'VALIDATION_FAILED'};
    await assert.rejects(tickets.create({id: 't', price: -1}), invalid);
    await assert.rejects(tickets.create({price: 1} as never), invalid);
    await assert.rejects(tickets.create({id: 't', colour: 'red'} as never), invalid);
    await tickets.create({id: 't', price: 1});
    await assert.rejects(tickets.update('t', {price: -1}), invalid);
    await assert.rejects(tickets.update('t', {price: 'cheap'} as never), invalid);
    assert.equal((await (await app.getRepository(TicketRepository)).findById('t')).price, 1);
  });

  it('makes a REST controller for a model without @model', () => {
    class Pass extends Entity {}
    Pass.definition = new ModelDefinition({
      name: 'Pass', properties: {id: {type: 'string', id: true}},
    });
    class Passes extends DefaultTransactionalRepository<Pass, string> {}
    assert.ok(defineEntityController(Pass, Passes, {basePath: '/passes'}));
  });
});
