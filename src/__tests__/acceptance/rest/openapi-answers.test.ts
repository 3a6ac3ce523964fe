import assert from 'node:assert/strict';
import {inject} from '@loopback/core';
import {
  DefaultTransactionalRepository,
  Entity,
  type juggler,
  model,
  property,
} from '@loopback/repository';
import {type OpenApiSpec} from '@loopback/rest';
import {type Client, createRestAppClient} from '@loopback/testlab';
import {embedsMany, embedsOne} from '../../../mixins/embedded/decorators';
import {EmbeddingMixin} from '../../../mixins/mixins';
import {Versioned} from '../../../mixins/model-mixins';
import {BareApplication} from '../../support/bare-application';
import {ALL, givenPostgresSource, migrate} from '../../support/behaviours';
import {givenPostgres18, type TestDatabase} from '../../support/databases';

type Call = PromiseLike<Answer>;
type Row = Record<string, unknown> & {id: number; _version: string};
/** For each operation of the document, the calls that provoke its answers, by status. */
type Provocations = Record<string, Record<number, () => Call>>;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: {readonly error: {readonly code?: string}};
  readonly headers: Record<string, string>;
}

describe('the answers that the OpenAPI document names', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let dataSource: juggler.DataSource;
  let app: BareApplication;
  let client: Client;
  let document: OpenApiSpec;

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('answers');
    dataSource = givenPostgresSource(database);
    app = await givenThings(dataSource);
    await database.query('CREATE TABLE mention (of int REFERENCES bare (id))');
    await app.start();
    client = createRestAppClient(app);
    document = (await client.get('/openapi.json').expect(200)).body;
  });
  after(async () => {
    await app?.stop();
    await dataSource?.disconnect();
    await database?.drop();
  });

  it('are those that the routes of an entity with every behaviour give', () =>
    compare('/full', ofEveryBehaviour()));

  it('are those that the routes of an entity without behaviours give', () =>
    compare('/bare', ofNone()));

  it('carry an ETag where the document says so, and nowhere else', async () => {
    const tagged = operationsUnder('/full').filter(name =>
      Object.values(responsesOf(name)).some(({headers}) => headers?.ETag),
    );
    assert.deepEqual(tagged, [
      'get /full/{id}', 'get /full/{id}/maker', 'get /full/{id}/parts/{childId}',
      'patch /full/{id}', 'post /full', 'post /full/{id}/maker', 'post /full/{id}/parts',
      'post /full/{id}/restore', 'post /full/{id}/revert/{revision}', 'put /full/{id}',
      'put /full/{id}/maker', 'put /full/{id}/parts/{childId}',
    ]);
    assert.ok(!operationsUnder('/bare').some(n => JSON.stringify(responsesOf(n)).includes('ETag')));
  });

  async function compare(base: string, provocations: Provocations): Promise<void> {
    assert.deepEqual(operationsUnder(base), Object.keys(provocations).sort());
    for (const [operation, calls] of Object.entries(provocations)) {
      const said = responsesOf(operation);
      assert.deepEqual(Object.keys(said), Object.keys(calls), operation);
      for (const [status, provoke] of Object.entries(calls)) {
        const answer = await provoke();
        const what = `${operation} ${status}: ${answer.status} ${answer.text}`;
        assert.equal(String(answer.status), status, what);
        if (Number(status) >= 400) assert.ok(answer.body.error.code, what);
        const isTagged = said[status].headers?.ETag !== undefined;
        assert.equal(answer.headers.etag?.startsWith('"') ?? false, isTagged, what);
      }
    }
  }

  function ofEveryBehaviour(): Provocations {
    const secret = {filter: {where: {secret: 'x'}}};
    const odd = {filter: {where: {nmae: 1}}};
    const withRow = (call: (row: Row) => Call) => async () => call(await given('/full'));
    const at = ({id}: Row) => `/full/${id}`;
    const stale = {_version: 'stale'};
    const current = ({_version}: Row) => ({'If-Match': `"${_version}"`});
    const old = {'If-Match': '"old"'};
    const writes = (verb: 'patch' | 'put') => ({
      204: withRow(row => client[verb](at(row)).set(current(row)).send({name: next()})),
      400: withRow(row => client[verb](at(row)).send({id: row.id + 1, name: 'x'})),
      404: () => client[verb]('/full/0').send({name: 'x', ...stale}),
      409: withRow(row => client[verb](at(row)).send({name: 'x', ...stale})),
      412: withRow(row => client[verb](at(row)).set(old).send({name: 'x'})),
      422: withRow(row => client[verb](at(row)).send({qty: 'x'})),
      428: withRow(row => client[verb](at(row)).send({name: 'x'})),
    });
    const withNone = (call: (row: Row) => Call) => async () => call(await childless());
    return {
      'post /full': {
        200: () => client.post('/full').send({name: next()}),
        400: () => client.post('/full').send({name: 'x\u0000'}),
        409: withRow(({name}) => client.post('/full').send({name})),
        422: () => client.post('/full').send({}),
      },
      'get /full': {
        200: () => client.get('/full'),
        400: () => client.get('/full').query(json(odd)),
        422: () => client.get('/full').query(json(secret)),
      },
      'get /full/count': {
        200: () => client.get('/full/count'),
        400: () => client.get('/full/count').query(json({where: {nmae: 1}})),
        422: () => client.get('/full/count').query(json({where: {secret: 'x'}})),
      },
      'get /full/{id}': {
        200: withRow(row => client.get(at(row))),
        304: withRow(row => client.get(at(row)).set('If-None-Match', `W/"${row._version}"`)),
        400: () => client.get('/full/x'),
        404: () => client.get('/full/0'),
        422: withRow(row => client.get(at(row)).query(json({filter: {order: ['secret']}}))),
      },
      'patch /full/{id}': writes('patch'),
      'put /full/{id}': writes('put'),
      'delete /full/{id}': {
        204: withRow(row => client.delete(at(row)).set(current(row))),
        400: () => client.delete('/full/x'),
        404: () => client.delete('/full/0').set(old),
        412: withRow(row => client.delete(at(row)).set(old)),
        428: withRow(row => client.delete(at(row))),
      },
      'delete /full/{id}/{version}': {
        200: withRow(row => client.delete(`${at(row)}/${row._version}`)),
        400: () => client.delete('/full/x/v'),
        404: () => client.delete('/full/0/v'),
        409: withRow(row => client.delete(`${at(row)}/stale`)),
      },
      'post /full/{id}/restore': {
        200: withDeleted(row => client.post(`${at(row)}/restore`)),
        400: () => client.post('/full/x/restore'),
        404: () => client.post('/full/0/restore'),
        409: async () => {
          const row = await deleted();
          await client.post('/full').send({name: row.name}).expect(200);
          return client.post(`${at(row)}/restore`);
        },
        412: withDeleted(row => client.post(`${at(row)}/restore`).set(old)),
      },
      'get /full/history': {
        200: () => client.get('/full/history'),
        400: () => client.get('/full/history').query(json(odd)),
        422: () => client.get('/full/history').query(json(secret)),
      },
      'get /full/{id}/history': {
        200: () => client.get('/full/0/history'),
        400: () => client.get('/full/x/history'),
        422: () => client.get('/full/0/history').query(json(secret)),
      },
      'get /full/{id}/diff': {
        200: withChanged(row => client.get(`${at(row)}/diff?from=1&to=current`)),
        400: () => client.get('/full/1/diff?from=x&to=current'),
        404: withRow(row => client.get(`${at(row)}/diff?from=9&to=current`)),
      },
      'post /full/{id}/revert/{revision}': {
        200: withChanged(row => client.post(`${at(row)}/revert/1`).set(current(row))),
        400: () => client.post('/full/1/revert/x'),
        404: withRow(row => client.post(`${at(row)}/revert/9`).set(current(row))),
        409: async () => {
          const row = await changed();
          await client.post('/full').send({name: row.before}).expect(200);
          return client.post(`${at(row)}/revert/1`).set(current(row));
        },
        412: withChanged(row => client.post(`${at(row)}/revert/1`).set(old)),
        422: async () => {
          const row = await changed();
          const rule = `CHECK (name <> '${String(row.before)}') NOT VALID`;
          await database.query(`ALTER TABLE "full" ADD CONSTRAINT taste ${rule}`);
          return client.post(`${at(row)}/revert/1`).set(current(row));
        },
        428: withChanged(row => client.post(`${at(row)}/revert/1`)),
      },
      ...ofChild('/full/{id}/maker', () => '/maker', withRow),
      ...ofChildren('/full/{id}/parts', withRow),
    };

    function ofChild(path: string, own: () => string, use: typeof withRow): Provocations {
      const child = (row: Row) => `${at(row)}${own()}`;
      const both = ({_version}: Row) => ({_version, _parentVersion: _version});
      return {
        [`get ${path}`]: {
          200: use(row => client.get(child(row))),
          304: use(row => client.get(child(row)).set('If-None-Match', `"${row._version}", "x"`)),
          400: () => client.get(`/full/x${own()}`),
          404: () => client.get(`/full/0${own()}`),
        },
        [`put ${path}`]: {
          200: use(row => client.put(child(row)).set(current(row)).send({name: 'y'})),
          400: () => client.put(`/full/x${own()}`).send({name: 'y'}),
          404: () => client.put(`/full/0${own()}`).send({name: 'y', ...stale}),
          409: use(row => client.put(child(row)).send({name: 'y', ...stale})),
          412: use(row => client.put(child(row)).set(old).send({name: 'y'})),
          422: use(row => client.put(child(row)).send({shoes: 1})),
          428: use(row => client.put(child(row)).send({name: 'y'})),
        },
        [`delete ${path}`]: {
          204: use(row => client.delete(child(row)).query(both(row))),
          400: () => client.delete(`/full/x${own()}`),
          404: () => client.delete(`/full/0${own()}`).query(stale),
          409: use(row => client.delete(child(row)).query(stale)),
          412: use(row => client.delete(child(row)).set(old)),
          428: use(row => client.delete(child(row))),
        },
        ...(own() === '/maker' ? creation(path, own()) : {}),
      };
    }

    function creation(path: string, own: string): Provocations {
      const child = (row: Row) => `${at(row)}${own}`;
      return {
        [`post ${path}`]: {
          200: withNone(row => client.post(child(row)).set(current(row)).send({name: 'y'})),
          400: () => client.post(`/full/x${own}`).send({name: 'y'}),
          404: () => client.post(`/full/0${own}`).send({name: 'y', _parentVersion: 'v'}),
          409: withRow(row =>
            client.post(child(row)).set(current(row)).send({id: 'p', name: 'y'})),
          412: withNone(row => client.post(child(row)).set(old).send({name: 'y'})),
          422: withNone(row => client.post(child(row)).set(current(row)).send({shoes: 1})),
          428: withNone(row => client.post(child(row)).send({name: 'y'})),
        },
      };
    }

    function ofChildren(path: string, use: typeof withRow): Provocations {
      return {
        [`get ${path}`]: {
          200: use(row => client.get(`${at(row)}/parts`)),
          400: () => client.get('/full/x/parts'),
          404: () => client.get('/full/0/parts'),
        },
        ...creation(path, '/parts'),
        ...ofChild(`${path}/{childId}`, () => '/parts/p', use),
      };
    }
  }

  function ofNone(): Provocations {
    const withRow = (call: (row: Row) => Call) => async () => call(await given('/bare'));
    const at = ({id}: Row) => `/bare/${id}`;
    const odd = {filter: {where: {nmae: 1}}};
    const writes = (verb: 'patch' | 'put') => ({
      204: withRow(row => client[verb](at(row)).send({name: next()})),
      400: () => client[verb]('/bare/x').send({name: 'x'}),
      404: () => client[verb]('/bare/0').send({name: 'x'}),
      409: async () => {
        const [a, b] = [await given('/bare'), await given('/bare')];
        return client[verb](at(a)).send({name: b.name});
      },
      422: withRow(row => client[verb](at(row)).send({name: 1})),
    });
    const child = (own: string): Provocations[string] => ({
      200: withRow(row => client.get(`${at(row)}${own}`)),
      400: () => client.get(`/bare/x${own}`),
      404: () => client.get(`/bare/0${own}`),
    });
    const put = (own: string): Provocations[string] => ({
      200: withRow(row => client.put(`${at(row)}${own}`).send({name: 'y'})),
      400: () => client.put(`/bare/x${own}`).send({name: 'y'}),
      404: () => client.put(`/bare/0${own}`).send({name: 'y'}),
      422: withRow(row => client.put(`${at(row)}${own}`).send({name: 1})),
    });
    const remove = (own: string): Provocations[string] => ({
      204: withRow(row => client.delete(`${at(row)}${own}`)),
      400: () => client.delete(`/bare/x${own}`),
      404: () => client.delete(`/bare/0${own}`),
    });
    const make = (own: string): Provocations[string] => ({
      200: async () => {
        const {body} = await client.post('/bare').send({name: next()}).expect(200);
        return client.post(`${at(body)}${own}`).send({name: 'y'});
      },
      400: () => client.post(`/bare/x${own}`).send({name: 'y'}),
      404: () => client.post(`/bare/0${own}`).send({name: 'y'}),
      409: withRow(row => client.post(`${at(row)}${own}`).send({id: 'p', name: 'y'})),
      422: withRow(row => client.post(`${at(row)}${own}`).send({name: 1})),
    });
    return {
      'post /bare': {
        200: () => client.post('/bare').send({name: next()}),
        400: () => client.post('/bare').send({name: 'x\u0000'}),
        409: withRow(({name}) => client.post('/bare').send({name})),
        422: () => client.post('/bare').send({}),
      },
      'get /bare': {
        200: () => client.get('/bare'),
        400: () => client.get('/bare').query(json(odd)),
      },
      'get /bare/count': {
        200: () => client.get('/bare/count'),
        400: () => client.get('/bare/count').query(json({where: {nmae: 1}})),
      },
      'patch /bare': {
        200: () => client.patch('/bare').query(json({where: {id: 0}})).send({name: 'x'}),
        400: () => client.patch('/bare').send({id: 1}),
        409: async () => {
          const [a, b] = [await given('/bare'), await given('/bare')];
          return client.patch('/bare').query(json({where: {id: a.id}})).send({name: b.name});
        },
        422: () => client.patch('/bare').send({name: 1}),
      },
      'get /bare/{id}': child(''),
      'patch /bare/{id}': writes('patch'),
      'put /bare/{id}': writes('put'),
      'delete /bare/{id}': {
        ...remove(''),
        409: async () => {
          const row = await given('/bare');
          await database.query('INSERT INTO mention VALUES ($1)', [row.id]);
          return client.delete(at(row));
        },
      },
      'get /bare/{id}/maker': child('/maker'),
      'post /bare/{id}/maker': make('/maker'),
      'put /bare/{id}/maker': put('/maker'),
      'delete /bare/{id}/maker': remove('/maker'),
      'get /bare/{id}/parts': child('/parts'),
      'post /bare/{id}/parts': make('/parts'),
      'get /bare/{id}/parts/{childId}': child('/parts/p'),
      'put /bare/{id}/parts/{childId}': put('/parts/p'),
      'delete /bare/{id}/parts/{childId}': remove('/parts/p'),
    };
  }

  async function given(base: string): Promise<Row> {
    const row = {name: next(), maker: {id: 'p', name: 'm'}, parts: [{id: 'p', name: 'p'}]};
    return (await client.post(base).send(row).expect(200)).body;
  }

  async function childless(): Promise<Row> {
    return (await client.post('/full').send({name: next()}).expect(200)).body;
  }

  async function deleted(): Promise<Row> {
    const row = await given('/full');
    await client.delete(`/full/${row.id}/${row._version}`).expect(200);
    return row;
  }

  async function changed(): Promise<Row> {
    const {id, name: before, _version} = await given('/full');
    await client.patch(`/full/${id}`).send({name: next(), _version}).expect(204);
    return {...(await client.get(`/full/${id}`).expect(200)).body, before};
  }

  function withDeleted(call: (row: Row) => Call) {
    return async () => call(await deleted());
  }

  function withChanged(call: (row: Row) => Call) {
    return async () => call(await changed());
  }

  function operationsUnder(base: string): string[] {
    return Object.entries(document.paths)
      .filter(([path]) => path === base || path.startsWith(`${base}/`))
      .flatMap(([path, verbs]) => Object.keys(verbs).map(verb => `${verb} ${path}`))
      .sort();
  }

  function responsesOf(operation: string): Record<string, {headers?: {ETag?: object}}> {
    const [verb, path] = operation.split(' ');
    return document.paths[path][verb].responses;
  }
});

let names = 0;

function next(): string {
  return `name ${++names}`;
}

function json(query: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([k, v]) => [k, JSON.stringify(v)]));
}

async function givenThings(dataSource: juggler.DataSource): Promise<BareApplication> {
  const app = new BareApplication(dataSource);
  for (const [name, behaviours] of [['Full', ALL], ['Bare', []]] as const) {
    const base = behaviours.length > 0 ? Versioned(Entity) : Entity;
    @model({name: `Piece${name}`})
    class Piece extends base {
      @property({type: 'string', id: true}) id?: string;
      @property({type: 'string', required: true}) name!: string;
    }
    @model({name})
    class Thing extends base {
      @property({type: 'number', id: true, generated: true}) id?: number;
      @property({type: 'string', required: true, index: {unique: true}}) name!: string;
      @property({type: 'number'}) qty?: number;
      @property({type: 'string', encrypt: true}) secret?: string;
      @embedsOne(() => Piece) maker?: Piece;
      @embedsMany(() => Piece) parts?: Piece[];
    }
    class Things extends EmbeddingMixin(DefaultTransactionalRepository<Thing, number>) {
      constructor(@inject('datasources.db') source: juggler.DataSource) {
        super(Thing, source);
      }
    }
    app.mount(Thing, Things, behaviours, `/${name.toLowerCase()}`);
    await app.getRepository(Things);
  }
  await migrate(dataSource);
  return app;
}
