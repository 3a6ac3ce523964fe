import assert from 'node:assert/strict';
import type {Client} from '@loopback/testlab';
import type {AccessFilter, AccessRequest} from '../../../core/access';
import {
  givenRestApplication,
  type Part,
  type PartRepository,
  type RestFixture,
} from '../../support/rest-application';

describe('access filters of generated REST controllers', () => {
  let fixture: RestFixture | undefined;

  afterEach(async () => {
    await fixture?.stop();
    fixture = undefined;
  });

  it('run before anything is read, written or answered, with what the call is about', async () => {
    const asked: AccessRequest[] = [];
    const client = await givenClient({
      pre: (req, next) => {
        asked.push(req);
        return next();
      },
    });
    const {id, _version} = await givenPart(client);
    await client.get('/parts').query({filter: '{"limit": 5, "offset": 2}'}).expect(200);
    await client.get('/parts/count').expect(200);
    await client.get(`/parts/${id}`).expect(200);
    await client.patch(`/parts/${id}`).send({qty: 1, _version}).expect(204);
    await client.get(`/parts/${id}/history`).expect(200);
    await client.delete(`/parts/${id}/nonsense`).expect(409);
    assert.deepEqual(
      asked.map(({source, action, query}) => [source, action, query.type, query.id]),
      [
        ['rest', 'create', 'Part', undefined],
        ['rest', 'read', 'Part', id],
        ['rest', 'read', 'Part', undefined],
        ['rest', 'read', 'Part', undefined],
        ['rest', 'read', 'Part', id],
        ['rest', 'update', 'Part', id],
        ['rest', 'read', 'Part', id],
        ['rest', 'delete', 'Part', id],
      ],
    );
    assert.deepEqual([asked[2].query.offset, asked[2].query.pageSize], [2, 5]);
  });

  it('leave of the answer to a write the id alone, where its row may not be read', async () => {
    const client = await givenClient({
      pre: (req, next) => (req.action === 'read' ? next(new Error('write only')) : next()),
    });
    const {body} = await client.post('/parts').send({id: '1', name: 'x'}).expect(200);
    assert.deepEqual(body, {id: '1'});
    await client.get('/parts/1').expect(403);
  });

  it('refuse every route, with the status that the filter chooses', async () => {
    const client = await givenClient({
      pre: () => {
        throw Object.assign(new Error('Please sign in first.'), {statusCode: 401});
      },
    });
    for (const call of [
      client.get('/parts'),
      client.get('/parts/count'),
      client.get('/parts/1'),
      client.get('/parts/history'),
      client.get('/parts/1/history'),
      client.get('/parts/1/diff?from=1&to=current'),
      client.post('/parts').send({id: '1', name: 'x'}),
      client.put('/parts/1').send({name: 'x', _version: 'v'}),
      client.patch('/parts/1').send({name: 'x', _version: 'v'}),
      client.delete('/parts/1'),
      client.delete('/parts/1/v'),
      client.post('/parts/1/restore'),
      client.post('/parts/1/revert/1'),
      client.get('/makers?filter={"include":["parts"]}'),
    ]) {
      const {body} = await call.expect(401);
      assert.equal(body.error.code, 'CRUD_BLOCKED');
      assert.match(body.error.message, /sign in/);
    }
    await client.get('/makers').expect(200);
  });

  it('cut what is seen of a row, in every answer that shows it', async () => {
    const client = await givenClient({post: hideQty});
    const {body: maker} = await client.post('/makers').send({name: 'm'}).expect(200);
    const part = await givenPart(client, {qty: 1, makerId: maker.id});
    assert.equal(part.qty, undefined);
    const path = `/parts/${part.id}`;
    const withParts = `/makers/${maker.id}?filter={"include":["parts"]}`;
    await client.patch(path).send({qty: 2, name: 'b', _version: part._version}).expect(204);
    const shown = [
      (await client.get(path).expect(200)).body,
      (await client.get('/parts').expect(200)).body[0],
      (await client.get(`${path}/history`).expect(200)).body[0].entity,
      (await client.get('/parts/history').expect(200)).body[0].entity,
      (await client.get(path).query({asOf: '2999-01-01T00:00:00Z'}).expect(200)).body,
      (await client.get(withParts).expect(200)).body.parts[0],
    ];
    for (const row of shown) {
      assert.equal(row.id, part.id);
      assert.ok(!('qty' in row), JSON.stringify(row));
    }
    const diff = await client.get(`${path}/diff?from=1&to=current`).expect(200);
    assert.deepEqual(diff.body, [{property: 'name', from: 'a part', to: 'b'}]);
  });

  it('judge the whole row, whatever fields the caller chooses', async () => {
    const client = await givenClient({post: onlyFew});
    const [few, many] = [await givenPart(client, {qty: 1}), await givenPart(client, {qty: 2})];
    const filter = JSON.stringify({fields: ['name'], order: ['id ASC']});
    const found = await client.get('/parts').query({filter}).expect(200);
    assert.deepEqual(found.body, [{name: 'a part'}]);
    const fields = JSON.stringify({fields: {name: true}});
    const one = await client.get(`/parts/${few.id}`).query({filter: fields}).expect(200);
    assert.deepEqual(one.body, {name: 'a part'});
    await client.get(`/parts/${many.id}`).query({filter: fields}).expect(403);
  });

  it('answer 200 to who may see less than the tag says', async () => {
    const client = await givenClient({post: hideQty});
    const {id, _version} = await givenPart(client);
    await client.get(`/parts/${id}`).set('If-None-Match', `"${_version}"`).expect(200);
  });

  it('judge the row that a write would change', async () => {
    const client = await givenClient({
      post: ({action, resource}, next) => {
        if (action !== 'read' && action !== 'create' && resource?.qty === 7) {
          throw new Error('Sevens stay as they are.');
        }
        return next();
      },
    });
    const {id, _version} = await givenPart(client, {qty: 7});
    const path = `/parts/${id}`;
    for (const write of [
      client.patch(path).send({qty: 1, _version}),
      client.put(path).send({name: 'x', _version}),
      client.delete(`${path}/${_version}`),
      client.delete(path).set('If-Match', `"${_version}"`),
      client.post(`${path}/revert/1`).set('If-Match', `"${_version}"`),
    ]) {
      await write.expect(403);
    }
    assert.equal((await client.get(path).expect(200)).body.qty, 7);
    await client.patch('/parts/nobody').send({qty: 1, _version}).expect(404);
  });

  it('keep what a person is not shown when they replace the row', async () => {
    const values: unknown[] = [];
    const client = await givenClient({
      pre: ({query}, next) => {
        if (query.value) values.push(query.value);
        return next();
      },
      post: (req, next) => {
        delete req.resource?.cost;
        Object.assign(req.resource ?? {}, {qty: undefined, meta: undefined});
        return next();
      },
    });
    const given = {qty: 1, cost: '2.00', meta: {a: [1]}, pin: '1234'};
    const {id} = await givenPart(client, {...given, makerId: 1});
    const path = `/parts/${id}`;
    const {body: shown} = await client.get(path).expect(200);
    await client.put(path).send({...shown, name: 'renamed', makerId: undefined}).expect(204);
    const after = await stored(id);
    assert.equal(after.name, 'renamed');
    assert.equal(after.makerId ?? null, null);
    const {qty, cost, meta, pin} = after;
    assert.deepEqual({qty, cost, meta, pin}, given);
    assert.ok(!JSON.stringify(values[1]).includes('2.00'), 'filters judge what the client sent');

    const {_version} = after as Part & {_version: string};
    await client.put(path).send({name: 'x', qty: 5, cost: null, _version}).expect(204);
    const last = await stored(id);
    assert.deepEqual([last.qty, last.cost ?? null, last.pin], [5, null, '1234']);
  });

  it('keep a secret that a person who may only write cannot have read', async () => {
    const client = await givenClient({
      post: ({action, resource}, next) =>
        next(action === 'read' && resource?.qty ? new Error('Not to be read.') : undefined),
    });
    const {id} = await givenPart(client, {qty: 1, cost: '2.00'});
    await client.put(`/parts/${id}`).send({name: 'x'}).expect(428);
    const {_version} = (await stored(id)) as Part & {_version: string};
    await client.put(`/parts/${id}`).send({name: 'x', _version}).expect(204);
    const {name, cost} = await stored(id);
    assert.deepEqual([name, cost], ['x', '2.00']);
  });

  it('judge the row that a create would make', async () => {
    const client = await givenClient({
      post: ({action, resource}, next) =>
        next(action === 'create' && resource?.qty === 7 ? new Error('No sevens.') : undefined),
    });
    await client.post('/parts').send({id: 's', name: 'x', qty: 7}).expect(403);
    await client.get('/parts/s').expect(404);
    await client.post('/parts').send({id: 's', name: 'x', qty: 6}).expect(200);
  });

  async function stored(id: unknown): Promise<Part> {
    const rows = await fixture!.app.get<PartRepository>('repositories.PartRepository');
    return rows.findById(String(id));
  }

  async function givenClient(filters: {pre?: AccessFilter; post?: AccessFilter}): Promise<Client> {
    fixture = await givenRestApplication(filters);
    return fixture.client;
  }
});

const hideQty: AccessFilter = (req, next) => {
  delete req.resource?.qty;
  return next();
};

/** Passes what it does not see, as filters tend to. */
const onlyFew: AccessFilter = (req, next) => {
  if (req.action === 'read' && Number(req.resource?.qty) > 1) throw new Error('Too many.');
  return next();
};

let parts = 0;

async function givenPart(client: Client, values: object = {}): Promise<Record<string, unknown>> {
  const body = {id: `p${++parts}`, name: 'a part', ...values};
  const {status, body: answer} = await client.post('/parts').send(body);
  // The filter under test may refuse to show what was made.
  return status === 200 ? answer : body;
}
