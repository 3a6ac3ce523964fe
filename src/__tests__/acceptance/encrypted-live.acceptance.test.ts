import assert from 'node:assert/strict';
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
import {LiveClient, type LiveCollection} from '../../client';
import {
  CryptoMixin,
  historical,
  LiveEntitiesBindings,
  LiveEntitiesComponent,
  realtime,
  softDeletable,
  versioned,
  type RealtimeDefinition,
} from '../../index';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {keys} from '../support/people';
import {until} from '../support/until';

@model()
class Member extends Entity {
  @property({type: 'string', id: true, required: true}) id: string;
  @property({type: 'string'}) name?: string;
  @property({type: 'string', encrypt: {searchable: true, normalize: 'lowercase'}}) email?: string;
  @property({type: 'string', encrypt: true}) diary?: string;
}

const byEmail: RealtimeDefinition<Member> = {
  views: {
    byEmail: {
      paramFields: ['email'],
      primaryKeys: ['email'],
      transform: ({email}) => ({where: {email}, order: ['name ASC']}),
    },
    all: {transform: () => ({order: ['name ASC']})},
  },
};

describe('a live view of encrypted properties', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let app: RestApplication;
  const clients: LiveClient[] = [];

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('encrypted_live');
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await stopped();
  });
  after(() => database?.drop());

  it('finds rows by them, for whatever reason they come and go', async () => {
    const members = await given(byEmail);
    await members.create({id: 'a', name: 'Ann', email: 'Ann@example.org', diary: 'Dear diary'});
    await members.create({id: 'b', name: 'Bob', email: 'bob@example.org'});
    const view = await opened({view: 'byEmail', viewParams: {email: 'ANN@example.org'}});
    assert.deepEqual(view.value.map(({email, diary}) => [email, diary]),
      [['Ann@example.org', 'Dear diary']]);
    await members.create({id: 'c', name: 'Cas', email: 'ann@EXAMPLE.org'});
    await until(view, () => names(view) === 'Ann,Cas');
    await members.updateById('b', {email: 'ann@example.org'}, {bumpVersion: false});
    await until(view, () => names(view) === 'Ann,Bob,Cas');
    await members.updateById('a', {email: null} as never, {bumpVersion: false});
    await until(view, () => names(view) === 'Bob,Cas');
    await members.deleteAll({email: 'ann@example.org'});
    await until(view, () => names(view) === '');
  });

  it('shows no index, and is not told of a re-encryption', async () => {
    let members = await given(byEmail);
    await members.createAll(['d', 'e'].map(id => ({id, name: id, email: `${id}@x`, diary: id})));
    await stopped();
    members = await given(byEmail, keys('k1', 'k2'));
    const [all, one] = [await opened({view: 'all'}), await opened({
      view: 'byEmail', viewParams: {email: 'd@x'},
    })];
    const seen = [all.value, one.value];
    assert.ok(!/Index/.test(JSON.stringify(seen)), JSON.stringify(seen));
    let changes = 0;
    for (const view of [all, one]) view.on('change', () => changes++);
    const {changed} = await members.reencrypt();
    assert.ok(changed >= 2);
    await members.create({id: 'f', name: 'f', email: 'D@x'});
    await until(one, () => names(one) === 'd,f');
    await until(all, () => names(all).endsWith('f'));
    assert.equal(changes, 2, 'only the new row was told');
    assert.equal(all.value.find(({id}) => id === 'd'), seen[0].find(({id}) => id === 'd'));
  });

  const refused: Record<string, RealtimeDefinition<Member>['views']> = {
    'equality of what is not searchable': {
      v: {paramFields: ['diary'], transform: ({diary}) => ({where: {diary}})},
    },
    'a pattern': {
      v: {paramFields: ['email'], transform: ({email}) => ({where: {email: {like: `${email}%`}}})},
    },
    'a range': {
      v: {paramFields: ['email'], transform: ({email}) => ({where: {email: {gt: email}}})},
    },
    'an order': {v: {transform: () => ({order: ['email ASC']})}},
  };
  for (const [what, views] of Object.entries(refused)) {
    it(`does not start with ${what}, and says why`, async () => {
      await assert.rejects(given({views}), (error: Error) =>
        /view Member\.v: .*Member\.(email|diary) is encrypted/.test(error.message));
    });
  }

  async function given(definition: RealtimeDefinition<Member>, config = keys('k1')) {
    const Base = CryptoMixin(DefaultTransactionalRepository<Member, string>);
    @realtime<Member>(definition)
    @versioned() @historical() @softDeletable()
    class MemberRepository extends Base {
      constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
        super(Member, dataSource);
      }
    }
    const rest = {port: 0, host: '127.0.0.1', gracePeriodForClose: 0};
    const made = new (RepositoryMixin(RestApplication))({rest, shutdown: {signals: []}});
    app = made;
    const settings = {name: 'db', connector: 'postgresql', ...database.config};
    made.dataSource(new juggler.DataSource(settings));
    made.repository(MemberRepository);
    made.component(LiveEntitiesComponent);
    made.configure(LiveEntitiesBindings.CRYPTO).to(config);
    await made.migrateSchema();
    await made.start();
    return made.getRepository(MemberRepository);
  }

  async function stopped(): Promise<void> {
    if (app.state === 'started') await app.stop();
    // LoopBack leaves what has started where something else refuses to start.
    else await app.restServer.stop();
    await (await app.get<juggler.DataSource>('datasources.db')).disconnect();
  }

  async function opened(query: {view: string; viewParams?: object}) {
    const client = new LiveClient(app.restServer.url!);
    clients.push(client);
    const collection = client.collection<Member>({type: 'Member', ...query} as never);
    await collection.ready;
    return collection;
  }
});

function names(view: LiveCollection<Member>): string {
  return view.value.map(({name}) => name).join();
}
