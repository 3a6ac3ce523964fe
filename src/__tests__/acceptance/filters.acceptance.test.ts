import assert from 'node:assert/strict';
import type {RealtimeConfig, RealtimeDefinition} from '../../index';
import type {DeltaMessage, SubscribeReply} from '../../protocol/messages';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {Memo, Memos} from '../support/memos';
import type {RawClient} from '../support/raw-client';

const PAGE = {type: 'Memo', view: 'all'};
const ROW = {type: 'Memo', id: 'm'};
const views: RealtimeDefinition<Memo>['views'] = {
  all: {transform: () => ({order: ['id ASC']})},
  byOwner: {paramFields: ['owner'], transform: ({owner}) => ({where: {owner}})},
};

describe('access filters of live views', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let memos: Memos | undefined;

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('filters');
  });
  afterEach(async () => {
    await memos?.stop();
    memos = undefined;
  });
  after(() => database?.drop());

  async function given(
    definition: RealtimeDefinition<Memo>,
    config?: RealtimeConfig,
  ): Promise<Memos> {
    memos = await Memos.start(database, {views, ...definition}, config);
    await memos.repository.create({id: 'm', text: 'one', owner: 'ada', secret: 'sesame'});
    return memos;
  }

  it('cannot go by the one who came first where an audience is shared', async () => {
    const {connect, repository} = bound(await given({
      audience: () => 'everybody',
      filters: {post: (req, next) => {
        if (req.principal?.id !== 'ada') delete req.resource!.secret;
        return next();
      }},
    }));
    const [ada, ben] = [await connect('ada'), await connect('ben')];
    for (const client of [ada, ben]) assert.equal(rowsOf(await subscribe(client)).length, 1);
    await repository.updateById('m', {text: 'two', secret: 'open sesame'});
    for (const client of [ada, ben]) await client.event('delta');
    assert.doesNotMatch(ada.received + ben.received, /sesame/);
    assert.match(JSON.stringify(await ada.call('read', ROW)), /open sesame/);
    assert.doesNotMatch(JSON.stringify(await ben.call('read', ROW)), /sesame/);
  });

  it('refuse one row where they leave what JSON cannot carry, on pages, in answers', async () => {
    const told: string[] = [];
    const logger = {warn: (message: string) => void told.push(message), error: () => undefined};
    const {connect, repository} = bound(await given({filters: {post: (req, next) => {
      if (req.resource!.text === 'unfit') req.resource!.weight = 5n;
      return next();
    }}}, {logger}));
    await repository.create({id: 'n', text: 'fit'});
    const client = await connect();
    assert.deepEqual(rowsOf(await subscribe(client)).map(row => (row as Memo).id), ['m', 'n']);
    assert.deepEqual(await client.call('update', {...ROW, value: {text: 'unfit'}}),
      {ok: true, row: null});
    const {ops} = (await client.event('delta')) as DeltaMessage;
    assert.deepEqual(ops, [{op: 'remove', key: 'm'}]);
    const page = await client.call('read', PAGE);
    assert.deepEqual((page.rows as {id: string}[]).map(({id}) => id), ['n']);
    const mistakes = () => told.filter(message => /post filter of Memo failed/.test(message));
    const before = mistakes().length;
    assert.ok(before > 0);
    assert.equal((await client.call('read', ROW)).error?.code, 'CRUD_BLOCKED');
    assert.equal(mistakes().length, before + 1);
    client.forget();
    await repository.updateById('n', {text: 'changed'});
    await client.event('delta');
  });

  it('serve one room to all of whom an audience says the same, without a socket', async () => {
    let [asked, sockets] = [0, 0];
    const {connect, repository} = bound(await given({
      audience: who => String(who?.role),
      filters: {post: (req, next) => {
        asked++;
        if (req.socket) sockets++;
        if (req.principal?.role !== 'buyer') delete req.resource!.secret;
        return next();
      }},
    }));
    const [first, second, clerk] = [
      await connect('ada', {role: 'buyer'}),
      await connect('ben', {role: 'buyer'}),
      await connect('cleo', {role: 'clerk'}),
    ];
    for (const client of [first, second, clerk]) await subscribe(client);
    asked = 0;
    await repository.updateById('m', {secret: 'rosebud'});
    await first.event('delta');
    await second.event('delta');
    await repository.updateById('m', {text: 'two'});
    await clerk.event('delta');
    assert.equal(asked, 4, 'twice, for two audiences');
    assert.equal(sockets, 0);
    assert.match(second.received, /rosebud/);
    assert.doesNotMatch(clerk.received, /rosebud|sesame/);
  });

  it('judge each row anew when it changes, and tell only those who had it of its end', async () => {
    const {connect, repository} = bound(await given({
      filters: {post: (req, next) =>
        req.resource!.owner === req.principal?.id ? next() : next(new Error('not yours'))},
    }));
    const [ada, ben] = [await connect('ada'), await connect('ben')];
    assert.equal(rowsOf(await subscribe(ada)).length, 1);
    assert.equal(rowsOf(await subscribe(ben)).length, 0);
    await repository.updateById('m', {owner: 'ben', text: 'a gift'});
    await ben.event('delta');
    await ada.event('delta');
    assert.deepEqual(opsOf(ada), ['remove m']);
    assert.deepEqual(opsOf(ben), ['insert m']);
    assert.doesNotMatch(JSON.stringify(ada.frames.at(-1)), /a gift/);
    for (const client of [ada, ben]) client.forget();
    await repository.deleteById('m');
    await ben.event('delta');
    await repository.create({id: 'n', text: 'next', owner: 'ada'});
    await ada.event('delta');
    assert.deepEqual(opsOf(ada), ['insert n']);
    assert.deepEqual(opsOf(ben), ['remove m']);
  });

  it('that hang leave the row out, when they had filterTimeout', async () => {
    let hangs = false;
    const {connect, repository} = bound(await given({
      filters: {post: (_, next) => {
        next();
        return hangs ? new Promise(() => undefined) : undefined;
      }},
    }, {filterTimeout: 50}));
    const client = await connect('ada');
    assert.equal(rowsOf(await subscribe(client)).length, 1);
    hangs = true;
    await repository.updateById('m', {text: 'unjudged'});
    await client.event('delta');
    assert.deepEqual(opsOf(client), ['remove m']);
    assert.doesNotMatch(client.received, /unjudged/);
    const {error} = await client.call('read', ROW);
    assert.equal(error?.code, 'CRUD_BLOCKED');
  });

  for (const option of ['blockPreByDefault', 'blockPostByDefault'] as const) {
    it(`refuse all that none of them allows with ${option}`, async () => {
      const {connect} = bound(await given({}, {[option]: true}));
      const client = await connect('ada');
      const calls: [string, object][] = [
        ['read', ROW], ['update', {...ROW, value: {text: 'x'}}], ['delete', ROW],
        ['create', {type: 'Memo', value: {id: 'x', text: 'x'}}],
      ];
      for (const [call, request] of calls) {
        const {error} = await client.call(call, request);
        assert.deepEqual([call, error?.code], [call, 'CRUD_BLOCKED']);
      }
      const page = await client.call('subscribe', {ref: PAGE});
      if (page.ok) assert.equal(rowsOf(page as never).length, 0);
      assert.doesNotMatch(client.received, /sesame|one/);
    });
  }

  it('with blockPreByDefault let pass what a pre filter allows', async () => {
    const {connect} = bound(await given({
      filters: {pre: (req, next) => (req.action === 'read' ? next() : next(new Error('no')))},
    }, {blockPreByDefault: true}));
    const client = await connect();
    assert.equal((await client.call('read', PAGE)).ok, true);
    assert.equal((await client.call('subscribe', {ref: PAGE})).error?.code, 'CRUD_BLOCKED');
  });

  it('are told the declared parameters alone, and missing ones as null', async () => {
    const seen: unknown[] = [];
    const {connect} = bound(await given({
      filters: {pre: (req, next) => {
        seen.push(req.query.viewParams);
        return next();
      }},
    }));
    const client = await connect();
    const view = {type: 'Memo', view: 'byOwner'};
    await client.call('read', {...view, viewParams: {owner: 'ada', isAdmin: true}});
    await client.call('read', view);
    assert.deepEqual(seen, [{owner: 'ada'}, {owner: null}]);
  });

  it('cannot be got around by an operator in place of a parameter', async () => {
    const {connect} = bound(await given({}));
    const client = await connect();
    for (const owner of [{neq: 'x'}, {regexp: '.*'}, [{neq: 'x'}], {inq: ['ada']}]) {
      const request = {type: 'Memo', view: 'byOwner', viewParams: {owner}};
      const {error} = await client.call('read', request);
      assert.equal(error?.code, 'VIEW_QUERY_UNSUPPORTED', JSON.stringify(owner));
    }
    assert.doesNotMatch(client.received, /sesame/);
  });

  it('show a writer nothing of a row that they may not read', async () => {
    const {connect, repository} = bound(await given({
      filters: {pre: (req, next) =>
        req.action === 'read' ? next(new Error('You may write only.')) : next()},
    }));
    const client = await connect('ada');
    const value = {id: 'n', text: 'new'};
    const created = await client.call('create', {type: 'Memo', value});
    assert.deepEqual([created.ok, (created as {row?: unknown}).row], [true, null]);
    const updated = await client.call('update', {...ROW, value: {text: value.text}});
    assert.deepEqual([updated.ok, (updated as {row?: unknown}).row], [true, null]);
    assert.equal((await repository.findById('m')).text, 'new');
    assert.doesNotMatch(client.received, /sesame/);
  });

  it('ask for a login once where they block for want of one', async () => {
    const {connect} = bound(await given({
      filters: {pre: (req, next) => {
        if (req.principal) return next();
        throw Object.assign(new Error('Please sign in.'), {statusCode: 401});
      }},
    }));
    const client = await connect();
    for (let i = 0; i < 3; i++) {
      assert.equal((await client.call('read', PAGE)).error?.code, 'NOT_AUTHENTICATED');
    }
    assert.deepEqual(client.names().filter(name => name === 'logout'), ['logout']);
  });

  it('answer nobody else than the one who asked, when the person changes meanwhile', async () => {
    let goOn: () => void = () => undefined;
    let isAsked: () => void = () => undefined;
    let asked = new Promise<void>(resolve => (isAsked = resolve));
    const {connect, token} = bound(await given({
      filters: {post: async (_, next) => {
        isAsked();
        await new Promise<void>(resolve => (goOn = resolve));
        return next();
      }},
    }));
    const calls: [string, object][] = [
      ['read', ROW], ['read', PAGE], ['subscribe', {ref: PAGE}],
    ];
    for (const [call, request] of calls) {
      const client = await connect('ada');
      asked = new Promise<void>(resolve => (isAsked = resolve));
      const answer = client.call(call, request);
      await asked;
      await client.call('authenticate', {token: await token('ben')});
      goOn();
      assert.equal((await answer).error?.code, 'SESSION_CHANGED', call);
      assert.doesNotMatch(client.received, /sesame/);
    }
  });
});

/** The methods of the application that tests use by themselves. */
function bound(memos: Memos) {
  return {
    repository: memos.repository,
    connect: (name?: string, profile?: object) => memos.connect(name, profile),
    token: (name: string) => memos.token(name),
  };
}

async function subscribe(client: RawClient): Promise<SubscribeReply> {
  const reply = await client.call('subscribe', {ref: PAGE});
  assert.equal(reply.ok, true, JSON.stringify(reply));
  return reply as unknown as SubscribeReply;
}

function rowsOf(reply: SubscribeReply): readonly object[] {
  return reply.kind === 'snapshot' ? reply.snapshot.rows : [];
}

/** The steps of all deltas so far, such as `remove m`. */
function opsOf(client: RawClient): string[] {
  const deltas = client.frames.filter(([name]) => name === 'delta').map(([, delta]) => delta);
  return (deltas as DeltaMessage[]).flatMap(({ops}) => ops.map(({op, key}) => `${op} ${key}`));
}
