import assert from 'node:assert/strict';
import type {LiveClient, LiveCollection} from '../../client';
import {givenClient} from '../support/client';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {
  givenTenants,
  NoteRepository,
  type Draft,
  type Note,
  type TenantApplication,
} from '../support/tenants';
import {until} from '../support/until';

describe('the scope of an entity over the socket', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let app: TenantApplication;
  let notes: NoteRepository;
  let clients: LiveClient[];

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('scope');
    app = await givenTenants(database, {live: true});
    notes = await app.getRepository(NoteRepository);
  });
  after(async () => {
    await app?.shutDown();
    await database?.drop();
  });
  beforeEach(async () => {
    clients = [];
    await app.empty();
    await notes.createAll([
      {id: 'ours', title: 'Ours', tenantId: 'a'},
      {id: 'theirs', title: 'Theirs', tenantId: 'b'},
    ]);
  });
  afterEach(() => clients.forEach(client => client.close()));

  for (const name of ['titleView', 'eitherView']) {
    it(`cuts ${name} and its count to one tenant`, async () => {
      const [a, b] = [await opened('a', name), await opened('b', name)];
      assert.deepEqual([titles(a), a.meta?.count], [['Ours'], 1]);
      assert.deepEqual([titles(b), b.meta?.count], [['Theirs'], 1]);
      await notes.create({id: 'new', title: 'Unseen by a', tenantId: 'b'});
      await notes.create({id: 'last', title: 'Also ours', tenantId: 'a'});
      await until(a, () => titles(a).includes('Also ours'));
      await until(b, () => titles(b).includes('Unseen by a'));
      assert.deepEqual([titles(a).length, a.meta?.count], [2, 2]);
      assert.ok(!titles(a).includes('Unseen by a'));
      assert.ok(!titles(b).includes('Also ours'));
    });
  }

  it('takes a row that changes tenant from one page into the other', async () => {
    const [a, b] = [await opened('a'), await opened('b')];
    await notes.updateAll({tenantId: 'b'}, {id: 'ours'});
    await until(a, () => a.value.length === 0);
    await until(b, () => titles(b).join() === 'Ours,Theirs');
    assert.deepEqual([a.meta?.count, b.meta?.count], [0, 2]);
  });

  it('finds no row outside, to read, to watch, to change or to delete', async () => {
    const live = await signedIn('a');
    const {_version: version} = await notes.findById('theirs');
    const model = live.model<Note>({type: 'Note', id: 'theirs'});
    await model.ready;
    assert.equal(model.value, null);
    const view = await opened('a');
    const missing = {code: 'ENTITY_NOT_FOUND'};
    await assert.rejects(live.read({type: 'Note', id: 'theirs'}), missing);
    await assert.rejects(live.read({type: 'Note', id: 'theirs', field: 'title'}), missing);
    await assert.rejects(view.update('theirs', {title: 'x'}, {version}), missing);
    await assert.rejects(view.update('theirs', {title: 'x'}, {version: 'stale'}), missing);
    await assert.rejects(view.delete('theirs', {version}), missing);
    assert.equal((await notes.findById('theirs'))._version, version);
  });

  it('changes and deletes what is within', async () => {
    const view = await opened('a');
    await view.update('ours', {title: 'Changed'});
    assert.equal((await notes.findById('ours')).title, 'Changed');
    await until(view, () => titles(view)[0] === 'Changed');
    await view.delete('ours');
    await until(view, () => view.value.length === 0);
  });

  it('refuses to move a row out, and to make one outside', async () => {
    const view = await opened('a');
    const blocked = {code: 'CRUD_BLOCKED'};
    await assert.rejects(view.update('ours', {tenantId: 'b'}), blocked);
    await assert.rejects(view.create({id: 'n', title: 'x', tenantId: 'b'}), blocked);
    await assert.rejects(view.create({id: 'n', title: 'x'}), blocked);
    assert.equal((await notes.findById('ours')).tenantId, 'a');
    assert.equal((await notes.count()).count, 2);
    await view.update('ours', {tenantId: 'a', title: 'Still ours'});
    await view.create({id: 'n', title: 'x', tenantId: 'a'});
    assert.equal((await notes.findById('n')).tenantId, 'a');
  });

  it('knows what the server itself puts into a row', async () => {
    const own = (await signedIn('a', 'ann')).collection<Draft>({type: 'Draft', view: 'ownView'});
    const other = (await signedIn('a', 'joe')).collection<Draft>({type: 'Draft', view: 'ownView'});
    await Promise.all([own.ready, other.ready]);
    await own.create({id: 'd', text: 'x'});
    await own.update('d', {text: 'y'});
    await until(own, () => own.value[0]?.text === 'y');
    assert.deepEqual(other.value, []);
  });

  it('refuses nobody, and who lacks what it needs, whatever they ask', async () => {
    const nobody = givenClient(app.url);
    const lost = givenClient(app.url, {token: await app.tokenFor('lost')});
    clients.push(nobody, lost);
    const {_version: version} = await notes.findById('ours');
    for (const [live, code] of [[nobody, 'NOT_AUTHENTICATED'], [lost, 'CRUD_BLOCKED']] as const) {
      const view = live.collection<Note>({type: 'Note', view: 'titleView'});
      for (const call of [
        () => view.ready,
        () => live.model<Note>({type: 'Note', id: 'ours'}).ready,
        () => live.read({type: 'Note', id: 'ours'}),
        () => live.read({type: 'Note', view: 'titleView'}),
        () => view.create({id: 'n', title: 'x', tenantId: 'a'}),
        () => view.update('ours', {title: 'x'}, {version}),
        () => view.delete('ours', {version}),
      ]) {
        await assert.rejects(call, {code});
      }
    }
    assert.equal((await notes.findById('ours'))._version, version);
  });

  async function signedIn(tenantId: string, name = `of ${tenantId}`): Promise<LiveClient> {
    const client = givenClient(app.url, {token: await app.tokenFor(name, {tenantId})});
    clients.push(client);
    return client;
  }

  async function opened(tenantId: string, view = 'titleView'): Promise<LiveCollection<Note>> {
    const collection = (await signedIn(tenantId)).collection<Note>({
      type: 'Note', view, viewParams: {tenantId: 'b'}, getCount: true,
    });
    await collection.ready;
    return collection;
  }
});

function titles(view: LiveCollection<Note>): string[] {
  return view.value.map(note => note.title);
}
