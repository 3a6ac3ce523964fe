import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {inject} from '@loopback/core';
import {
  DefaultTransactionalRepository,
  Entity,
  juggler,
  model,
  property,
  RepositoryMixin,
} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {type Client, createRestAppClient} from '@loopback/testlab';
import {LiveEntitiesComponent} from '../../../components/live-entities.component';
import {defineEntityController} from '../../../components/rest/entity-controller';
import {audited, historical} from '../../../mixins/decorators';
import {
  givenConnectedMariaSource,
  givenMariaDatabase,
  type MariaDatabase,
} from '../../support/mariadb';

const column = (dataType: string, more: object = {}) => ({mysql: {dataType, ...more}});

@model()
class Crate extends Entity {
  @property({type: 'string', id: true, ...column('varchar', {dataLength: 40})}) id!: string;
  @property({type: 'string', ...column('varchar', {dataLength: 8})}) label?: string;
  @property({type: 'number', ...column('tinyint')}) small?: number;
  @property({type: 'string', ...column('date')}) day?: string;
  @property({type: 'string', ...column('varchar', {dataLength: 8})}) size?: string;
  @property({type: 'string'}) shelfId?: string;
}

@audited()
@historical()
class CrateRepository extends DefaultTransactionalRepository<Crate, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Crate, dataSource);
  }
}

/** What is sent, and how it is refused. */
const REFUSALS: Record<string, [Partial<Crate>, number, string]> = {
  'a text that is too long': [{label: 'secret value'}, 400, 'INVALID_VALUE'],
  'a number out of range': [{small: 123456}, 400, 'INVALID_VALUE'],
  'a day that is none': [{day: '2026-02-31'}, 400, 'INVALID_VALUE'],
  'a text that is none of an enum': [{size: 'secret'}, 400, 'INVALID_VALUE'],
  'a value that breaks a rule': [{small: 13}, 422, 'CONSTRAINT_VIOLATION'],
  'an unknown reference': [{shelfId: 'secret'}, 409, 'REFERENCE_VIOLATION'],
  'a unique value that is taken': [{label: 'taken'}, 409, 'UNIQUE_VIOLATION'],
  'nothing where there must be something': [{size: null as never}, 422, 'CONSTRAINT_VIOLATION'],
};

describe('what MariaDB refuses over REST', function () {
  this.timeout(60_000);
  let database: MariaDatabase | undefined;
  let dataSource: juggler.DataSource;
  let app: RestApplication;
  let client: Client;

  before(async function () {
    database = await givenMariaDatabase('refusals');
    if (!database) return this.skip();
    dataSource = await givenConnectedMariaSource(database);
    const Application = RepositoryMixin(RestApplication);
    app = new Application({rest: {port: 0, host: '127.0.0.1'}});
    app.component(LiveEntitiesComponent);
    app.bind('datasources.db').to(dataSource);
    app.bind('repositories.CrateRepository').toClass(CrateRepository);
    app.controller(defineEntityController(Crate, CrateRepository, {basePath: '/crates'}));
    new CrateRepository(dataSource);
    await dataSource.automigrate(['Crate', 'CrateHistory']);
    for (const statement of TABLES) await database.query(statement);
    await app.start();
    client = createRestAppClient(app);
    await client.post('/crates').send({id: 'taken', label: 'taken', size: 'big'}).expect(200);
  });
  after(async () => {
    await app?.stop();
    if (dataSource?.connected) await dataSource.disconnect();
    await database?.drop();
  });

  for (const [what, [data, status, code]] of Object.entries(REFUSALS)) {
    it(`is told of ${what} as the client's mistake, without SQL and values`, async () => {
      const own = {id: randomUUID(), size: 'big'};
      const created = await client.post('/crates').send({...own, ...data});
      await client.post('/crates').send(own).expect(200);
      const changed = await client.patch(`/crates/${own.id}`).send(data);
      for (const {body, status: answered, text} of [created, changed]) {
        assert.deepEqual([answered, body.error.code], [status, code], text);
        assert.doesNotMatch(text, /secret|taken'|'taken|123456|02-31|insert into|update `|`/i);
      }
    });
  }
});

const TABLES = [
  'CREATE TABLE Shelf (id varchar(40) PRIMARY KEY) ENGINE=InnoDB',
  'ALTER TABLE Crate MODIFY shelfId varchar(40), ADD FOREIGN KEY (shelfId) REFERENCES Shelf (id)',
  `ALTER TABLE Crate MODIFY size enum('big', 'little') NOT NULL`,
  'ALTER TABLE Crate ADD UNIQUE (label), ADD CHECK (small <> 13)',
];
