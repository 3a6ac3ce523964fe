import assert from 'node:assert/strict';
import {once} from 'node:events';
import {io, type Socket} from 'socket.io-client';
import type {WireError} from '../../protocol/errors';
import type {SubscribeReply} from '../../protocol/messages';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {givenShop, type Shop} from '../support/shop';

type Answer = {ok: boolean; error?: WireError} & Record<string, unknown>;

/** More than the limit lets through in the seconds that a busy machine takes to send them. */
const FLOOD = 4_000;

describe('a client that does not keep to the protocol', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let shop: Shop;
  let sockets: Socket[];

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('hostile');
    shop = await givenShop(database, {
      limits: {subscriptionsPerSocket: 5, opsPerSecond: 200, payloadBytes: 50_000},
      logger: {warn: () => undefined, error: (_, error) => logged.push(error)},
    });
    await (await shop.categories()).create({id: 'c1', name: 'Tools'});
  });
  after(async () => {
    await shop?.shutDown();
    await database?.drop();
  });
  const logged: unknown[] = [];
  beforeEach(() => {
    sockets = [];
    logged.length = 0;
  });
  afterEach(async () => {
    for (const socket of sockets) socket.disconnect();
    await assertWell();
  });

  const page = {type: 'Category', view: 'alphabeticalView'};
  const c1 = {type: 'Category', id: 'c1'};
  const none = {type: 'Category', id: 'none'};
  const written = (value: object) => ({type: 'Category', value});
  const cases: [string, string, unknown, string][] = [
    ['an unknown type', 'subscribe', {ref: {...page, type: 'Nothing'}}, 'UNKNOWN_TYPE'],
    ['a type named __proto__', 'subscribe', {ref: {...page, type: '__proto__'}}, 'UNKNOWN_TYPE'],
    ['an unknown view', 'subscribe', {ref: {...page, view: 'none'}}, 'UNKNOWN_VIEW'],
    ['a view from Object', 'subscribe', {ref: {...page, view: 'constructor'}}, 'UNKNOWN_VIEW'],
    ['an unknown field', 'subscribe', {ref: {...page, fields: ['no']}}, 'UNKNOWN_FIELD'],
    ['a field of Object', 'subscribe', {ref: {...page, fields: ['__proto__']}}, 'UNKNOWN_FIELD'],
    ['a page of the wrong type', 'subscribe', {ref: {...page, pageSize: '10'}}, 'BAD_REQUEST'],
    ['a negative offset', 'subscribe', {ref: {...page, pageOffset: -1}}, 'BAD_REQUEST'],
    ['a page that is too large', 'subscribe', {ref: {...page, pageSize: 1e6}}, 'LIMIT_EXCEEDED'],
    ['a page that is too deep', 'subscribe', {ref: {...page, pageOffset: 1e9}}, 'LIMIT_EXCEEDED'],
    ['an unknown property', 'subscribe', {ref: {...page, where: {}}}, 'BAD_REQUEST'],
    ['no request at all', 'subscribe', undefined, 'BAD_REQUEST'],
    ['a list for a request', 'subscribe', [], 'BAD_REQUEST'],
    ['a text for a request', 'read', 'Category', 'BAD_REQUEST'],
    ['a very deep object', 'create', written(deep(500)), 'LIMIT_EXCEEDED'],
    ['an unknown property', 'create', written({id: 'x', name: 'n', no: 1}), 'VALIDATION_FAILED'],
    ['a wrong type in a row', 'create', written({id: 'x', name: 5}), 'VALIDATION_FAILED'],
    ['a row that lacks a property', 'create', written({id: 'x'}), 'VALIDATION_FAILED'],
    ['a row that exists', 'create', written({id: 'c1', name: 'Tools'}), 'UNIQUE_VIOLATION'],
    ['a new id', 'update', {...c1, value: {id: 'c2'}}, 'VALIDATION_FAILED'],
    ['a row that is not there', 'update', {...none, value: {name: 'n'}}, 'ENTITY_NOT_FOUND'],
    ['a row to delete that is not there', 'delete', none, 'ENTITY_NOT_FOUND'],
    ['a required property to clear', 'delete', {...c1, field: 'name'}, 'VALIDATION_FAILED'],
    ['an id of another type', 'read', {type: 'Category', id: {}}, 'BAD_REQUEST'],
    ['a channel that is not its own', 'unsubscribe', {channel: 'other'}, 'UNKNOWN_CHANNEL'],
    ['a token that is none', 'authenticate', {token: 'x.y.z'}, 'NOT_AUTHENTICATED'],
    ['a login without credentials', 'login', {}, 'LOGIN_FAILED'],
    ['a call that does not exist', 'dropTable', {}, 'BAD_REQUEST'],
  ];
  for (const [what, event, request, code] of cases) {
    it(`is told ${code} for ${what}`, async () => {
      const answer = await call(await connected(), event, request);
      assert.equal(answer.error?.code, code, JSON.stringify(answer));
      assert.ok(answer.error!.message.length > 5 && answer.error!.statusCode < 500);
      assert.deepEqual(logged, []);
    });
  }

  it('does no harm with a frame that nests deeper than it could have made itself', async () => {
    const socket = await connected();
    const {engine} = socket.io as unknown as {engine: {write(frame: string): void}};
    engine.write(`20["create",${'['.repeat(20_000)}${']'.repeat(20_000)}]`);
    engine.write(`20["create",${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}]`);
    await assertWell();
  });

  it('cannot set a prototype through JSON', async () => {
    const socket = await connected();
    const value = JSON.parse('{"id": "p", "name": "n", "__proto__": {"polluted": true}}');
    const answer = await call(socket, 'create', {type: 'Category', value});
    assert.equal(answer.error?.code, 'VALIDATION_FAILED');
    assert.equal(({} as {polluted?: boolean}).polluted, undefined);
  });

  it('is not answered, and does no harm, when it wants no answer', async () => {
    const socket = await connected();
    socket.emit('create', {type: 'Category', value: {id: 'quiet', name: 'n'}});
    socket.emit('subscribe');
    socket.emit('nonsense', 1, 2, 3);
    const found = await call(socket, 'read', {type: 'Category', id: 'quiet'});
    assert.equal(found.error?.code, 'ENTITY_NOT_FOUND');
  });

  it('cannot send to a room: what it emits under a server name reaches nobody', async () => {
    const [victim, attacker] = [await connected(), await connected()];
    const reply = (await call(victim, 'subscribe', {ref: page})) as unknown as Extract<
      SubscribeReply,
      {kind: 'snapshot'}
    >;
    const {channel, seq} = reply.snapshot;
    const received: unknown[] = [];
    victim.on('delta', message => received.push(message));
    const forged = {channel, seq: seq + 1, ops: [], meta: {}};
    for (const event of ['delta', 'snapshot', 'ended', `live:${channel}`]) {
      attacker.emit(event, forged);
    }
    attacker.emit('join', `live:${channel}`);
    await call(attacker, 'read', page);
    const delta = once(victim as never, 'delta');
    await (await shop.categories()).create({id: 'real', name: 'Real'});
    await delta;
    assert.equal(received.length, 1);
    assert.match(JSON.stringify(received), /Real/);
    await (await shop.categories()).deleteById('real');
  });

  it('is cut off when a message is too long, and nobody else notices', async () => {
    const [loud, quiet] = [await connected(), await connected()];
    const gone = once(loud as never, 'disconnect');
    loud.emit('create', written({id: 'x', name: 'n'.repeat(10_000_000)}), () => 0);
    await gone;
    assert.equal((await call(quiet, 'read', page)).ok, true);
  });

  it('has so many subscriptions and no more', async () => {
    const socket = await connected();
    const answers = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7].map(pageSize => call(socket, 'subscribe', {ref: {...page, pageSize}})),
    );
    assert.equal(answers.filter(({ok}) => ok).length, 5);
    assert.ok(answers.filter(({ok}) => !ok).every(({error}) => error?.code === 'LIMIT_EXCEEDED'));
  });

  it('has so many calls a second and no more', async () => {
    const socket = await connected();
    const answers = await Promise.all(
      Array.from({length: 400}, () => call(socket, 'read', {type: 'Category', id: 'c1'})),
    );
    assert.ok(answers.some(({error}) => error?.code === 'RATE_LIMITED'));
    assert.ok(answers.filter(({ok}) => ok).length >= 200);
  });

  it('has the same limit for what is no call, answered or not', async () => {
    const [asking, shouting] = [await connected(), await connected()];
    const answers = await Promise.all(
      Array.from({length: FLOOD}, () => call(asking, 'nonsense', {})),
    );
    const codes = new Set(answers.map(({error}) => error?.code));
    assert.deepEqual(codes, new Set(['BAD_REQUEST', 'RATE_LIMITED']));
    for (const event of ['nonsense', 'read']) {
      for (let i = 0; i < FLOOD; i++) shouting.emit(event, {type: 'Category', id: 'c1'});
      // Fewer than the limit: they are refused only because of what came before. One or the other
      // has a place that the time since has earned.
      const after = await Promise.all(
        Array.from({length: 50}, () => call(shouting, 'read', {type: 'Category', id: 'c1'})),
      );
      assert.ok(after.some(({error}) => error?.code === 'RATE_LIMITED'), event);
      let answer;
      do answer = await call(shouting, 'read', {type: 'Category', id: 'c1'});
      while (!answer.ok);
    }
  });

  it('is cut off when it opens socket after socket on one connection', async () => {
    const auth = {protocol: 1};
    const socket = io(shop.url, {
      path: '/realtime', auth, transports: ['websocket'], forceNew: true, reconnection: false,
    });
    sockets.push(socket);
    await once(socket.io as never, 'open');
    const {engine} = socket.io as unknown as {engine: {write(frame: string): void}};
    const welcomes: string[] = [];
    (engine as unknown as Socket).on('data', (frame: string) => {
      if (frame.startsWith('0')) welcomes.push(frame);
    });
    const gone = once(engine as never, 'close');
    for (let i = 0; i < 50; i++) engine.write(`0${JSON.stringify(auth)}`);
    await gone;
    assert.ok(welcomes.length <= 1, `${welcomes.length} sockets`);
  });

  it('is refused when it speaks another version of the protocol, or none', async () => {
    for (const auth of [{}, {protocol: 99}, {protocol: 'x'}]) {
      const socket = io(shop.url, {path: '/realtime', auth, forceNew: true, reconnection: false});
      sockets.push(socket);
      const [error] = (await once(socket as never, 'connect_error')) as [{data: WireError}];
      assert.equal(error.data.code, 'PROTOCOL_UNSUPPORTED');
    }
  });

  it('is refused with a token that is not valid', async () => {
    const auth = {protocol: 1, token: 'forged'};
    const socket = io(shop.url, {path: '/realtime', auth, forceNew: true, reconnection: false});
    sockets.push(socket);
    const [error] = (await once(socket as never, 'connect_error')) as [{data: WireError}];
    assert.equal(error.data.code, 'NOT_AUTHENTICATED');
  });

  async function assertWell(): Promise<void> {
    const answer = await call(await connected(), 'read', page);
    assert.equal(answer.ok, true, JSON.stringify(answer));
    for (const socket of sockets) socket.disconnect();
  }

  async function connected(): Promise<Socket> {
    const socket = io(shop.url, {
      path: '/realtime', auth: {protocol: 1}, transports: ['websocket'], forceNew: true,
      reconnection: false,
    });
    sockets.push(socket);
    await once(socket as never, 'connect');
    return socket;
  }
});

function call(socket: Socket, event: string, request: unknown): Promise<Answer> {
  return socket.timeout(10_000).emitWithAck(event, request) as Promise<Answer>;
}

function deep(levels: number): object {
  let value: object = {};
  for (let i = 0; i < levels; i++) value = {a: value};
  return value;
}
