import assert from 'node:assert/strict';
import {
  AuthorizationComponent,
  AuthorizationDecision,
  AuthorizationTags,
  authorize,
  type AuthorizationContext,
  type AuthorizationMetadata,
} from '@loopback/authorization';
import {
  asGlobalInterceptor,
  BindingScope,
  bind,
  createBindingFromClass,
  inject,
  type Interceptor,
  type Provider,
} from '@loopback/core';
import {
  type DataObject,
  type Filter,
  DefaultTransactionalRepository,
  Entity,
  type Getter,
  hasOne,
  juggler,
  model,
  type Options,
  property,
  repository,
  RepositoryMixin,
} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {securityId, SecurityBindings, type UserProfile} from '@loopback/security';
import {
  accessFilter,
  defineEntityController,
  LiveEntitiesBindings,
  LiveEntitiesComponent,
  EmbeddingMixin,
  embedsOne,
  historical,
  realtime,
  softDeletable,
  versioned,
  type AccessFilter,
} from '../../index';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {RawClient} from '../support/raw-client';

@model()
export class Salary extends Entity {
  @property({id: true, type: 'string', required: true}) id: string;
  @property({type: 'number', required: true}) amount: number;
}

@model()
export class Person extends Entity {
  @property({id: true, type: 'string', required: true}) id: string;
  @hasOne(() => Salary, {keyTo: 'id'}) salary?: Salary;
}

@realtime<Salary>({views: {all: {transform: () => ({order: ['id ASC']})}}})
@authorize({allowedRoles: ['boss', 'clerk']})
export class SalaryRepository extends DefaultTransactionalRepository<Salary, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Salary, dataSource);
  }

  @authorize({allowedRoles: ['boss']})
  override deleteById(id: string, options?: Options): Promise<void> {
    return super.deleteById(id, options);
  }

  @authorize({allowedRoles: ['boss']})
  override create(entity: DataObject<Salary>, options?: Options): Promise<Salary> {
    return super.create(entity, options);
  }
}

@realtime<Person>({
  views: {
    paid: {transform: () => ({include: [{relation: 'salary'}]})},
    plain: {transform: () => ({order: ['id ASC']})},
  },
})
export class PersonRepository extends DefaultTransactionalRepository<Person, string> {
  constructor(
    @inject('datasources.db') dataSource: juggler.DataSource,
    @repository.getter('SalaryRepository') salaries: Getter<SalaryRepository>,
  ) {
    super(Person, dataSource);
    const salary = this.createHasOneRepositoryFactoryFor('salary', salaries);
    this.registerInclusionResolver('salary', salary.inclusionResolver);
  }
}

@model()
export class Rumour extends Entity {
  @property({id: true, type: 'string', required: true}) id: string;
  @property({type: 'string', required: true}) text: string;
}

@model()
export class Author extends Entity {
  @property({type: 'string', required: true}) name: string;
}

/** What `poster` may write and only `boss` may read. */
@model()
export class Tip extends Entity {
  @property({id: true, type: 'string', required: true}) id: string;
  @property({type: 'string', required: true}) text: string;
  @embedsOne(() => Author) author?: Author;
}

@realtime<Tip>({views: {}})
@versioned()
@softDeletable()
@historical()
@authorize({allowedRoles: ['boss', 'poster']})
export class TipRepository extends EmbeddingMixin(DefaultTransactionalRepository<Tip, string>) {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Tip, dataSource);
  }

  @authorize({allowedRoles: ['boss']})
  override find(filter?: Filter<Tip>, options?: Options): Promise<Tip[]> {
    return super.find(filter, options);
  }

  @authorize({allowedRoles: ['boss']})
  override findById(id: string, filter?: Filter<Tip>, options?: Options): Promise<Tip> {
    return super.findById(id, filter, options);
  }
}

/** The same without live views, which the guard of sockets does not know. */
@versioned()
@authorize({allowedRoles: ['boss', 'poster']})
export class RumourRepository extends DefaultTransactionalRepository<Rumour, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Rumour, dataSource);
  }

  @authorize({allowedRoles: ['boss']})
  override deleteById(id: string, options?: Options): Promise<void> {
    return super.deleteById(id, options);
  }

  @authorize({allowedRoles: ['boss']})
  override updateById(id: string, data: DataObject<Rumour>, options?: Options): Promise<void> {
    return super.updateById(id, data, options);
  }

  @authorize({allowedRoles: ['boss']})
  override findById(id: string, filter?: Filter<Rumour>, options?: Options): Promise<Rumour> {
    return super.findById(id, filter, options);
  }
}

async function byRole(
  {principals}: AuthorizationContext,
  {allowedRoles = []}: AuthorizationMetadata,
): Promise<AuthorizationDecision> {
  const isAllowed = principals.some(({role}) => allowedRoles.includes(role));
  return isAllowed ? AuthorizationDecision.ALLOW : AuthorizationDecision.DENY;
}

/** Refuses by injection: the names that the application keeps a list of. */
@accessFilter({phase: 'pre', entity: 'Salary'})
export class NotBanned implements Provider<AccessFilter> {
  constructor(
    @inject('banned') private readonly banned: readonly string[],
    @inject(SecurityBindings.USER, {optional: true}) private readonly user?: UserProfile,
  ) {}

  value(): AccessFilter {
    const isBanned = this.user !== undefined && this.banned.includes(this.user[securityId]);
    return (_, next) => (isBanned ? next(new Error('You are banned.')) : next());
  }
}

const calls: string[] = [];

@bind(asGlobalInterceptor('journal'), {scope: BindingScope.SINGLETON})
class Journal implements Provider<Interceptor> {
  value(): Interceptor {
    return async (invocation, next) => {
      calls.push(`${invocation.source?.type} ${invocation.targetName}`);
      return next();
    };
  }
}

class Payroll extends RepositoryMixin(RestApplication) {}

describe("LoopBack's own guards", function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let app: Payroll;
  let open: RawClient[];

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('authorize');
    const rest = {port: 0, host: '127.0.0.1', gracePeriodForClose: 0};
    app = new Payroll({rest, shutdown: {signals: []}});
    app.dataSource(
      new juggler.DataSource({name: 'db', connector: 'postgresql', ...database.config}),
    );
    app.repository(SalaryRepository);
    app.repository(PersonRepository);
    app.controller(defineEntityController(Salary, SalaryRepository, {basePath: '/salaries'}));
    app.controller(defineEntityController(Person, PersonRepository, {basePath: '/people'}));
    app.repository(TipRepository);
    app.repository(RumourRepository);
    app.controller(defineEntityController(Tip, TipRepository, {basePath: '/tips'}));
    app.controller(defineEntityController(Rumour, RumourRepository, {basePath: '/rumours'}));
    app.component(LiveEntitiesComponent);
    app.configure(LiveEntitiesBindings.REALTIME).to({
      jwt: {secret: 'a secret that is long enough for tests'},
    });
    app.component(AuthorizationComponent);
    app.bind('voters.byRole').to(byRole).tag(AuthorizationTags.AUTHORIZER);
    app.bind('banned').to(['eve']);
    app.add(createBindingFromClass(NotBanned));
    app.add(createBindingFromClass(Journal));
    await app.migrateSchema();
    await app.start();
    await (await app.getRepository(SalaryRepository)).create({id: 'ada', amount: 7000});
    await (await app.getRepository(PersonRepository)).create({id: 'ada'});
  });
  after(async () => {
    await app?.stop();
    await (await app.get<juggler.DataSource>('datasources.db')).disconnect();
    await database?.drop();
  });
  beforeEach(() => {
    open = [];
    calls.length = 0;
  });
  afterEach(() => open.forEach(each => each.close()));

  const view = {type: 'Salary', view: 'all'};
  const row = {type: 'Salary', id: 'ada'};
  const everyCall: [string, object][] = [
    ['subscribe', {ref: view}],
    ['subscribe', {ref: row}],
    ['read', view],
    ['read', row],
    ['read', {...row, field: 'amount'}],
    ['create', {type: 'Salary', value: {id: 'x', amount: 1}}],
    ['update', {...row, value: {amount: 1}}],
    ['update', {...row, field: 'amount', value: 1}],
    ['delete', row],
    ['delete', {...row, field: 'amount'}],
  ];
  for (const who of ['stranger', undefined]) {
    it(`refuse ${who ?? 'nobody'} every call over the socket, as over REST`, async () => {
      const client = await connected(who);
      for (const [event, request] of everyCall) {
        const {error} = await client.call(event, request);
        assert.equal(error?.code, 'FORBIDDEN', `${event} ${JSON.stringify(request)}`);
        assert.equal(error?.statusCode, 403);
      }
      assert.doesNotMatch(client.received, /7000/);
      assert.equal(await status('GET', '/salaries', who), 403);
      assert.equal(await status('GET', '/salaries/ada', who), 403);
      assert.equal(await status('DELETE', '/salaries/ada', who), 403);
    });
  }

  it('let pass whom the class allows, and ask more where a method does', async () => {
    const [boss, clerk] = [await connected('boss'), await connected('clerk')];
    assert.equal((await clerk.call('subscribe', {ref: view})).ok, true);
    assert.equal((await clerk.call('read', row)).ok, true);
    assert.equal((await clerk.call('update', {...row, value: {amount: 7100}})).ok, true);
    assert.equal((await clerk.call('delete', row)).error?.code, 'FORBIDDEN');
    const value = {id: 'ben', amount: 1};
    const created = await clerk.call('create', {type: 'Salary', value});
    assert.equal(created.error?.code, 'FORBIDDEN');
    assert.equal((await boss.call('create', {type: 'Salary', value})).ok, true);
    assert.equal((await boss.call('delete', {type: 'Salary', id: 'ben'})).ok, true);
    assert.equal(await status('DELETE', '/salaries/none', 'clerk'), 403);
    assert.equal(await status('DELETE', '/salaries/none', 'boss'), 404);
    assert.equal(await status('GET', '/salaries', 'clerk'), 200);
  });

  it('hold for rows that another entity includes, over the socket and over REST', async () => {
    const paid = {type: 'Person', view: 'paid'};
    const included = `/people?filter=${encodeURIComponent('{"include": ["salary"]}')}`;
    const [stranger, clerk] = [await connected('stranger'), await connected('clerk')];
    for (const [event, request] of [['subscribe', {ref: paid}], ['read', paid]] as const) {
      assert.equal((await stranger.call(event, request)).error?.code, 'FORBIDDEN');
      assert.equal((await clerk.call(event, request)).ok, true);
    }
    assert.equal((await stranger.call('read', {...paid, view: 'plain'})).ok, true);
    assert.doesNotMatch(stranger.received, /amount/);
    assert.match(clerk.received, /"amount":7/);
    assert.equal(await status('GET', included, 'stranger'), 403);
    assert.equal(await status('GET', included, 'clerk'), 200);
    assert.equal(await status('GET', '/people', 'stranger'), 200);
  });

  it('see socket calls in global interceptors, and where they come from', async () => {
    const boss = await connected('boss');
    await boss.call('read', view);
    await boss.call('read', row);
    await status('GET', '/salaries', 'boss');
    assert.deepEqual(calls, [
      'socketio SalaryLiveController.prototype.read',
      'socketio SalaryLiveController.prototype.readRow',
      'route SalaryController.prototype.find',
    ]);
  });

  it('stand beside filters with injection, which know who calls', async () => {
    const eve = await connected('boss', 'eve');
    const {error} = await eve.call('read', view);
    assert.deepEqual([error?.code, error?.message], ['CRUD_BLOCKED', 'You are banned.']);
    assert.equal(await status('GET', '/salaries', 'boss', 'eve'), 403);
  });

  it('leave of the answer to a write the id alone, where its row may not be read', async () => {
    const call = async (method: string, path: string, body?: object, match?: string) => {
      const headers: Record<string, string> = {
        authorization: `Bearer ${await tokenOf('poster', 'pia')}`,
        'content-type': 'application/json',
        ...(match ? {'if-match': match} : {}),
      };
      const init = {method, headers, ...(body ? {body: JSON.stringify(body)} : {})};
      const answer = await fetch(app.restServer.url! + path, init);
      const etag = answer.headers.get('etag') ?? undefined;
      return {status: answer.status, etag, body: (await answer.text()) || undefined};
    };
    const hint = '{"id":"t"}';
    const rumour = await call('POST', '/rumours', {id: 't', text: 'secret'});
    assert.deepEqual([rumour.status, rumour.body], [200, hint]);
    const made = await call('POST', '/tips', {id: 't', text: 'secret', author: {name: 'secret'}});
    assert.deepEqual([made.status, made.body], [200, hint]);
    assert.equal((await call('GET', '/tips/t')).status, 403);
    const patched = await call('PATCH', '/tips/t', {text: 'secret 2'}, made.etag);
    assert.deepEqual([patched.status, patched.body], [204, undefined]);
    const put = await call('PUT', '/tips/t', {text: 'secret 3'}, patched.etag);
    const reverted = await call('POST', '/tips/t/revert/1', undefined, put.etag);
    assert.deepEqual([reverted.status, reverted.body], [200, hint]);
    const child = await call('PUT', '/tips/t/author', {name: 'secret 4'}, reverted.etag);
    assert.deepEqual([child.status, child.body], [200, '{}']);
    assert.equal((await call('DELETE', '/tips/t', undefined, child.etag)).status, 204);
    const restored = await call('POST', '/tips/t/restore');
    assert.deepEqual([restored.status, restored.body], [200, hint]);
    assert.equal(await status('GET', '/tips/t', 'boss'), 200);
  });

  it('hold for every route that reads, changes or deletes as the guarded method does', async () => {
    const refused: [string, string][] = [
      ['GET', '/tips/count'], ['GET', '/tips/history'], ['GET', '/tips/x/history'],
      ['GET', '/tips/x/diff?from=1&to=current'], ['GET', '/tips/x/author'],
      ['DELETE', '/rumours/x'], ['DELETE', '/rumours/x/v'],
      ['PATCH', '/rumours/x'], ['PUT', '/rumours/x'],
    ];
    for (const [method, path] of refused) {
      assert.equal(await status(method, path, 'poster'), 403, `${method} ${path}`);
      assert.notEqual(await status(method, path, 'boss'), 403, `${method} ${path}`);
    }
  });

  it('leave nothing of it over the socket, not even in a conflict', async () => {
    const [poster, boss] = [await connected('poster'), await connected('boss')];
    const tip = {type: 'Tip', id: 's'};
    const created = await poster.call('create', {type: 'Tip', value: {id: 's', text: 'secret'}});
    const tips = await app.getRepository(TipRepository);
    const version = async () => (await tips.findById('s') as Tip & {_version: string})._version;
    const change = {...tip, value: {text: 'secret 2'}, version: await version()};
    const updated = await poster.call('update', change);
    for (const {ok, row} of [created, updated]) assert.deepEqual([ok, row], [true, null]);
    const stale = await poster.call('update', change);
    assert.equal(stale.error?.code, 'VERSION_CONFLICT');
    assert.doesNotMatch(poster.received, /secret/);
    const last = await boss.call('update', {...change, version: await version()});
    assert.equal((last.row as Tip).text, 'secret 2');
  });

  async function connected(role: string | undefined, name = 'ada'): Promise<RawClient> {
    const auth = role === undefined ? {} : {token: await tokenOf(role, name)};
    const client = await RawClient.connect(app.restServer.url!, auth);
    open.push(client);
    return client;
  }

  async function status(method: string, path: string, role?: string, name = 'ada') {
    const headers: Record<string, string> = role
      ? {authorization: `Bearer ${await tokenOf(role, name)}`}
      : {};
    const hasBody = ['PATCH', 'PUT'].includes(method);
    const sent = hasBody ? {body: JSON.stringify({text: 'x'})} : {};
    if (hasBody) headers['content-type'] = 'application/json';
    return (await fetch(app.restServer.url! + path, {method, headers, ...sent})).status;
  }

  async function tokenOf(role: string, name: string): Promise<string> {
    const tokens = await app.get(LiveEntitiesBindings.TOKEN_SERVICE);
    return tokens.generateToken({[securityId]: name, id: name, role});
  }
});
