import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {LiveError, type ConnectionStatus, type LiveClient, type LiveSession} from '../../../client';
import {PROTOCOL_VERSION} from '../../../protocol/version';
import {givenClient, next} from '../../support/client';
import {givenGate, refusal, ScriptedServer} from '../../support/scripted-server';

const ANN = {token: 't1', user: {id: 'ann'}, expiresAt: 1_800_000_000_000};

describe('a live client', () => {
  let server: ScriptedServer;
  let live: LiveClient;

  beforeEach(async () => {
    server = await ScriptedServer.listen();
  });

  afterEach(async () => {
    live?.close();
    await server.close();
  });

  it('tells its status', async () => {
    live = givenClient(server.url);
    const statuses = givenStatuses();
    assert.equal(live.status, 'connecting');
    await connected();
    server.cut();
    await connected();
    live.close();
    assert.equal(live.status, 'offline');
    assert.deepEqual(statuses, ['connected', 'reconnecting', 'connected', 'offline']);
  });

  it('comes back, not at once, when the server sends it away', async () => {
    live = givenClient(server.url);
    await connected();
    server.io.disconnectSockets();
    await connected();
    assert.equal(server.handshakes.length, 2);
  });

  it('falls back to polling where there are no web sockets', async () => {
    server.io.engine.opts.transports = ['polling'];
    live = givenClient(server.url);
    await connected();
  });

  it('reads once', async () => {
    live = givenClient(server.url);
    server.answer('read', () => ({kind: 'field', value: 7}));
    const reply = await live.read({type: 'Product', id: 'a', field: 'qty'});
    assert.deepEqual(reply, {kind: 'field', value: 7});
  });

  describe('signing in', () => {
    it('knows who it is and sends the token with each handshake from then on', async () => {
      live = givenClient(server.url);
      server.answer('login', () => ANN);
      const told = next<[LiveSession | undefined]>(listener => live.on('session', listener));
      const session = await live.login({username: 'ann', password: 'x'});
      assert.deepEqual(session, {user: ANN.user, token: 't1', expiresAt: ANN.expiresAt});
      assert.deepEqual(await told, [session]);
      assert.deepEqual(live.user, ANN.user);
      assert.equal(live.token, 't1');
      server.cut();
      await connected();
      assert.deepEqual(server.handshakes, [
        {protocol: PROTOCOL_VERSION},
        {protocol: PROTOCOL_VERSION, token: 't1'},
      ]);
    });

    it('rejects with the reason', async () => {
      live = givenClient(server.url);
      server.answer('login', () => {
        throw refusal('LOGIN_FAILED', 401);
      });
      await assert.rejects(live.login({username: 'ann'}), {code: 'LOGIN_FAILED', statusCode: 401});
      assert.equal(live.user, undefined);
    });

    it('asks who the owner of a kept token is', async () => {
      server.answer('authenticate', () => ANN);
      live = givenClient(server.url, {token: 't0'});
      const [session] = await next<[LiveSession | undefined]>(l => live.on('session', l));
      assert.deepEqual(server.requests('authenticate'), [{token: 't0'}]);
      assert.equal(session?.user.id, 'ann');
      assert.equal(server.handshakes[0].token, 't0');
    });

    it('extends the session', async () => {
      server.answer('login', () => ANN);
      server.answer('renew', () => ({...ANN, token: 't2'}));
      live = givenClient(server.url);
      await live.login({});
      await live.renew();
      assert.equal(live.token, 't2');
    });

    it('stays signed out when the answer to a renewal or a login comes after that', async () => {
      server.answer('login', () => ANN);
      server.answer('logout', () => ({}));
      live = givenClient(server.url);
      await live.login({});
      for (const call of ['renew', 'login', 'authenticate'] as const) {
        const gate = givenGate();
        server.answer(call, async () => {
          await gate.opened;
          return {...ANN, token: 'late'};
        });
        const late = call === 'renew' ? live.renew()
          : call === 'login' ? live.login({}) : live.authenticate('t');
        const sessions: unknown[] = [];
        const stop = live.on('session', session => sessions.push(session));
        const out = live.logout();
        gate.open();
        await assert.rejects(late, {code: 'SESSION_CHANGED'});
        await out;
        stop();
        assert.deepEqual([live.user, live.token], [undefined, undefined], call);
        assert.ok(sessions.every(session => session === undefined), call);
      }
      server.answer('login', () => ANN);
      await live.login({});
      assert.equal(live.token, 't1');
    });

    it('stays signed out when the server knew it anew just before', async () => {
      server.answer('login', () => ANN);
      live = givenClient(server.url);
      await live.login({});
      server.answer('logout', () => {
        server.io.emit('session', {...ANN, token: 'anew'});
        return {};
      });
      await live.logout();
      assert.deepEqual([live.user, live.token], [undefined, undefined]);
      const told = next<[LiveSession | undefined]>(listener => live.on('session', listener));
      server.io.emit('session', {...ANN, token: 'anew'});
      assert.equal((await told)[0]?.token, 'anew', 'one that comes later counts');
    });

    it('forgets who it was on logout', async () => {
      server.answer('login', () => ANN);
      server.answer('logout', () => ({}));
      live = givenClient(server.url);
      await live.login({});
      const told = next<[LiveSession | undefined]>(listener => live.on('session', listener));
      await live.logout();
      assert.deepEqual(await told, [undefined]);
      assert.equal(live.token, undefined);
    });

    it('is told when the server ends the session', async () => {
      server.answer('login', () => ANN);
      live = givenClient(server.url);
      await live.login({});
      const told = next<[LiveError]>(listener => live.on('logout', listener));
      const error = {code: 'NOT_AUTHENTICATED', message: 'expired', statusCode: 401};
      server.io.emit('logout', {error});
      const [reason] = await told;
      assert.equal(reason.message, 'expired');
      assert.equal(live.user, undefined);
      assert.equal(live.token, undefined);
    });
  });

  describe('that is refused', () => {
    it('drops the token, says so, and comes back once without it', async () => {
      server.admit = ({token}) =>
        token ? {code: 'NOT_AUTHENTICATED', message: 'expired', statusCode: 401} : undefined;
      live = givenClient(server.url, {token: 'old'});
      const told = next<[LiveError]>(listener => live.on('logout', listener));
      await connected();
      assert.equal((await told)[0].code, 'NOT_AUTHENTICATED');
      assert.deepEqual(server.handshakes.map(({token}) => token), ['old', undefined]);
    });

    it('stays offline, with all that waits refused, until it is told to try again', async () => {
      server.admit = () => ({code: 'PROTOCOL_UNSUPPORTED', message: 'old', statusCode: 400});
      live = givenClient(server.url);
      const told = next<[LiveError]>(listener => live.on('error', listener));
      const products = live.collection({type: 'Product', view: 'byName'});
      const read = live.read({type: 'Product', id: 'a'});
      const refused = {code: 'PROTOCOL_UNSUPPORTED'};
      await Promise.all([assert.rejects(products.ready, refused), assert.rejects(read, refused)]);
      assert.equal((await told)[0].code, 'PROTOCOL_UNSUPPORTED');
      assert.equal(live.status, 'offline');
      assert.equal(products.status, 'ended');
      server.admit = () => undefined;
      live.connect();
      await connected();
    });

    it('tries again, later, when the server is only busy', async () => {
      let times = 0;
      server.admit = () =>
        ++times < 3 ? {code: 'LIMIT_EXCEEDED', message: 'full', statusCode: 429} : undefined;
      live = givenClient(server.url);
      await connected();
      assert.equal(server.handshakes.length, 3);
    });
  });

  describe('calling', () => {
    it('rejects what is in flight when the connection breaks', async () => {
      live = givenClient(server.url);
      server.answer('read', () => new Promise(() => undefined));
      const read = live.read({type: 'Product', id: 'a'});
      await server.called('read');
      server.cut();
      await assert.rejects(read, {code: 'CONNECTION_LOST'});
    });

    it('rejects what is not answered in time', async () => {
      live = givenClient(server.url, {timeout: 100});
      await connected();
      server.answer('read', () => new Promise(() => undefined));
      await assert.rejects(live.read({type: 'Product', id: 'a'}), {code: 'TIMEOUT'});
    });

    it('rejects what found no connection in time, and never sends it', async () => {
      live = givenClient(server.url, {
        timeout: 100,
        reconnectionDelay: 400,
        reconnectionDelayMax: 400,
      });
      await connected();
      server.cut();
      await next(listener => live.on('status', listener));
      await assert.rejects(live.read({type: 'Product', id: 'a'}), {code: 'CONNECTION_LOST'});
      await connected();
      server.answer('logout', () => ({}));
      await live.logout();
      assert.deepEqual(server.requests('read'), []);
    });

    it('rejects everything once closed', async () => {
      live = givenClient(server.url);
      server.answer('read', () => new Promise(() => undefined));
      const sent = live.read({type: 'A', id: 1});
      const waiting = live.collection({type: 'A', view: 'v'});
      await server.called('read');
      live.close();
      const closed = {code: 'CLIENT_CLOSED'};
      await assert.rejects(sent, closed);
      await assert.rejects(waiting.ready, closed);
      await assert.rejects(live.read({type: 'A', id: 1}), closed);
      assert.throws(() => live.model({type: 'A', id: 1}), closed);
    });

    it('keeps nothing running for a call that was never sent', async () => {
      const program = `
        const {LiveClient} = require(${JSON.stringify(require.resolve('../../../client'))});
        const live = new LiveClient('http://127.0.0.1:1', {timeout: 60_000});
        live.read({type: 'A', id: 1}).catch(error => console.log(error.code));
        live.close();`;
      // A timer of the call would keep the process alive for longer than a test may take.
      const {stdout} = await promisify(execFile)(process.execPath, ['--eval', program]);
      assert.equal(stdout, 'CLIENT_CLOSED\n');
    });
  });

  function givenStatuses(): ConnectionStatus[] {
    const statuses: ConnectionStatus[] = [];
    live.on('status', status => statuses.push(status));
    return statuses;
  }

  /** Resolves when the client is connected the next time. */
  function connected(): Promise<void> {
    return new Promise(resolve => {
      const stop = live.on('status', status => {
        if (status !== 'connected') return;
        stop();
        resolve();
      });
    });
  }
});
