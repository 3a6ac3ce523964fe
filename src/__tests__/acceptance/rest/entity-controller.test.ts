import assert from 'node:assert/strict';
import {type Client, validateApiSpec} from '@loopback/testlab';
import {givenPostgres15, givenPostgres18, type TestDatabase} from '../../support/databases';
import {
  givenRestApplication,
  type Part,
  type PartRepository,
  type RestFixture,
} from '../../support/rest-application';

for (const [where, givenDatabase] of [
  ['memory', async () => undefined],
  ['PostgreSQL 18', async () => (await givenPostgres18()).createDatabase('rest')],
  ['PostgreSQL 15', async () => (await givenPostgres15())?.createDatabase('rest')],
] as const) {
  describe(`generated REST controllers on ${where}`, function () {
    this.timeout(60_000);
    let database: TestDatabase | undefined;
    let fixture: RestFixture;
    let client: Client;
    let parts = 0;

    before(async function () {
      database = await givenDatabase();
      if (!database && where !== 'memory') return this.skip();
      fixture = await givenRestApplication({database});
      client = fixture.client;
    });
    after(async () => {
      await fixture?.stop();
      await database?.drop();
    });

    describe('reads and writes', () => {
      it('creates a row, answers it with its tag and finds it again', async () => {
        const id = givenId();
        const body = {id, name: 'bolt', qty: 3, cost: '12.50'};
        const created = await client.post('/parts').send(body).expect(200);
        assert.equal(created.headers.etag, `"${created.body._version}"`);
        assert.equal(created.body._createdBy, 'system');
        const found = await client.get(`/parts/${id}`).expect(200);
        assert.equal(found.headers.etag, created.headers.etag);
        assert.equal(found.headers['cache-control'], 'private, no-cache');
        assert.deepEqual(pick(found.body, 'id', 'name', 'qty', 'cost'), body);
        assert.equal((await rawCost(id)).startsWith('le1.k1.'), true);
      });

      it('answers a list and a count of what a filter selects', async () => {
        const [a, b] = [await givenPart({name: 'nut x'}), await givenPart({name: 'nut y'})];
        const filter = {where: {id: {inq: [a.id, b.id]}}, order: ['name DESC'], fields: ['name']};
        const found = await client.get(`/parts?${queryOf({filter})}`).expect(200);
        assert.deepEqual(found.body, [{name: 'nut y'}, {name: 'nut x'}]);
        const counted = await client
          .get('/parts/count')
          .query({where: JSON.stringify(filter.where)})
          .expect(200);
        assert.deepEqual(counted.body, {count: 2});
      });

      it('changes a row by PATCH and by PUT, and says the tag of the new state', async () => {
        const part = await givenPart({qty: 1, note: 'n'});
        const patched = await client
          .patch(`/parts/${part.id}`)
          .set('If-Match', `"${part._version}"`)
          .send({qty: 2})
          .expect(204);
        const after = await read(part.id);
        assert.deepEqual(pick(after, 'qty', 'name', '_oldVersion'), {
          qty: 2,
          name: part.name,
          _oldVersion: part._version,
        });
        assert.equal(patched.headers.etag, `"${after._version}"`);
        const replaced = await client
          .put(`/parts/${part.id}`)
          .send({name: 'other', _version: after._version})
          .expect(204);
        const last = await read(part.id);
        assert.deepEqual([last.name, last.qty ?? null], ['other', null]);
        assert.equal(last._createdOn, part._createdOn);
        assert.equal(replaced.headers.etag, `"${last._version}"`);
      });

      it('answers a change that changes nothing with the tag that the row keeps', async () => {
        const {id} = await givenPart({qty: 1});
        const part = await read(id);
        const tag = `"${part._version}"`;
        const path = `/parts/${id}`;
        const same = {name: part.name, qty: 1};
        const patched = await client.patch(path).set('If-Match', tag).send({qty: 1}).expect(204);
        const replaced = await client.put(path).set('If-Match', tag).send(same).expect(204);
        for (const {headers} of [patched, replaced]) assert.equal(headers.etag, tag);
        assert.deepEqual(await read(id), part);
        await client.patch(path).set('If-Match', '"stale"').send({qty: 1}).expect(412);
        await client.patch(path).set('If-Match', tag).send({qty: 2}).expect(204);
      });

      it('takes back what it has answered, as it is', async () => {
        const part = await givenPart({qty: 1});
        const whole = await read(part.id);
        await client.put(`/parts/${part.id}`).send({...whole, name: 'same again'}).expect(204);
        const after = await read(part.id);
        assert.equal(after.name, 'same again');
        assert.equal(after._createdOn, whole._createdOn);
      });

      it('ignores what a client says of who did it and of deletion', async () => {
        const id = givenId();
        const forged = {_createdBy: 'eve', _modifiedBy: 'eve', _isDeleted: true, _type: 'x'};
        const {body} = await client.post('/parts').send({id, name: 'x', ...forged}).expect(200);
        assert.deepEqual(pick(body, '_createdBy', '_modifiedBy', '_isDeleted', '_type'), {
          _createdBy: 'system',
          _modifiedBy: 'system',
          _isDeleted: false,
          _type: 'Part',
        });
      });

      it('empties a property that is not required by null', async () => {
        const {id, _version} = await givenPart({qty: 1, cost: '1.00'});
        await client.patch(`/parts/${id}`).send({qty: null, cost: null, _version}).expect(204);
        const after = await read(id);
        assert.deepEqual([after.qty ?? null, after.cost ?? null], [null, null]);
        await client.patch(`/parts/${id}`).send({name: null, _version}).expect(422);
      });

      it('makes every version itself, whatever the client names', async () => {
        const part = await givenPart({_newVersion: 'mine'});
        assert.notEqual(part._version, 'mine');
        const same = {_version: part._version, _newVersion: part._version};
        const {headers} = await client.patch(`/parts/${part.id}`).send({qty: 9, ...same}).expect(204);
        const after = await read(part.id);
        assert.notEqual(after._version, part._version);
        assert.equal(headers.etag, `"${after._version}"`);
        await client.patch(`/parts/${part.id}`).send({qty: 8, ...same}).expect(409);
        await client.put(`/parts/${part.id}`).send({name: 'x', ...same}).expect(409);
      });

      it('keeps the tag of a row away from one that changes without it', async () => {
        const {body: maker} = await client.post('/makers').send({name: givenId()}).expect(200);
        await givenPart({makerId: maker.id, name: 'child'});
        const filter = JSON.stringify({include: ['parts']});
        const {body} = await client.get(`/makers/${maker.id}`).query({filter}).expect(200);
        assert.equal(body.parts[0].name, 'child');
      });
    });

    describe('versions', () => {
      it('answers 304 to who has the current state, the row to who has an older one', async () => {
        const {id, _version} = await givenPart();
        const tag = `"${_version}"`;
        for (const known of [tag, `W/${tag}`, `"old", ${tag}`, '*']) {
          const answer = await client.get(`/parts/${id}`).set('If-None-Match', known).expect(304);
          assert.equal(answer.headers.etag, tag);
          assert.equal(answer.text, '');
        }
        await client.get(`/parts/${id}`).set('If-None-Match', '"old"').expect(200);
      });

      it('refuses a stale If-Match with 412, on every write', async () => {
        const {id} = await givenPart();
        const stale = {'If-Match': '"stale"'};
        await client.patch(`/parts/${id}`).set(stale).send({qty: 1}).expect(412).expect(conflict);
        await client.put(`/parts/${id}`).set(stale).send({name: 'x'}).expect(412).expect(conflict);
        await client.delete(`/parts/${id}`).set(stale).expect(412).expect(conflict);
        await client.patch(`/parts/${id}`).set('If-Match', 'W/"weak"').send({qty: 1}).expect(412);
        const malformed = withCode('INVALID_IF_MATCH');
        for (const header of ['bare', '"a" "b"', '*, "a"', '']) {
          const patch = client.patch(`/parts/${id}`).set('If-Match', header).send({qty: 1});
          await patch.expect(400).expect(malformed);
        }
      });

      it('takes a list of tags in If-Match, of which one has to be the current one', async () => {
        const {id} = await givenPart();
        const path = `/parts/${id}`;
        const tagged = async () => `"old", W/"weak", "${(await read(id))._version}"`;
        const patched = client.patch(path).set('If-Match', await tagged()).send({qty: 1});
        await patched.expect(204);
        await client.put(path).set('If-Match', await tagged()).send({name: 'x'}).expect(204);
        const reverted = client.post(`${path}/revert/1`).set('If-Match', await tagged());
        await reverted.expect(200);
        const {_version} = await read(id);
        for (const header of ['"old", "older"', `W/"${_version}"`, `"old", W/"${_version}"`]) {
          await client.patch(path).set('If-Match', header).send({qty: 2}).expect(412);
          await client.put(path).set('If-Match', header).send({name: 'y'}).expect(412);
          await client.delete(path).set('If-Match', header).expect(412);
        }
        assert.equal((await read(id))._version, _version);
        await client.delete(path).set('If-Match', await tagged()).expect(204);
        const restored = `"old", "${await deletedVersion(id)}"`;
        await client.post(`${path}/restore`).set('If-Match', '"old", "older"').expect(412);
        await client.post(`${path}/restore`).set('If-Match', restored).expect(200);
      });

      it('asks by If-Match: * for a row, which names no version', async () => {
        const {id, _version} = await givenPart();
        const any = {'If-Match': '*'};
        for (const path of [`/parts/${id}`, '/parts/none']) {
          const [status, code] = path.endsWith('none')
            ? [412, 'PRECONDITION_FAILED'] as const
            : [428, 'VERSION_REQUIRED'] as const;
          for (const write of [
            client.patch(path).set(any).send({qty: 1}),
            client.put(path).set(any).send({name: 'x'}),
            client.delete(path).set(any),
          ]) {
            await write.expect(status).expect(withCode(code));
          }
        }
        await client.post('/parts/none/restore').set(any).expect(412);
        await client.post('/parts/none/revert/1').set(any).expect(412);
        await client.patch('/parts/none').set(any).send({qty: 1, _version}).expect(412);
        await client.patch(`/parts/${id}`).set(any).send({qty: 1, _version: 'x'}).expect(409);
        await client.patch(`/parts/${id}`).set(any).send({qty: 1, _version}).expect(204);
      });

      it('refuses two versions in one request: 409 for the body, 412 for the header', async () => {
        const {id, _version} = await givenPart();
        const path = `/parts/${id}`;
        const patch = (header: unknown, body: unknown) =>
          client.patch(path).set('If-Match', `"${header}"`).send({qty: 9, _version: body});
        await patch(_version, 'stale').expect(409).expect(conflict);
        await patch('stale', _version).expect(412).expect(conflict);
        await patch('stale', 'old').expect(412).expect(conflict);
        await patch(`stale", "${_version}`, 'stale').expect(409).expect(conflict);
        await patch('stale", "old', 'old').expect(412).expect(conflict);
        assert.equal((await read(id))._version, _version);
        await patch(_version, _version).expect(204);
      });

      it('refuses a stale version in the body or the path with 409, saying both', async () => {
        const {id, _version} = await givenPart();
        const stale = {name: 'x', _version: 'stale'};
        for (const write of [
          client.patch(`/parts/${id}`).send(stale),
          client.put(`/parts/${id}`).send(stale),
          client.delete(`/parts/${id}/stale`),
        ]) {
          const {body} = await write.expect(409).expect(conflict);
          assert.deepEqual(body.error.details, {
            entityName: 'Part',
            entityId: id,
            expected: 'stale',
            actual: _version,
          });
        }
      });

      it('refuses a write that names no version with 428', async () => {
        const {id} = await givenPart();
        const required = withCode('VERSION_REQUIRED');
        await client.patch(`/parts/${id}`).send({qty: 1}).expect(428).expect(required);
        const any = {'If-Match': '*'};
        await client.patch(`/parts/${id}`).set(any).send({qty: 1}).expect(428).expect(required);
        await client.put(`/parts/${id}`).send({name: 'x'}).expect(428).expect(required);
        const {body} = await client.delete(`/parts/${id}`).expect(428).expect(required);
        assert.match(body.error.message, /If-Match.*_version/);
      });

      it('lets exactly one of many writers with one version succeed', async () => {
        const {id, _version} = await givenPart();
        const answers = await Promise.all(
          Array.from({length: 8}, (_, qty) =>
            client.patch(`/parts/${id}`).set('If-Match', `"${_version}"`).send({qty}),
          ),
        );
        const statuses = answers.map(answer => answer.status).sort();
        assert.deepEqual(statuses, [204, ...Array(7).fill(412)]);
      });

      it('deletes by version in the path, and by If-Match', async () => {
        const [a, b] = [await givenPart(), await givenPart()];
        await client.delete(`/parts/${a.id}/${a._version}`).expect(200, {count: 1});
        await client.delete(`/parts/${b.id}`).set('If-Match', `"${b._version}"`).expect(204);
        for (const {id} of [a, b]) {
          await client.get(`/parts/${id}`).expect(404).expect(withCode('ENTITY_NOT_FOUND'));
        }
      });

      it('offers no bulk change', async () => {
        await client.patch('/parts').send({qty: 0}).expect(404);
      });

      it('refuses a precondition where there are no versions', async () => {
        const {body: maker} = await client.post('/makers').send({name: givenId()}).expect(200);
        const name = givenId();
        const path = `/makers/${maker.id}`;
        await client.patch(path).set('If-Match', '"x"').send({name}).expect(412);
        await client.patch(path).set('If-Match', 'x').send({name}).expect(400);
        await client.patch(path).set('If-Match', '*').send({name}).expect(204);
        await client.patch('/makers/4711').set('If-Match', '*').send({name}).expect(412);
        await client.delete('/makers/4711').set('If-Match', '*').expect(412);
        await client.delete(path).set('If-Match', '"x"').expect(412);
        await client.delete(path).expect(204);
      });
    });

    describe('deleted rows and history', () => {
      it('restores a deleted row', async () => {
        const {id, _version} = await givenPart();
        await client.post(`/parts/${id}/restore`).expect(404);
        await client.delete(`/parts/${id}/${_version}`).expect(200);
        const {body, headers} = await client.post(`/parts/${id}/restore`).expect(200);
        assert.equal(body._isDeleted, false);
        assert.equal(headers.etag, `"${(await read(id))._version}"`);
      });

      it('lists what a row was, when and by whom it was changed, secrets readable', async () => {
        const {id, _version} = await givenPart({qty: 1, cost: '1.00'});
        await client.patch(`/parts/${id}`).send({qty: 2, cost: '2.00', _version}).expect(204);
        const now = await read(id);
        await client.delete(`/parts/${id}/${now._version}`).expect(200);
        const {body} = await client.get(`/parts/${id}/history`).expect(200);
        assert.deepEqual(
          body.map(({_revision, _operation, _by, entity}: Revision) => [
            _revision,
            _operation,
            _by,
            entity.qty,
            entity.cost,
          ]),
          [
            [1, 'update', 'system', 1, '1.00'],
            [2, 'delete', 'system', 2, '2.00'],
          ],
        );
        const filter = JSON.stringify({where: {_modelId: id, _revision: 2}});
        const all = await client.get('/parts/history').query({filter}).expect(200);
        assert.deepEqual(all.body, [body[1]]);
      });

      it('answers a row as it was at a moment', async () => {
        const {id, _version} = await givenPart({qty: 1});
        await client.patch(`/parts/${id}`).send({qty: 2, _version}).expect(204);
        const [first] = (await client.get(`/parts/${id}/history`).expect(200)).body;
        const asOf = (at: string) => client.get(`/parts/${id}`).query({asOf: at});
        const {body, headers} = await asOf(first._validFrom).expect(200);
        assert.equal(body.qty, 1);
        assert.equal(headers.etag, undefined);
        assert.equal((await asOf('2999-01-01T00:00:00Z').expect(200)).body.qty, 2);
        const shown = JSON.stringify({fields: ['qty'], order: ['meta.a ASC']});
        await asOf(first._validFrom).query({filter: shown}).expect(200, {qty: 1});
        await client.get(`/parts/${id}`).query({filter: shown}).expect(200, {qty: 2});
        const related = JSON.stringify({include: ['maker']});
        await asOf(first._validFrom).query({filter: related}).expect(400);
        await asOf('1999-01-01T00:00:00Z').expect(404);
        for (const odd of ['yesterday', '', 'null']) await asOf(odd).expect(400);
      });

      it('says what differs between two states, and writes an old one again', async () => {
        const {id, _version} = await givenPart({qty: 1});
        await client.patch(`/parts/${id}`).send({qty: 2, _version}).expect(204);
        const diff = await client.get(`/parts/${id}/diff?from=1&to=current`).expect(200);
        assert.deepEqual(diff.body, [{property: 'qty', from: 1, to: 2}]);
        await client.get(`/parts/${id}/diff`).query({from: 7, to: 'current'}).expect(404);
        await client.get(`/parts/${id}/diff`).query({from: 0, to: 'current'}).expect(400);
        await client.get(`/parts/${id}/diff`).query({from: 'x', to: 'current'}).expect(400);
        await client.post(`/parts/${id}/revert/1`).expect(428);
        await client.post(`/parts/${id}/revert/1`).set('If-Match', '"stale"').expect(412);
        const {_version: current} = await read(id);
        const {body, headers} = await client
          .post(`/parts/${id}/revert/1`)
          .set('If-Match', `"${current}"`)
          .expect(200);
        assert.equal(body.qty, 1);
        assert.equal(headers.etag, `"${body._version}"`);
        await client.delete(`/parts/${id}`).set('If-Match', headers.etag).expect(204);
        for (const to of ['current', '4']) {
          await client.get(`/parts/${id}/diff`).query({from: 1, to}).expect(404);
        }
        await client.get(`/parts/${id}/diff`).query({from: 1, to: 2}).expect(200);
      });
    });

    it('answers nowhere what the model hides', async () => {
      const secrets = [{note: 'secret-1', pin: 'secret-2'}, {note: 'secret-3', pin: 'secret-4'}];
      const {body: maker} = await client.post('/makers').send({name: givenId()}).expect(200);
      const id = givenId();
      const first = {id, name: 'a', makerId: maker.id, ...secrets[0]};
      const created = await client.post('/parts').send(first).expect(200);
      const {_version} = created.body;
      await client.patch(`/parts/${id}`).send({name: 'b', ...secrets[1], _version}).expect(204);
      const diff = await client.get(`/parts/${id}/diff?from=1&to=current`).expect(200);
      assert.deepEqual(diff.body, [{property: 'name', from: 'a', to: 'b'}]);
      const fields = {where: {id}, fields: ['id', 'note', 'pin']};
      const related = {where: {id: maker.id}, include: ['parts']};
      const [past] = (await client.get(`/parts/${id}/history`).expect(200)).body;
      const answers = [
        created,
        await client.get(`/parts/${id}`).expect(200),
        await client.get(`/parts/${id}?asOf=${past._validFrom}`).expect(200),
        await client.get(`/parts?${queryOf({filter: fields})}`).expect(200),
        await client.get(`/makers?${queryOf({filter: related})}`).expect(200),
        await client.get(`/parts/${id}/history`).expect(200),
        await client.get(`/parts/history?${queryOf({filter: {where: {_modelId: id}}})}`).expect(200),
        await client
          .post(`/parts/${id}/revert/1`)
          .set('If-Match', `"${(await read(id))._version}"`)
          .expect(200),
      ];
      for (const {text} of answers) {
        assert.ok(text.includes(id));
        assert.ok(!/secret-|note|pin/.test(text), text);
      }
    });

    it('leaves in a PUT what the model hides, unless it is sent', async () => {
      const id = givenId();
      const hidden = {note: 'secret-1', pin: '1234'};
      const {body} = await client.post('/parts').send({id, name: 'a', ...hidden}).expect(200);
      const stored = async () => {
        const parts = await fixture.app.get<PartRepository>('repositories.PartRepository');
        const {note, pin, _version} = await parts.findById(id) as Part & {_version: string};
        return {note: note ?? null, pin: pin ?? null, _version};
      };
      await client.put(`/parts/${id}`).send({...body, name: 'b'}).expect(204);
      const {_version, ...kept} = await stored();
      assert.deepEqual(kept, hidden);
      await client.put(`/parts/${id}`).set('If-Match', `"${_version}"`).send({name: 'c'}).expect(204);
      const put = (data: object) => client.put(`/parts/${id}`).send({name: 'd', ...data});
      await put({}).expect(428);
      await put({_version}).expect(409).expect(conflict);
      await put({}).set('If-Match', `"${_version}"`).expect(412).expect(conflict);
      await put({note: null, pin: '9', _version: (await stored())._version}).expect(204);
      const {note, pin} = await stored();
      assert.deepEqual([note, pin], [null, '9']);
    });

    describe('bad input', () => {
      afterEach('the server still answers', async () => {
        await client.get('/parts/count').expect(200);
        assert.equal(({} as {polluted?: boolean}).polluted, undefined);
      });

      it('is refused in bodies that are no JSON, no object, empty or of another type', async () => {
        const json = {'Content-Type': 'application/json'};
        await client.post('/parts').set(json).send('{"id": ').expect(400);
        await client.post('/parts').set(json).send('').expect(400);
        await client.post('/parts').set(json).send('null').expect(400);
        await client.post('/parts').set(json).send('"text"').expect(422);
        await client.post('/parts').set(json).send('[]').expect(422);
        await client.post('/parts').set('Content-Type', 'text/plain').send('id=1').expect(415);
        await client.post('/parts').send('id=1&name=x').expect(415);
      });

      it('is refused in unknown, missing, mistyped and oversized values', async () => {
        const id = givenId();
        const invalid = withCode('VALIDATION_FAILED');
        await client.post('/parts').send({id, name: 'x', nmae: 'y'}).expect(422).expect(invalid);
        await client.post('/parts').send({id}).expect(422).expect(invalid);
        await client.post('/parts').send({id, name: 7}).expect(422).expect(invalid);
        await client.post('/parts').send({id, name: ''}).expect(422).expect(invalid);
        await client.post('/parts').send({id, name: {$gt: ''}}).expect(422).expect(invalid);
        const child = {id, name: 'x', _parentVersion: 'v'};
        await client.post('/parts').send(child).expect(422).expect(invalid);
        await client.post('/makers').send({id: 4711, name: 'x'}).expect(422).expect(invalid);
        await client.get(`/parts/${id}`).expect(404);
      });

      it('is refused in an id that is not the one of the path, or of another type', async () => {
        const {id, _version} = await givenPart();
        const other = {id: givenId(), name: 'x', _version};
        await client.put(`/parts/${id}`).send(other).expect(400).expect(withCode('ID_MISMATCH'));
        await client.get('/makers/abc').expect(400);
        await client.get('/makers/1e999').expect(400);
        await client.delete('/makers/4711').expect(404);
      });

      it('is refused in a second row with the same id or unique value', async () => {
        const {id} = await givenPart();
        const {body} = await client.post('/parts').send({id, name: 'again'}).expect(409);
        assert.ok(!JSON.stringify(body).includes('again'));
      });

      it('is refused as ciphertext for plaintext', async () => {
        const {id} = await givenPart({cost: '12.50'});
        const planted = {id: givenId(), name: 'x', cost: await rawCost(id)};
        await client.post('/parts').send(planted).expect(422).expect(withCode('ALREADY_ENCRYPTED'));
      });

      it('is refused in filters that would quietly mean something else', async () => {
        const filters: [object | string, number, string?][] = [
          ['{', 400],
          ['[]', 400],
          ['"x"', 400],
          [{wehre: {}}, 400],
          [{limit: 'x'}, 400],
          [{limit: -1}, 400],
          [{fields: ['nmae']}, 400],
          [{where: {nmae: 'x'}}, 400, 'INVALID_FILTER'],
          [{where: {name: {gtt: 'x'}}}, 400, 'INVALID_FILTER'],
          [{where: {and: {name: 'x'}}}, 400, 'INVALID_FILTER'],
          [{where: {nor: [{name: 'x'}]}}, 400, 'INVALID_FILTER'],
          [{where: {or: []}}, 400, 'INVALID_FILTER'],
          [{where: {_createdOn: 'yesterday'}}, 400, 'INVALID_FILTER'],
          [{where: {_createdOn: {gt: 'yesterday'}}}, 400, 'INVALID_FILTER'],
          [{where: {_createdOn: {inq: ['2026-01-01', '']}}}, 400, 'INVALID_FILTER'],
          [{where: {and: [], _createdOn: {gt: '2999-01-01'}}}, 200],
          [{where: {or: [{nmae: 'x'}]}}, 400, 'INVALID_FILTER'],
          [{order: ['nmae ASC']}, 400, 'INVALID_FILTER'],
          [{order: 'name DESC, id'}, 200],
          [{order: 'name DESC, nmae'}, 400, 'INVALID_FILTER'],
          [{order: ['name ASC; DROP TABLE part']}, 400, 'INVALID_FILTER'],
          [{include: ['nothing']}, 400],
          [{include: [{relation: '__proto__'}]}, 400],
          [{where: {cost: '12.50'}}, 422, 'ENCRYPTED_QUERY_UNSUPPORTED'],
          [{where: {or: [{name: 'x'}, {cost: {like: '1%'}}]}}, 422, 'ENCRYPTED_QUERY_UNSUPPORTED'],
          [{order: ['cost ASC']}, 422, 'ENCRYPTED_QUERY_UNSUPPORTED'],
          [{where: {'meta.a?b': 1}}, 400, 'INVALID_FILTER'],
          [{where: {'meta..a': 1}}, 400, 'INVALID_FILTER'],
          [{where: {'name.x': 1}}, 400, 'INVALID_FILTER'],
          [{order: ['name.x']}, 400, 'INVALID_FILTER'],
          [{order: ["meta.x' ASC"]}, 400, 'INVALID_FILTER'],
        ];
        for (const [filter, status, code] of filters) {
          const text = typeof filter === 'string' ? filter : JSON.stringify(filter);
          const answer = await client.get('/parts').query({filter: text});
          assert.equal(answer.status, status, `${text}: ${answer.text}`);
          if (code) assert.equal(answer.body.error.code, code, text);
        }
        for (const filter of [{where: {nmae: 'x'}}, {order: ['nmae ASC']}, {include: ['x']}]) {
          await client.get(`/parts/history?${queryOf({filter})}`).expect(400);
          await client.get(`/parts/1/history?${queryOf({filter})}`).expect(400);
        }
        const byWriter = {where: {_by: 'nobody', name: 'x'}, order: ['_validTo DESC']};
        await client.get(`/parts/history?${queryOf({filter: byWriter})}`).expect(200, []);
        const secret = {where: {cost: '12.50'}};
        await client.get(`/parts/history?${queryOf({filter: secret})}`).expect(422);
        const where = JSON.stringify({cost: {gt: '1'}});
        await client.get('/parts/count').query({where}).expect(422);
        const scoped = {include: [{relation: 'parts', scope: {where: {nmae: 1}}}]};
        await client.get('/makers').query({filter: JSON.stringify(scoped)}).expect(400);
        const bulk = JSON.stringify({nmae: 'x'});
        await client.patch('/makers').query({where: bulk}).send({name: 'all'}).expect(400);
        for (const empty of [{or: []}, {and: []}, {nor: [{name: 'x'}]}]) {
          const given = JSON.stringify(empty);
          const patch = client.patch('/makers').query({where: given}).send({name: 'all'});
          await patch.expect(400).expect(withCode('INVALID_FILTER'));
        }
        for (const empty of [{or: []}, {nor: [{name: 'x'}]}]) {
          const given = JSON.stringify(empty);
          await client.get('/parts/count').query({where: given}).expect(400);
          const states = queryOf({filter: {where: empty}});
          await client.get(`/parts/history?${states}`).expect(400);
        }
      });

      it('is refused in filters by what the model hides, as if it were absent', async () => {
        const byHidden: object[] = [
          {where: {note: {like: 's%'}}},
          {where: {or: [{name: 'x'}, {note: 's'}]}},
          {where: {pin: '1234'}},
          {order: ['note DESC']},
        ];
        const absent = withCode('INVALID_FILTER');
        for (const filter of byHidden) {
          const query = queryOf({filter});
          for (const path of ['/parts', '/parts/history', '/parts/1/history']) {
            await client.get(`${path}?${query}`).expect(400).expect(absent);
          }
          const scoped = {include: [{relation: 'parts', scope: filter}]};
          await client.get(`/makers?${queryOf({filter: scoped})}`).expect(400).expect(absent);
        }
        const where = {note: {like: 's%'}};
        await client.get(`/parts/count?${queryOf({where})}`).expect(400).expect(absent);
        await client.get(`/parts?${queryOf({filter: {where: {nmae: 1}}})}`).expect(400);
      });

      it('is not a path into a JSON property', async () => {
        const {id} = await givenPart({meta: {'a-b': 'x'}});
        const filter = {where: {id, 'meta.a-b': 'x'}, order: ['meta.a-b DESC'], fields: ['id']};
        await client.get(`/parts?${queryOf({filter})}`).expect(200, [{id}]);
      });

      it('is refused in an inclusion that compares an encrypted property', async () => {
        const {body: maker} = await client.post('/makers').send({name: givenId()}).expect(200);
        const scope = {where: {cost: '1'}};
        const filter = {where: {id: maker.id}, include: [{relation: 'parts', scope}]};
        await client
          .get('/makers')
          .query({filter: JSON.stringify(filter)})
          .expect(422).expect(withCode('ENCRYPTED_QUERY_UNSUPPORTED'));
      });

      it('is refused when it aims at prototypes', async () => {
        const json = {'Content-Type': 'application/json'};
        const id = givenId();
        for (const trick of [
          `{"id": "${id}", "name": "x", "__proto__": {"polluted": true}}`,
          `{"id": "${id}", "name": "x", "constructor": {"prototype": {"polluted": true}}}`,
        ]) {
          const answer = await client.post('/parts').set(json).send(trick);
          assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
        }
        for (const filter of [
          '{"where": {"__proto__": {"polluted": true}}}',
          '{"where": {"constructor": {"prototype": {"polluted": true}}}}',
          '{"where": {"toString": "x"}}',
        ]) {
          await client.get('/parts').query({filter}).expect(400);
        }
        await client.get('/parts?filter[where][__proto__][polluted]=true').expect(okOrRefused);
        await client.get(`/parts/${id}`).expect(404);
      });

      it('is refused when it is too large or too deep', async () => {
        const large = JSON.stringify({id: givenId(), name: 'x'.repeat(10 * 1024 * 1024)});
        const json = {'Content-Type': 'application/json'};
        await client.post('/parts').set(json).send(large).expect(413);
        const deep = `{"id": "x", "name": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
        await client.post('/parts').set(json).send(deep).expect(refused);
        let where: object = {name: 'x'};
        for (let depth = 0; depth < 500; depth++) where = {and: [where]};
        const filter = JSON.stringify({where});
        await client.get('/parts').query({filter}).expect(400).expect(withCode('INVALID_FILTER'));
      });

      it('is refused by the database as the mistake of a client, not of the server', async () => {
        if (where === 'memory') return;
        const nul = {id: givenId(), name: 'nul \u0000 byte'};
        await client.post('/parts').send(nul).expect(400).expect(withCode('INVALID_VALUE'));
        const filter = JSON.stringify({where: {makerId: 'abc'}});
        await client.get('/parts').query({filter}).expect(okOrRefused);
        const name = givenId();
        await client.post('/makers').send({name}).expect(200);
        const again = await client.post('/makers').send({name}).expect(409);
        assert.equal(again.body.error.code, 'UNIQUE_VIOLATION');
        assert.ok(!again.text.includes(name));
      });
    });

    describe('the OpenAPI document', () => {
      it('is valid', async () => {
        await validateApiSpec((await client.get('/openapi.json').expect(200)).body);
      });

      it('shows what the behaviours offer, and nothing else', async () => {
        const {paths} = (await client.get('/openapi.json').expect(200)).body as OpenApi;
        assert.deepEqual(routesUnder(paths, '/parts'), [
          'delete /parts/{id}',
          'delete /parts/{id}/{version}',
          'get /parts',
          'get /parts/count',
          'get /parts/history',
          'get /parts/{id}',
          'get /parts/{id}/diff',
          'get /parts/{id}/history',
          'patch /parts/{id}',
          'post /parts',
          'post /parts/{id}/restore',
          'post /parts/{id}/revert/{revision}',
          'put /parts/{id}',
        ]);
        assert.deepEqual(routesUnder(paths, '/makers'), [
          'delete /makers/{id}',
          'get /makers',
          'get /makers/count',
          'get /makers/{id}',
          'patch /makers',
          'patch /makers/{id}',
          'post /makers',
          'put /makers/{id}',
        ]);
        const patch = paths['/parts/{id}'].patch;
        assert.equal(Object.keys(patch.responses).join(), '204,400,404,409,412,422,428');
        assert.deepEqual(patch.parameters.map(p => p.name), ['id', 'If-Match']);
        const plain = paths['/makers/{id}'].patch;
        assert.equal(Object.keys(plain.responses).join(), '204,400,404,409,422');
        assert.deepEqual(plain.parameters.map(p => p.name), ['id']);
      });
    });

    function givenId(): string {
      return `part-${++parts}-${Math.random().toString(36).slice(2)}`;
    }

    async function givenPart(values: object = {}): Promise<Record<string, unknown> & {id: string}> {
      const id = givenId();
      return (await client.post('/parts').send({id, name: 'a part', ...values}).expect(200)).body;
    }

    async function read(id: string): Promise<Record<string, unknown>> {
      return (await client.get(`/parts/${id}`).expect(200)).body;
    }

    async function deletedVersion(id: string): Promise<string> {
      const parts = await fixture.app.get<PartRepository>('repositories.PartRepository');
      const row = await parts.findById(id, undefined, {withDeleted: true});
      return (row as Part & {_version: string})._version;
    }

    /** What the table holds, past the repository. */
    async function rawCost(id: string): Promise<string> {
      if (database) {
        const [row] = await database.query('SELECT cost FROM part WHERE id = $1', [id]);
        return String(row.cost);
      }
      const {connector} = fixture.dataSource as unknown as {
        connector: {cache: Record<string, Record<string, string>>};
      };
      return JSON.parse(connector.cache.Part[id]).cost;
    }
  });
}

function queryOf(values: Record<string, object>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`)
    .join('&');
}

interface Revision {
  _revision: number;
  _operation: string;
  _by: string;
  entity: {qty: number; cost: string};
}

interface OpenApi {
  paths: Record<string, Record<string, {responses: object; parameters: {name: string}[]}>>;
}

function routesUnder(paths: OpenApi['paths'], base: string): string[] {
  return Object.entries(paths)
    .filter(([path]) => path.startsWith(base))
    .flatMap(([path, verbs]) => Object.keys(verbs).map(verb => `${verb} ${path}`))
    .sort();
}

function pick(row: Record<string, unknown>, ...names: string[]): Record<string, unknown> {
  return Object.fromEntries(names.map(name => [name, row[name]]));
}

interface Answer {
  status: number;
  text: string;
  body: {error: {code: string; details: object}};
}

function withCode(code: string): (answer: Answer) => void {
  return ({body, text}) => assert.equal(body.error?.code, code, text);
}

function conflict(answer: Answer): void {
  withCode('VERSION_CONFLICT')(answer);
}

function refused({status, text}: Answer): void {
  assert.ok(status >= 400 && status < 500, `${status} ${text}`);
}

function okOrRefused({status, text}: Answer): void {
  assert.ok(status < 500, `${status} ${text}`);
}
