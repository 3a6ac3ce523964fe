import assert from 'node:assert/strict';
import {inject} from '@loopback/core';
import {
  DefaultTransactionalRepository,
  Entity,
  type juggler,
  model,
  property,
} from '@loopback/repository';
import {type Client, createRestAppClient} from '@loopback/testlab';
import {LiveEntitiesComponent} from '../../../components/live-entities.component';
import {LiveEntitiesBindings} from '../../../keys';
import {BareApplication} from '../../support/bare-application';
import {ALL, givenMemory, givenPostgresSource, migrate} from '../../support/behaviours';
import {givenPostgres15, givenPostgres18, type TestDatabase} from '../../support/databases';
import {givenConnectedMariaSource, givenMariaDatabase} from '../../support/mariadb';

const UUID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const NUL = '\u0000';
const HALF = '\ud800';

interface Source {
  readonly dataSource: juggler.DataSource;
  drop(): Promise<void>;
}

const SOURCES: readonly [string, () => Promise<Source | undefined>][] = [
  ['memory', async () => ({dataSource: givenMemory(), drop: async () => undefined})],
  ['PostgreSQL 18', async () => onPostgres(await (await givenPostgres18()).createDatabase('bad'))],
  ['PostgreSQL 15', async () => onPostgres(await (await givenPostgres15())?.createDatabase('bad'))],
  ['MariaDB', async () => {
    const database = await givenMariaDatabase('bad');
    if (!database) return undefined;
    return {dataSource: await givenConnectedMariaSource(database), drop: () => database.drop()};
  }],
];

for (const [engine, givenSource] of SOURCES) {
  describe(`bad input over REST on ${engine}`, function () {
    this.timeout(60_000);
    let source: Source | undefined;
    let app: BareApplication;
    let client: Client;
    const faults: unknown[] = [];

    before(async function () {
      source = await givenSource();
      if (!source) return this.skip();
      app = await givenThings(source.dataSource);
      app.bind('rest.sequence.actions.logError').to((error: Error, status: number) => {
        if (status >= 500) faults.push(error);
      });
      await app.start();
      client = createRestAppClient(app);
    });
    after(async () => {
      await app?.stop();
      await source?.dataSource.disconnect();
      await source?.drop();
    });
    beforeEach(() => void (faults.length = 0));

    const WRONG_WHERES: object[] = [
      {qty: 'abc'}, {qty: {gt: 'abc'}}, {qty: {inq: [1, 'abc']}}, {qty: {between: ['a', 'b']}},
      {qty: true}, {qty: ''}, {qty: [1]}, {qty: []}, {qty: {like: '1%'}}, {qty: {regexp: '1'}},
      {made: 'nonsense'}, {made: ''}, {made: 1e300}, {made: true}, {made: {gt: 'nonsense'}},
      {made: {inq: ['x']}}, {made: {between: ['x', 'y']}}, {made: {like: '2026%'}},
      {made: {regexp: '2026'}}, {made: '9999-12-31T23:59:60Z'}, {made: '1767225600000'},
      {flag: 'yes'}, {flag: 5}, {flag: {like: 't'}},
      {name: ['x']}, {name: {inq: 'x'}}, {name: {inq: [{}]}}, {name: {exists: 'x'}}, {name: {}},
      {name: {like: 5}}, {name: {like: null}}, {name: {regexp: '('}}, {name: {regexp: '/(/'}},
      {name: {regexp: '/a/zz'}}, {name: {regexp: null}}, {name: {options: 'i'}},
      {name: {contains: ['x']}}, {name: {near: [1, 2]}}, {name: {maxDistance: 5}},
      {name: HALF}, {name: {like: `${HALF}%`}}, {name: {inq: ['x', HALF]}},
      {meta: {a: 1}}, {meta: {}}, {meta: {eq: {a: 1}}}, {'meta.a': {b: 1}}, {'meta.a': {}},
      {'meta.a': {near: 1}}, {'meta.a': HALF},
      {or: []}, {or: [{}]}, {or: [{name: 'x'}, {}]}, {and: [null]}, {and: ['x']}, {nor: []},
    ];

    it('refuses a where that compares a property with what it cannot be', async () => {
      for (const where of WRONG_WHERES) {
        for (const path of ['/plain', '/all/history']) {
          await refuses(client.get(path).query(json({filter: {where}})), where);
        }
        await refuses(client.get('/all/count').query(json({where})), where);
        await refuses(client.patch('/plain').query(json({where})).send({qty: 1}), where);
      }
    });

    it('answers a where that no database column can hold with no rows or 400', async () => {
      const wheres = [
        {name: NUL}, {name: {like: `a${NUL}`}}, {qty: 1e300}, {qty: 99999999999}, {id: 'no uuid'},
        {ref: 'no uuid'}, {id: {inq: ['no uuid']}}, {ref: {regexp: 'x'}}, {'meta.a': NUL},
        {made: '-271821-04-20T00:00Z'}, {made: '+275760-09-13T00:00:00.000Z'}, {meta: null},
        {name: {regexp: '^x'}},
      ];
      for (const where of wheres) {
        for (const path of ['/plain', '/all', '/all/history']) {
          const {status, body} = await client.get(path).query(json({filter: {where}}));
          assert.ok(status === 400 || status === 200, said(where, body));
          if (status === 400) assert.ok(body.error.code, said(where, body));
          if (status === 200) assert.deepEqual(body, [], said(where, body));
        }
      }
    });

    it('means every operator and key that a where names', async () => {
      const {body: row} = await client.post('/plain').send(whole(newId())).expect(200);
      const found = async (where: object) => {
        const {status, body} = await client.get('/plain').query(json({filter: {where}}));
        return status === 200 ? body.some(({id}: {id: string}) => id === row.id) : status;
      };
      assert.equal(await found({qty: {gt: 0, lt: 2}}), true);
      assert.equal(await found({qty: {gt: 0, lt: 1}}), false);
      assert.equal(await found({qty: '1', flag: 'true'}), true);
      const readsKeys = engine !== 'MariaDB';
      assert.equal(await found({'meta.a': 1}), readsKeys ? true : 400);
      assert.equal(await found({'meta.a': 2}), readsKeys ? false : 400);
      assert.equal(await found({nor: [{name: 'x'}]}), 400);
      const nested = 'filter[where][qty][gt]=0&filter[limit]=1';
      assert.equal((await client.get(`/plain?${nested}`).expect(200)).body.length, 1);
    });

    it('refuses filters that are none, and reads by those that are merely empty', async () => {
      for (const filter of ['{', '[]', '5', '"x"', '{"limit": -1}', '{"skip": 1.5}', '{"a": 1}',
        '{"order": [5]}', '{"include": [null]}', '{"where": []}', '{"limit": 1e300}',
        '{"where": {"__proto__": 1}}', '{"where": {"toString": "x"}}']) {
        for (const path of ['/plain', '/all', '/all/history']) {
          await refuses(client.get(path).query({filter}), filter, null);
        }
      }
      const id = newId();
      await client.post('/plain').send(whole(id)).expect(200);
      for (const filter of [
        'null', '{}', '{"order": []}', '{"where": {}}', '', '{"limit": 9007199254740991}',
      ]) {
        for (const path of ['/plain', `/plain/${id}`, '/all', '/all/history']) {
          const isOne = path.endsWith(id) && /where/.test(filter);
          const {status, body} = await client.get(path).query({filter});
          assert.equal(status, isOne ? 400 : 200, `${path} ${said(filter, body)}`);
        }
      }
    });

    it('refuses a moment that is none, and ids that are no URL', async () => {
      const path = `/all/${UUID}`;
      for (const asOf of ['yesterday', '2026-13-45T00:00:00Z', '2026-02-30T25:00:00Z', '2026-01-01',
        '9999-12-31T23:59:60Z', '', '0', NUL]) {
        const {status, body} = await client.get(path).query({asOf});
        assert.ok(status === 400 || (status === 404 && asOf === ''), said(asOf, body));
      }
      await client.get(`${path}?asOf[]=2026-01-01T00:00:00Z`).expect(400);
      for (const id of ['%', '%ff', '%ED%A0%80', '%E0%A4%A']) {
        for (const call of everyCall(id)) {
          const {body} = await call.expect(400);
          assert.equal(body.error.code, 'INVALID_URL');
        }
      }
    });

    it('answers ids that no row can have without a fault', async () => {
      const odd = ['no-uuid', '%00', '%22', 'null', '-1', '1e999', 'x'.repeat(2000), '__proto__',
        'constructor', 'toString', '..%2F..'];
      for (const id of odd) {
        // The memory connector keeps rows as properties of an object, which has these.
        if (engine === 'memory' && id in {}) continue;
        for (const call of everyCall(id)) {
          const {status, body} = await call;
          assert.ok(status === 400 || status === 404 || body.length === 0, said(id, body));
        }
      }
      assert.deepEqual(faults, []);
    });

    it('refuses bodies that would be stored as something else', async () => {
      const bodies: [object, number, string?][] = [
        [{name: HALF}, 400, 'INVALID_VALUE'],
        [{tags: ['a', HALF]}, 400, 'INVALID_VALUE'],
        [{meta: {a: [HALF]}}, 400, 'INVALID_VALUE'],
        [{meta: {[HALF]: 1}}, 400, 'INVALID_VALUE'],
        [{meta: deep(500)}, 400, 'INVALID_VALUE'],
        [{made: '9999-12-31T23:59:60Z'}, 422, 'VALIDATION_FAILED'],
        [{made: '2026-02-30T00:00:00Z'}, 422],
        [{made: 5}, 422], [{qty: 'abc'}, 422], [{flag: 'x'}, 422], [{tags: 'a'}, 422],
      ];
      for (const [part, status, code] of bodies) {
        for (const path of ['/plain', '/all']) {
          const {body: row} = await client.post(path).send(whole(newId())).expect(200);
          const {_version} = row;
          for (const call of [
            client.post(path).send({...whole(newId()), ...part}),
            client.patch(`${path}/${row.id}`).send({...part, _version}),
            client.put(`${path}/${row.id}`).send({name: 'x', ...part, _version}),
            ...(path === '/plain' ? [client.patch(path).send(part)] : []),
          ]) {
            const {status: answered, body} = await call;
            assert.equal(answered, status, said(part, body));
            if (code) assert.equal(body.error.code, code, said(part, body));
          }
        }
      }
      assert.deepEqual(faults, []);
    });

    it('refuses what the columns cannot hold as the mistake of a client', async () => {
      if (engine === 'memory') return;
      for (const part of [{qty: 1e300}, {qty: 99999999999}]) {
        for (const path of ['/plain', '/all']) {
          const {status, body} = await client.post(path).send({...whole(newId()), ...part});
          assert.equal(status, 400, said(part, body));
          assert.equal(body.error.code, 'INVALID_VALUE');
        }
      }
    });

    it('changes many rows by what is said, and never their ids', async () => {
      const [a, b] = [newId(), newId()];
      for (const id of [a, b]) await client.post('/plain').send(whole(id)).expect(200);
      const where = {id: {inq: [a, b]}};
      const patch = (body: object) => client.patch('/plain').query(json({where})).send(body);
      for (const id of [a, UUID, 'x']) {
        assert.equal((await patch({id, qty: 9}).expect(400)).body.error.code, 'ID_MISMATCH');
      }
      assert.deepEqual((await patch({}).expect(200)).body, {count: 2});
      assert.equal((await client.get(`/plain/${a}`).expect(200)).body.qty, 1);
      assert.deepEqual((await patch({qty: 9}).expect(200)).body, {count: 2});
      assert.equal((await client.get(`/plain/${b}`).expect(200)).body.qty, 9);
    });

    it('refuses one row where many are sent, other types than JSON, and prototypes', async () => {
      const id = newId();
      await client.post('/plain').send(whole(id)).expect(200);
      const set = {'Content-Type': 'application/json'};
      for (const text of ['[]', '[{"name":"x"}]', '"x"', '5', 'true', 'null', '', '{',
        '{"name":"x","__proto__":{"polluted":1}}', '{"name":"x","meta":{"__proto__":{"a":1}}}',
        '{"name":"x","constructor":{"prototype":{"polluted":1}}}']) {
        for (const call of [
          client.post('/plain'), client.put(`/plain/${id}`), client.patch(`/plain/${id}`),
          client.patch('/plain'),
        ]) {
          const {status, body} = await call.set(set).send(text);
          assert.ok([400, 422].includes(status), said(text, body));
        }
      }
      for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded']) {
        await client.post('/plain').set('Content-Type', type).send('name=x').expect(415);
        await client.patch(`/plain/${id}`).set('Content-Type', type).send('name=x').expect(415);
      }
      await client.put(`/plain/${id}`).send({id: UUID, name: 'x'}).expect(400);
      await client.patch(`/plain/${id}`).send({id: UUID, name: 'x'}).expect(400);
      assert.equal((await client.get(`/plain/${id}`).expect(200)).body.name, 'x');
      assert.equal(({} as {polluted?: unknown}).polluted, undefined);
    });

    it('answers HEAD as LoopBack does, which has no route for it', async () => {
      const id = newId();
      await client.post('/plain').send(whole(id)).expect(200);
      await client.head(`/plain/${id}`).expect(404);
      await client.head('/plain').expect(404);
    });

    async function refuses(
      call: ReturnType<Client['get']>,
      what: unknown,
      code: string | null = 'INVALID_FILTER',
    ): Promise<void> {
      const {status, body} = await call;
      assert.equal(status, 400, said(what, body));
      if (code) assert.equal(body.error.code, code, said(what, body));
    }

    function said(what: unknown, body: unknown): string {
      return `${JSON.stringify(what)}: ${JSON.stringify(body)} ${String(faults.at(-1) ?? '')}`;
    }

    function everyCall(id: string) {
      const tag = {'If-Match': '"x"'};
      return [
        client.get(`/plain/${id}`), client.get(`/all/${id}`), client.delete(`/plain/${id}`),
        client.patch(`/plain/${id}`).send({qty: 1}), client.put(`/plain/${id}`).send({name: 'x'}),
        client.patch(`/all/${id}`).set(tag).send({qty: 1}),
        client.put(`/all/${id}`).set(tag).send({name: 'x'}),
        client.delete(`/all/${id}`).set(tag), client.delete(`/all/${id}/x`),
        client.get(`/all/${id}/history`), client.get(`/all/${id}/diff?from=1&to=current`),
        client.get(`/all/${id}?asOf=2026-01-01T00:00:00Z`),
        client.post(`/all/${id}/revert/1`).set(tag), client.post(`/all/${id}/restore`).set(tag),
      ];
    }
  });
}

let made = 0;

function newId(): string {
  return `3f2504e0-4f89-41d3-9a0c-${String(++made).padStart(12, '0')}`;
}

function whole(id: string): object {
  return {id, name: 'x', qty: 1, flag: true, meta: {a: 1}, tags: ['a']};
}

function json(query: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([k, v]) => [k, JSON.stringify(v)]));
}

function deep(levels: number): object {
  return JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`) as object;
}

function onPostgres(database: TestDatabase | undefined): Source | undefined {
  return database && {dataSource: givenPostgresSource(database), drop: () => database.drop()};
}

/** Things without behaviours at `/plain`, and with all of them at `/all`. */
async function givenThings(dataSource: juggler.DataSource): Promise<BareApplication> {
  const app = new BareApplication(dataSource);
  app.component(LiveEntitiesComponent);
  app.configure(LiveEntitiesBindings.REALTIME).to({enabled: false});
  for (const [name, behaviours] of [['Plain', []], ['All', ALL]] as const) {
    @model({name, settings: {strict: true}})
    class Thing extends Entity {
      @property({
        type: 'string', id: true, postgresql: {dataType: 'uuid'},
        mysql: {dataType: 'varchar', dataLength: 64},
      })
      id!: string;
      @property({type: 'string', required: true}) name!: string;
      @property({type: 'number'}) qty?: number;
      @property({type: 'number', postgresql: {dataType: 'double precision'}}) price?: number;
      @property({type: 'date'}) made?: Date;
      @property({type: 'boolean'}) flag?: boolean;
      @property({type: 'string', postgresql: {dataType: 'uuid'}}) ref?: string;
      @property({type: 'object', postgresql: {dataType: 'jsonb'}}) meta?: object;
      @property.array(String, {postgresql: {dataType: 'jsonb'}}) tags?: string[];
    }
    class Things extends DefaultTransactionalRepository<Thing, string> {
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
