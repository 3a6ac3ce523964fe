import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {inject} from '@loopback/core';
import {Entity, juggler, model, property, RepositoryMixin} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {type Client, createRestAppClient} from '@loopback/testlab';
import {LiveEntitiesComponent} from '../../../components/live-entities.component';
import {defineEntityController} from '../../../components/rest/entity-controller';
import {LiveEntitiesBindings} from '../../../keys';
import type {LegacyAlgorithm} from '../../../mixins/crypto/legacy';
import {BaseEntityRepository} from '../../../mixins/mixins';
import {Audited, SoftDeletable, Versioned} from '../../../mixins/model-mixins';
import type {EncryptedRepository} from '../../../mixins/repository-methods';
import {givenPostgresSource} from '../../support/behaviours';
import {givenPostgres15, givenPostgres18, type TestDatabase} from '../../support/databases';

const GUIDE = 'docs/migrating-from-oe-common-mixins.md';
const root = resolve(__dirname, '../../../..').replace(/[\\/]\.build$/, '');

/** `Zoë 4111-1111` as each algorithm stored it under the password `yufy-pass`. */
const STORED: Record<LegacyAlgorithm, string> = {
  'crypto.aes256': '6d86d21d2f1871750345b23053e6dbf2',
  'crypto.aes-256-cbc': '6d86d21d2f1871750345b23053e6dbf2',
  'crypto.aes-256-ctr': '944692dac0175f895bae775e0c5c',
  'crypto.aes128': 'c7da287357ff156f7b662167a6189a27',
  'crypto.aes192': 'a48c1dd9fc74b24fc5e6c972415722d3',
};
const PLAIN = 'Zoë 4111-1111';

@model({
  settings: {
    mixins: {
      VersionMixin: true,
      AuditFieldsMixin: true,
      SoftDeleteMixin: true,
      HistoryMixin: true,
      CryptoMixin: true,
    },
  },
})
class CardPayment extends Versioned(Audited(SoftDeletable(Entity))) {
  @property({type: 'string', id: true, defaultFn: 'uuidv4'}) id!: string;
  @property({type: 'string', encrypt: true}) cardNo?: string;
  @property({type: 'number'}) amount?: number;
}

class CardPaymentRepository extends BaseEntityRepository<CardPayment, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(CardPayment, dataSource);
  }
}

for (const [name, givenServer] of [
  ['PostgreSQL 18', givenPostgres18],
  ['PostgreSQL 15', givenPostgres15],
] as const) {
  describe(`the walk-through of the migration guide on ${name}`, function () {
    this.timeout(60_000);
    let setAside: string;
    let takeOver: string;
    let cleanUp: string;

    before(async function () {
      if (!(await givenServer())) return this.skip();
      const guide = await readFile(`${root}/${GUIDE}`, 'utf8');
      const blocks = [...guide.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, sql]) => sql);
      assert.equal(blocks.length, 3);
      [setAside, takeOver, cleanUp] = blocks;
    });

    for (const algorithm of Object.keys(STORED) as LegacyAlgorithm[]) {
      it(`leads tables with values of ${algorithm} over, and keeps old clients`, async () => {
        const database = await (await givenServer())!.createDatabase('migration');
        try {
          await givenOldTables(database, STORED[algorithm]);
          await database.query(setAside);
          await walkThrough(database, algorithm);
        } finally {
          await database.drop();
        }
      });
    }

    async function walkThrough(database: TestDatabase, algorithm: LegacyAlgorithm) {
      const legacy = {algorithm, password: 'yufy-pass'};
      await withApplication(database, {legacy}, async ({app, client}) => {
        await app.migrateSchema({existingSchema: 'alter'});
        for (const statement of takeOver.split(/;\s*$/m).filter(s => s.trim() !== '')) {
          await database.query(statement);
        }
        await readsWhatWasThere(client);
        await servesOldClients(client);
        const payments = await app.getRepository(CardPaymentRepository);
        const encrypted = payments as unknown as EncryptedRepository;
        const {changed, failed} = await encrypted.reencrypt({batchSize: 2});
        assert.ok(changed > 0);
        assert.equal(failed, 0);
      });
      await database.query(cleanUp);
      for (const table of ['cardpayment', 'cardpaymenthistory']) {
        const rows = await database.query(`SELECT cardno FROM ${table} WHERE cardno IS NOT NULL`);
        assert.ok(rows.length > 0);
        assert.ok(rows.every(({cardno}) => String(cardno).startsWith('le')), table);
      }
      await withApplication(database, {}, async ({client}) => {
        const {body} = await client.get(`${PATH}/p2`).expect(200);
        assert.equal(body.cardNo, PLAIN);
        const {body: states} = await client.get(`${PATH}/p1/history`).expect(200);
        assert.equal(states[0].entity.cardNo, PLAIN);
      });
    }
  });
}

const PATH = '/api/CardPayments';

/** Two live payments, one of them changed twice before; one deleted; one from before versions. */
async function givenOldTables({query}: TestDatabase, stored: string): Promise<void> {
  const columns = `
    cardno text, amount integer, _type text, _createdby text, _createdon timestamptz,
    _modifiedby text, _modifiedon timestamptz, _version text, _oldversion text,
    _newversion text, _parentversion text, _isdeleted boolean`;
  await query(`CREATE TABLE cardpayment (id text PRIMARY KEY, ${columns})`);
  await query(
    `CREATE TABLE cardpaymenthistory (id serial PRIMARY KEY, _modelid text, ${columns})`,
  );
  const by = (who: string, day: number) =>
    `'CardPayment', 'ann', '2020-01-01', '${who}', '2020-01-0${day}'`;
  const none = 'NULL, NULL';
  await query(`INSERT INTO cardpayment VALUES
    ('p1', '${stored}', 12, ${by('cat', 3)}, 'v3', 'v2', ${none}, false),
    ('p2', '${stored}', 20, ${by('ann', 1)}, 'v1', NULL, ${none}, false),
    ('p3', '${stored}', 30, ${by('bob', 2)}, 'v2', 'v1', ${none}, true),
    ('p4', NULL, 40, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ${none}, NULL)`);
  const names = `_modelid, cardno, amount, _type, _createdby, _createdon, _modifiedby,
    _modifiedon, _version, _oldversion, _newversion, _parentversion, _isdeleted`;
  await query(`INSERT INTO cardpaymenthistory (${names}) VALUES
    ('p1', '${stored}', 10, ${by('ann', 1)}, 'v1', NULL, ${none}, false),
    ('p1', '${stored}', 11, ${by('bob', 2)}, 'v2', 'v1', ${none}, false),
    ('p3', '${stored}', 30, ${by('ann', 1)}, 'v1', NULL, ${none}, false)`);
}

async function readsWhatWasThere(client: Client): Promise<void> {
  const filter = JSON.stringify({order: ['id ASC']});
  const {body: rows} = await client.get(PATH).query({filter}).expect(200);
  assert.deepEqual(
    rows.map((r: CardPayment) => [r.id, r.cardNo ?? null, r.amount, r._version ?? null]),
    [['p1', PLAIN, 12, 'v3'], ['p2', PLAIN, 20, 'v1'], ['p4', null, 40, null]],
  );
  const {body: states} = await client.get(`${PATH}/p1/history`).expect(200);
  assert.deepEqual(
    states.map((s: History) => [
      s._revision, s.entity.amount, s.entity.cardNo, s._validTo.slice(0, 10), s._operation, s._by,
    ]),
    [
      [1, 10, PLAIN, '2020-01-02', 'update', 'bob'],
      [2, 11, PLAIN, '2020-01-03', 'update', 'cat'],
    ],
  );
  const {body: deleted} = await client.get(`${PATH}/p3/history`).expect(200);
  assert.deepEqual([deleted[0]._operation, deleted[0]._by], ['delete', 'bob']);
  const asOf = '2020-01-02T12:00:00Z';
  const {body: then} = await client.get(`${PATH}/p1`).query({asOf}).expect(200);
  assert.equal(then.amount, 11);
}

async function servesOldClients(client: Client): Promise<void> {
  const whole = {id: 'p1', cardNo: PLAIN, amount: 13};
  for (const refused of [
    client.put(`${PATH}/p1`).send(whole),
    client.put(`${PATH}/p1`).send({...whole, _version: 'v2'}),
    client.delete(`${PATH}/p1/v2`),
  ]) {
    const {body} = await refused.expect(422);
    const {name, type, code, retriable} = body.error;
    assert.deepEqual([name, type, code, retriable], [
      'Data Error', 'DataModifiedError', 'DATA_ERROR_071', false,
    ]);
  }
  await client.put(`${PATH}/p1`).send({...whole, _version: 'v3'}).expect(204);
  const {body: after} = await client.get(`${PATH}/p1`).expect(200);
  assert.deepEqual([after.amount, after._oldVersion, after._createdBy], [13, 'v3', 'ann']);
  const {body: third} = await client.get(`${PATH}/p1/history`).expect(200);
  assert.deepEqual([third.length, third[2]._revision], [3, 3]);
  await client.put(`${PATH}/p4`).send({id: 'p4', amount: 41, _version: null}).expect(204);
  const {body} = await client.delete(`${PATH}/p1/${after._version}`).expect(200);
  assert.deepEqual(body, {count: 1});
  await client.get(`${PATH}/p1`).expect(404);
}

interface History {
  entity: CardPayment;
  _revision: number;
  _validTo: string;
  _operation: string;
  _by: string;
}

async function withApplication(
  database: TestDatabase,
  crypto: object,
  work: (fixture: {app: PaymentApplication; client: Client}) => Promise<void>,
): Promise<void> {
  const app = new PaymentApplication(givenPostgresSource(database), crypto);
  await app.start();
  try {
    await work({app, client: createRestAppClient(app)});
  } finally {
    await app.stop();
    await app.db.disconnect();
  }
}

class PaymentApplication extends RepositoryMixin(RestApplication) {
  constructor(readonly db: juggler.DataSource, crypto: object) {
    super({rest: {port: 0, host: '127.0.0.1', gracePeriodForClose: 100}});
    this.dataSource(db, 'db');
    this.component(LiveEntitiesComponent);
    this.configure(LiveEntitiesBindings.COMPONENT).to({errors: 'oe'});
    this.configure(LiveEntitiesBindings.CRYPTO).to({
      keys: [{id: 'k1', secret: 'correct horse battery staple correct horse'}],
      current: 'k1',
      ...crypto,
    });
    this.configure(LiveEntitiesBindings.REALTIME).to({enabled: false});
    this.repository(CardPaymentRepository);
    this.controller(
      defineEntityController(CardPayment, CardPaymentRepository, {basePath: PATH}),
    );
  }
}
