import assert from 'node:assert/strict';
import {createRestAppClient} from '@loopback/testlab';
import {givenPostgres15, givenPostgres18, type TestDatabase} from '../../support/databases';
import {
  FolderRepository,
  givenTenants,
  type Note,
  NoteRepository,
  type TenantApplication,
} from '../../support/tenants';

for (const [where, givenDatabase] of [
  ['memory', async () => undefined],
  ['PostgreSQL 18', async () => (await givenPostgres18()).createDatabase('scope')],
  ['PostgreSQL 15', async () => (await givenPostgres15())?.createDatabase('scope')],
] as const) {
  describe(`the scope of an entity over REST on ${where}`, function () {
    this.timeout(60_000);
    let database: TestDatabase | undefined;
    let app: TenantApplication;
    let tokens: Record<string, string>;
    let ours: Note;
    let theirs: Note;

    before(async function () {
      database = await givenDatabase();
      if (!database && where !== 'memory') return this.skip();
      app = await givenTenants(database, {live: false});
      tokens = {
        ann: await app.tokenFor('ann', {tenantId: 'a'}),
        bob: await app.tokenFor('bob', {tenantId: 'b'}),
        // One who belongs to no tenant at all, which is not the same as to an unknown one.
        none: await app.tokenFor('none', {tenantId: {inq: []}}),
        root: await app.tokenFor('root', {isAdmin: true}),
        lost: await app.tokenFor('lost'),
      };
    });
    after(async () => {
      await app?.shutDown();
      await database?.drop();
    });
    beforeEach(async () => {
      await app.empty();
      ours = await givenNote('a');
      theirs = await givenNote('b');
    });

    describe('reads', () => {
      it('show a list, a count and a row of one tenant each', async () => {
        for (const [who, own, other] of [['ann', ours, theirs], ['bob', theirs, ours]] as const) {
          assert.deepEqual(idsIn(await as(who).get('/notes').expect(200)), [own.id]);
          assert.deepEqual((await as(who).get('/notes/count').expect(200)).body, {count: 1});
          await as(who).get(`/notes/${own.id}`).expect(200);
          await as(who).get(`/notes/${other.id}`).expect(404);
        }
        assert.equal((await as('root').get('/notes').expect(200)).body.length, 2);
        await (await folders()).create({id: 1, name: 'f', tenantId: 'a'});
        for (const path of ['/notes', '/folders']) {
          assert.deepEqual((await as('none').get(path).expect(200)).body, []);
          assert.deepEqual((await as('none').get(`${path}/count`).expect(200)).body, {count: 0});
        }
      });

      it('do not tell a row outside from one that is absent', async () => {
        const outside = await as('ann').get(`/notes/${theirs.id}`).expect(404);
        const absent = await as('ann').get('/notes/nothing').expect(404);
        const text = JSON.stringify(outside.body).replaceAll(theirs.id, 'nothing');
        assert.deepEqual(JSON.parse(text), absent.body);
      });

      it('cannot be widened by a filter of the client', async () => {
        const or = [{id: theirs.id}, {title: {neq: ''}}];
        for (const where of [{or}, {title: 'of b'}, {and: [{or}]}, {title: {neq: 'of a'}, or}]) {
          const filter = JSON.stringify({where});
          const found = await as('ann').get('/notes').query({filter}).expect(200);
          assert.ok(!idsIn(found).includes(theirs.id), filter);
          const counted = await as('ann').get('/notes/count').query(text({where})).expect(200);
          assert.equal(counted.body.count, found.body.length);
        }
        const either = await as('ann').get('/notes').query(text({filter: {where: {or}}}));
        assert.deepEqual(idsIn(either), [ours.id]);
        await (await folders()).create({id: 1, name: 'f', tenantId: 'b'});
        const others = text({filter: {where: {tenantId: 'b'}}});
        const {body} = await as('ann').get('/folders').query(others).expect(200);
        assert.deepEqual(body, []);
      });

      it('cut included relations to the scope of their own entity', async () => {
        const notes = await app.getRepository(NoteRepository);
        await (await folders()).create({id: 1, name: 'f', tenantId: 'a'});
        await notes.updateAll({folderId: 1}, {});
        const or = [{id: theirs.id}, {title: {neq: ''}}];
        for (const scope of [undefined, {where: {or}}, {where: {or}, limit: 5}, {limit: 5}]) {
          const filter = {include: scope ? [{relation: 'notes', scope}] : ['notes']};
          const one = await as('ann').get('/folders/1').query(text({filter})).expect(200);
          const list = await as('ann').get('/folders').query(text({filter})).expect(200);
          for (const {notes: seen} of [one.body, list.body[0]]) {
            assert.deepEqual(seen.map((note: Note) => note.id), [ours.id], JSON.stringify(scope));
          }
        }
      });

      it('show the past that was within', async () => {
        const now = new Date(Date.now() + 60_000).toISOString();
        await as('ann').get(`/notes/${ours.id}`).query({asOf: now}).expect(200);
        await as('ann').get(`/notes/${theirs.id}`).query({asOf: now}).expect(404);
      });
    });

    describe('writes by id', () => {
      it('find no row outside', async () => {
        const {id, _version} = theirs;
        const tag = `"${_version}"`;
        const deleted = await givenNote('b');
        await (await app.getRepository(NoteRepository)).deleteById(deleted.id, {
          version: deleted._version,
        });
        await (await folders()).create({id: 2, name: 'theirs', tenantId: 'b'});
        for (const call of [
          as('ann').patch('/folders/2').send({name: 'mine'}),
          as('ann').put('/folders/2').send({name: 'mine', tenantId: 'a'}),
          as('ann').delete('/folders/2'),
          as('ann').patch(`/notes/${id}`).send({title: 'mine', _version}),
          as('ann').put(`/notes/${id}`).send({title: 'mine', tenantId: 'a', _version}),
          as('ann').delete(`/notes/${id}`).set('If-Match', tag),
          as('ann').delete(`/notes/${id}/${_version}`),
          as('ann').delete(`/notes/${id}/stale`),
          as('ann').patch(`/notes/${id}`).send({title: 'mine', _version: 'stale'}),
          as('ann').post(`/notes/${deleted.id}/restore`),
          as('ann').post(`/notes/${id}/revert/1`).set('If-Match', tag),
        ]) {
          assert.equal((await call.expect(404)).body.error.code, 'ENTITY_NOT_FOUND');
        }
        assert.equal((await (await folders()).findById(2)).name, 'theirs');
        const row = (await as('bob').get(`/notes/${id}`).expect(200)).body;
        assert.deepEqual([row.title, row._version], [theirs.title, _version]);
        await as('bob').get(`/notes/${deleted.id}`).expect(404);
      });

      it('change, delete and restore what is within', async () => {
        const {id, _version} = ours;
        await as('ann').patch(`/notes/${id}`).send({title: 'new', _version}).expect(204);
        const {body} = await as('ann').get(`/notes/${id}`).expect(200);
        const whole = {title: 'newer', tenantId: 'a', _version: body._version};
        const put = await as('ann').put(`/notes/${id}`).send(whole).expect(204);
        await as('ann').delete(`/notes/${id}`).set('If-Match', put.headers.etag).expect(204);
        const restored = await as('ann').post(`/notes/${id}/restore`).expect(200);
        assert.equal(restored.body.title, 'newer');
        const reverted = await as('ann')
          .post(`/notes/${id}/revert/1`)
          .set('If-Match', restored.headers.etag)
          .expect(200);
        assert.equal(reverted.body.title, ours.title);
      });

      it('cannot move a row out, nor make one outside', async () => {
        const {id, _version} = ours;
        for (const call of [
          as('ann').patch(`/notes/${id}`).send({tenantId: 'b', _version}),
          as('ann').patch(`/notes/${id}`).send({tenantId: null, _version}),
          as('ann').put(`/notes/${id}`).send({title: 'x', tenantId: 'b', _version}),
          as('ann').post('/notes').send({id: 'n', title: 'x', tenantId: 'b'}),
          as('ann').post('/notes').send({id: 'n', title: 'x'}),
          as('ann').post('/folders').send({id: 2, name: 'x', tenantId: 'a', state: 'secret'}),
        ]) {
          const {body, status} = await call;
          assert.ok([403, 422].includes(status), JSON.stringify(body));
          if (status === 403) assert.equal(body.error.code, 'CRUD_BLOCKED');
        }
        assert.equal((await stored(id)).tenantId, 'a');
        assert.equal((await as('root').get('/notes').expect(200)).body.length, 2);
        await as('ann').patch(`/notes/${id}`).send({tenantId: 'a', _version}).expect(204);
        const {body: row} = await as('ann').get(`/notes/${id}`).expect(200);
        assert.equal(row.tenantId, undefined, 'what is hidden cannot be sent back, and stays');
        await as('ann').put(`/notes/${id}`).send({...row, title: 'y'}).expect(204);
        assert.equal((await stored(id)).tenantId, 'a');
        await as('ann').post('/notes').send({id: 'n', title: 'x', tenantId: 'a'}).expect(200);
        await as('ann').post('/folders').send({id: 2, name: 'x', tenantId: 'a'}).expect(200);
        await as('root').post('/notes').send({id: 'm', title: 'x', tenantId: 'b'}).expect(200);
      });

      it('know what the server itself puts into a row', async () => {
        await as('ann').post('/drafts').send({id: 'd', text: 'x'}).expect(200);
        await as('ann').patch('/drafts/d').send({text: 'y'}).expect(204);
        await as('ann').put('/drafts/d').send({text: 'z', _createdBy: 'bob'}).expect(204);
        await as('bob').get('/drafts/d').expect(404);
        assert.equal((await as('ann').get('/drafts/d').expect(200)).body.text, 'z');
      });
    });

    it('is part of every bulk change, which may not name what the scope compares', async () => {
      await (await folders()).createAll([
        {id: 1, name: 'ours', tenantId: 'a'},
        {id: 2, name: 'theirs', tenantId: 'b'},
      ]);
      const or = [{tenantId: 'b'}, {name: {neq: ''}}];
      const query = text({where: {or}});
      const changed = await as('ann').patch('/folders').query(query).send({name: 'x'});
      assert.deepEqual(changed.body, {count: 1});
      assert.deepEqual((await as('ann').patch('/folders').send({name: 'y'})).body, {count: 1});
      for (const data of [{tenantId: 'b'}, {tenantId: 'a'}, {state: 'secret'}]) {
        await as('ann').patch('/folders').send(data).expect(403);
      }
      assert.equal((await (await folders()).findById(2)).name, 'theirs');
    });

    describe('of a row that changes tenant', () => {
      beforeEach(async () => {
        const {id, _version} = ours;
        await as('root').patch(`/notes/${id}`).send({tenantId: 'b', _version}).expect(204);
      });

      it('takes it from one list into the other', async () => {
        assert.deepEqual(idsIn(await as('ann').get('/notes').expect(200)), []);
        assert.equal(idsIn(await as('bob').get('/notes').expect(200)).length, 2);
      });

      it('hides the past from the new tenant, and the row from the old one', async () => {
        const {id} = ours;
        await as('ann').get(`/notes/${id}/history`).expect(404);
        await as('ann').get(`/notes/${id}/diff?from=1&to=current`).expect(404);
        assert.deepEqual((await as('bob').get(`/notes/${id}/history`).expect(200)).body, []);
        await as('bob').get(`/notes/${id}/diff?from=1&to=current`).expect(404);
        await as('bob').get(`/notes/${id}/diff?from=current&to=1`).expect(404);
        const all = (await as('root').get(`/notes/${id}/history`).expect(200)).body;
        assert.equal(all.length, 1);
        const before = all[0]._validFrom;
        await as('bob').get(`/notes/${id}`).query({asOf: before}).expect(404);
        await as('ann').get(`/notes/${id}`).query({asOf: before}).expect(200);
      });

      it('lets nobody take it back by reverting it', async () => {
        const {id} = ours;
        const {headers} = await as('bob').get(`/notes/${id}`).expect(200);
        const revert = (who: string) =>
          as(who).post(`/notes/${id}/revert/1`).set('If-Match', headers.etag);
        await revert('bob').expect(404);
        assert.equal((await stored(id)).tenantId, 'b');
        await revert('root').expect(200);
        assert.equal((await stored(id)).tenantId, 'a');
      });
    });

    it('is part of the list of all history', async () => {
      const {id, _version} = ours;
      await as('ann').patch(`/notes/${id}`).send({title: '2', _version}).expect(204);
      await as('bob')
        .patch(`/notes/${theirs.id}`)
        .send({title: '2', _version: theirs._version})
        .expect(204);
      const or = [{title: {neq: ''}}, {_modelId: theirs.id}];
      for (const filter of [{}, {where: {or}}, {where: {_modelId: {inq: [id, theirs.id]}}}]) {
        const {body} = await as('ann').get('/notes/history').query(text({filter})).expect(200);
        assert.deepEqual(body.map((each: {_modelId: string}) => each._modelId), [id]);
      }
      assert.equal((await as('root').get('/notes/history').expect(200)).body.length, 2);
      await as('ann').get(`/notes/${theirs.id}/history`).expect(404);
      await as('ann').get(`/notes/${theirs.id}/diff?from=1&to=current`).expect(404);
      const diff = await as('ann').get(`/notes/${id}/diff?from=1&to=current`).expect(200);
      assert.deepEqual(diff.body, [{property: 'title', from: ours.title, to: '2'}]);
    });

    it('refuses every route to nobody, and to who lacks what it needs', async () => {
      for (const [who, status, code] of [
        [undefined, 401, 'NOT_AUTHENTICATED'],
        ['lost', 403, 'CRUD_BLOCKED'],
      ] as const) {
        for (const call of everyRoute(who)) {
          const {body, status: answered} = await call;
          assert.deepEqual([answered, body.error?.code], [status, code], JSON.stringify(body));
        }
      }
      assert.equal((await as('root').get('/notes').expect(200)).body.length, 2);
    });

    function everyRoute(who: string | undefined) {
      const {id, _version} = ours;
      const path = `/notes/${id}`;
      return [
        as(who).get('/notes'),
        as(who).get('/notes/count'),
        as(who).get(path),
        as(who).get(`${path}?asOf=2999-01-01T00:00:00Z`),
        as(who).get('/notes/history'),
        as(who).get(`${path}/history`),
        as(who).get(`${path}/diff?from=1&to=current`),
        as(who).post('/notes').send({id: 'n', title: 'x', tenantId: 'a'}),
        as(who).put(path).send({title: 'x', tenantId: 'a', _version}),
        as(who).patch(path).send({title: 'x', _version}),
        as(who).patch('/folders').send({name: 'x'}),
        as(who).delete(path).set('If-Match', `"${_version}"`),
        as(who).delete(`${path}/${_version}`),
        as(who).post(`${path}/restore`),
        as(who).post(`${path}/revert/1`).set('If-Match', `"${_version}"`),
      ];
    }

    function as(who: string | undefined) {
      const client = createRestAppClient(app);
      const headers = who === undefined ? {} : {authorization: `Bearer ${tokens[who]}`};
      return {
        get: (path: string) => client.get(path).set(headers),
        post: (path: string) => client.post(path).set(headers),
        put: (path: string) => client.put(path).set(headers),
        patch: (path: string) => client.patch(path).set(headers),
        delete: (path: string) => client.delete(path).set(headers),
      };
    }

    async function givenNote(tenantId: string): Promise<Note> {
      const notes = await app.getRepository(NoteRepository);
      return notes.create({id: `n${++made}`, title: `of ${tenantId}`, tenantId});
    }

    async function stored(id: string): Promise<Note> {
      return (await app.getRepository(NoteRepository)).findById(id);
    }

    function folders(): Promise<FolderRepository> {
      return app.getRepository(FolderRepository);
    }
  });
}

let made = 0;

function idsIn({body}: {body: Note[]}): string[] {
  return body.map(row => row.id);
}

function text(query: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([k, v]) => [k, JSON.stringify(v)]));
}
