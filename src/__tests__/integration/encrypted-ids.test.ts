import assert from 'node:assert/strict';
import {DefaultCrudRepository, Entity, juggler, model, property} from '@loopback/repository';
import {encrypted} from '../../index';
import {givenContext, givenPostgresSource, migrate} from '../support/behaviours';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {givenMariaDatabase, givenMariaSource, type MariaDatabase} from '../support/mariadb';

const UUID = 'bbbbbbbb-0000-4000-8000-00000000000b';

@model()
class Ticket extends Entity {
  @property({type: 'string', id: true, postgresql: {dataType: 'uuid'}}) id: string;
  @property({type: 'string', encrypt: true}) secret: string;
}

@model()
class Seat extends Entity {
  @property({type: 'string', id: true, postgresql: {dataType: 'bigint'}}) id: string;
  @property({type: 'string', encrypt: true}) secret: string;
}

@encrypted()
class Tickets extends DefaultCrudRepository<Ticket, string> {
  liveContext = givenContext();
}

@encrypted()
class Seats extends DefaultCrudRepository<Seat, string> {
  liveContext = givenContext();
}

describe('encryption bound to an id that a database knows in another spelling', function () {
  this.timeout(60_000);
  let postgres: TestDatabase;
  let source: juggler.DataSource;
  let maria: MariaDatabase | undefined;

  before(async () => {
    postgres = await (await givenPostgres18()).createDatabase('ids');
    source = givenPostgresSource(postgres);
    maria = await givenMariaDatabase('ids');
  });

  after(async () => {
    await source.disconnect();
    await postgres.drop();
    await maria?.drop();
  });

  it('reads a UUID that was written in capitals, in braces or without hyphens', async () => {
    const tickets = new Tickets(Ticket, source);
    await migrate(source);
    for (const id of [UUID.toUpperCase(), `{${UUID}}`, UUID.replaceAll('-', '')]) {
      await tickets.create({id, secret: 'made'});
      assert.equal((await tickets.findById(UUID)).secret, 'made');
      await tickets.updateById(id, {secret: 'changed'});
      assert.equal((await tickets.findById(UUID)).secret, 'changed');
      await tickets.deleteById(id);
    }
  });

  it('reads what was written by a number with zeros before it', async () => {
    const seats = new Seats(Seat, source);
    await migrate(source);
    await seats.create({id: '007', secret: 'made'});
    assert.equal((await seats.findById('7')).secret, 'made');
    await seats.updateById('07', {secret: 'changed'});
    assert.equal((await seats.findById('7')).secret, 'changed');
  });

  it('reads what was written where case does not count, however long', async function () {
    if (!maria) return this.skip();
    const dataSource = givenMariaSource(maria);
    const seats = new Seats(Seat, dataSource);
    await migrate(dataSource);
    await seats.create({id: 'Row A', secret: 'made'});
    await seats.updateById('row a', {secret: 'changed'});
    assert.equal((await seats.findById('Row A')).secret, 'changed');
    await seats.updateById('Row A', {secret: 'long'.repeat(20_000)});
    assert.equal((await seats.findById('Row A')).secret.length, 80_000);
    await dataSource.autoupdate('Seat');
    assert.equal((await seats.findById('Row A')).secret.length, 80_000);
    await dataSource.disconnect();
  });
});
