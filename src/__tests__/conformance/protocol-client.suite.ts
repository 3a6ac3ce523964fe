import assert from 'node:assert/strict';
import type {Server} from 'socket.io';
import type {WireError} from '../../protocol/errors';
import type {LiveRef} from '../../protocol/messages';
import type {PageMeta, Row} from '../../protocol/page';
import {hashOfPage} from '../../protocol/page-hash';
import {PROTOCOL_VERSION} from '../../protocol/version';
import {givenGate, refusal, ScriptedServer, type ScriptedChannel} from '../support/scripted-server';

/** What a person sees of a subscription: a page, and what it is worth. */
export interface Shown {
  readonly page?: {readonly rows: readonly Row[]; readonly meta: PageMeta};
  readonly status: 'loading' | 'live' | 'stale' | 'ended';
  /** The code of the error, once ended. */
  readonly code?: string;
}

export interface SubscriptionUnderTest {
  shown(): Shown;
  /** Calls the listener after each change of what is shown. */
  changed(listener: () => void): void;
  close(): void;
}

/** A client that is to be held to `docs/protocol.md`. It must come back soon after a cut. */
export interface ClientUnderTest {
  subscribe(ref: LiveRef): SubscriptionUnderTest;
  /** Calls the listener with the code when the server says that a session is over. */
  loggedOut(listener: (code: string) => void): void;
  close(): void;
}

export interface ProtocolAdapter {
  connect(url: string, token?: string): ClientUnderTest;
}

const BOLT = {id: 'a', name: 'Bolt', _version: 'v1'};
const NUT = {id: 'b', name: 'Nut', _version: 'v1'};
const SAW = {id: 'c', name: 'Saw', _version: 'v1'};
const REF = {type: 'Product', view: 'byName', pageOffset: 0, pageSize: 10};
const OTHER = {...REF, view: 'byPrice'};
const OVER: WireError = {code: 'NOT_AUTHENTICATED', message: 'It is over.', statusCode: 401};

/**
 * What every client must do, by what can be seen of it: its messages on a real Socket.IO
 * connection to a server that plays a script, and what it shows.
 */
export function protocolClientSuite({connect}: ProtocolAdapter): void {
  let server: ScriptedServer;
  let channel: ScriptedChannel;
  let client: ClientUnderTest;

  beforeEach(async () => {
    server = await ScriptedServer.listen();
    channel = server.channel('byName@0', [BOLT, NUT], {count: 2});
    server.channel('byPrice@0', [NUT]);
    client = connect(server.url);
  });
  afterEach(async () => {
    client.close();
    await server.close();
  });

  describe('the handshake', () => {
    it('names the version, and the token when there is one', async () => {
      await shownFirst();
      assert.deepEqual(server.handshakes, [{protocol: PROTOCOL_VERSION}]);
      const second = connect(server.url, 'secret');
      await until(second.subscribe(REF), isLive);
      second.close();
      assert.deepEqual(server.handshakes[1], {protocol: PROTOCOL_VERSION, token: 'secret'});
    });

    it('is tried again without a token that is refused', async () => {
      server.admit = ({token}) => (token === undefined ? undefined : OVER);
      const second = connect(server.url, 'expired');
      await until(second.subscribe(REF), isLive);
      second.close();
      assert.deepEqual(server.handshakes.at(-1), {protocol: PROTOCOL_VERSION});
    });

    it('ends what is wanted when the version is not spoken', async () => {
      const error = {code: 'PROTOCOL_UNSUPPORTED', message: 'too new', statusCode: 400};
      server.admit = () => error;
      const second = connect(server.url);
      const {code} = await until(second.subscribe(REF), ({status}) => status === 'ended');
      second.close();
      assert.equal(code, 'PROTOCOL_UNSUPPORTED');
    });
  });

  describe('a page', () => {
    it('is asked for by its reference alone, and shown as it comes', async () => {
      const {page} = (await shownFirst()).shown();
      assert.deepEqual(server.requests('subscribe'), [{ref: REF}]);
      assert.deepEqual(page, {
        rows: [BOLT, NUT], meta: {pageOffset: 0, pageSize: 10, isLastPage: true, count: 2},
      });
    });

    it('ends with the reason when it is refused', async () => {
      const {code} = await until(
        client.subscribe({...REF, view: 'none'}), ({status}) => status === 'ended',
      );
      assert.equal(code, 'UNKNOWN_VIEW');
    });

    it('is left when nobody wants it any more', async () => {
      const subscription = await shownFirst();
      subscription.close();
      assert.deepEqual(await server.called('unsubscribe'), {channel: 'byName@0'});
    });

    it('is left only when the last of two that show it is closed', async () => {
      const [one, two] = [await shownFirst(), await shownFirst()];
      one.close();
      channel.publish([SAW]);
      await until(two, shows('Saw'));
      assert.equal(server.requests('unsubscribe').length, 0);
      two.close();
      await server.called('unsubscribe');
    });
  });

  describe('a delta', () => {
    it('is applied step by step, and shown when it is whole', async () => {
      const subscription = await shownFirst();
      const seen = namesSeen(subscription);
      send(1, {
        ops: [
          {op: 'patch', key: 'b', set: {name: 'Axe', colour: 'red'}, unset: ['_version']},
          {op: 'move', key: 'b', at: 0},
          {op: 'insert', key: 'c', at: 1, row: SAW},
          {op: 'remove', key: 'a'},
          {op: 'insert', key: 'a', at: 2, row: {...BOLT, name: 'Zip'}},
        ],
      });
      await until(subscription, shows('Axe,Saw,Zip'));
      assert.deepEqual(seen, ['Axe,Saw,Zip']);
      assert.deepEqual(subscription.shown().page!.rows[0], {id: 'b', name: 'Axe', colour: 'red'});
    });

    it('brings its meta as a whole, without a step too', async () => {
      const subscription = await shownFirst();
      send(1, {ops: [], meta: {pageOffset: 0, pageSize: 10, isLastPage: false}});
      const {page} = await until(subscription, now => now.page?.meta.isLastPage === false);
      assert.deepEqual(page!.meta, {pageOffset: 0, pageSize: 10, isLastPage: false});
    });

    it('reaches each of two that show its channel once', async () => {
      const [one, two] = [await shownFirst(), await shownFirst()];
      const seen = [namesSeen(one), namesSeen(two)];
      channel.publish([BOLT, NUT, SAW]);
      channel.publish([NUT, SAW]);
      await Promise.all([until(one, shows('Nut,Saw')), until(two, shows('Nut,Saw'))]);
      assert.deepEqual(seen[0], ['Bolt,Nut,Saw', 'Nut,Saw']);
      assert.deepEqual(seen[1], seen[0]);
      assert.ok(server.requests('subscribe').length <= 2);
    });

    it('waits for the reply that it overtakes; those of other channels are dropped', async () => {
      server.answer('subscribe', (request, peer) => {
        const reply = server.enter(request, peer);
        channel.publish([BOLT, NUT, SAW]);
        server.io.emit('delta', {
          channel: 'foreign', seq: 2, ops: [{op: 'remove', key: 'a'}], meta: channel.meta,
        });
        return reply;
      });
      const subscription = client.subscribe(REF);
      await until(subscription, shows('Bolt,Nut,Saw'));
      assert.equal(server.requests('subscribe').length, 1);
    });

    it('is skipped when the reply already has it', async () => {
      server.answer('subscribe', (request, peer) => {
        server.enter(request, peer);
        channel.publish([BOLT, NUT, SAW]);
        return server.enter(request, peer);
      });
      const subscription = client.subscribe(REF);
      await until(subscription, shows('Bolt,Nut,Saw'));
      channel.publish([SAW]);
      await until(subscription, shows('Saw'));
      assert.equal(server.requests('subscribe').length, 1);
    });

    it('is skipped when it comes twice', async () => {
      const subscription = await shownFirst();
      const seen = namesSeen(subscription);
      const first = channel.publish([BOLT]);
      server.io.emit('delta', first);
      channel.publish([BOLT, SAW]);
      server.io.emit('delta', first);
      channel.publish([SAW]);
      await until(subscription, shows('Saw'));
      assert.deepEqual(seen, ['Bolt', 'Bolt,Saw', 'Saw']);
      assert.equal(server.requests('subscribe').length, 1);
    });

    it('can go on from an earlier number than the one before', async () => {
      const subscription = await shownFirst();
      send(4, {from: 0, ops: [{op: 'remove', key: 'a'}]});
      await until(subscription, shows('Nut'));
      send(5, {ops: [{op: 'insert', key: 'c', at: 0, row: SAW}]});
      await until(subscription, shows('Saw,Nut'));
      assert.equal(server.requests('subscribe').length, 1);
    });
  });

  describe('what does not fit', () => {
    it('comes after a gap: asks anew without resuming, shows the old page until then', async () => {
      const subscription = await shownFirst();
      const seen = namesSeen(subscription);
      const gate = heldBack();
      channel.publish([BOLT], {lost: true});
      channel.publish([BOLT, SAW]);
      const {resume} = await server.called('subscribe', 2);
      assert.equal(resume, undefined);
      assert.equal(namesOf(subscription.shown()), 'Bolt,Nut');
      gate.open();
      await until(subscription, shows('Bolt,Saw'));
      channel.publish([SAW]);
      await until(subscription, shows('Saw'));
      assert.deepEqual(seen, ['Bolt,Saw', 'Saw']);
    });

    it('goes on from another number than ours: asks anew', async () => {
      await shownFirst();
      send(5, {from: 3, ops: []});
      assert.equal((await server.called('subscribe', 2)).resume, undefined);
    });

    for (const [what, op] of [
      ['an insert of a row that is there', {op: 'insert', key: 'a', at: 0, row: BOLT}],
      ['an insert beyond the end', {op: 'insert', key: 'c', at: 3, row: SAW}],
      ['a removal of a row that is not there', {op: 'remove', key: 'x'}],
      ['a move of a row that is not there', {op: 'move', key: 'x', at: 0}],
      ['a move beyond the end', {op: 'move', key: 'a', at: 2}],
      ['a patch of a row that is not there', {op: 'patch', key: 'x', set: {}}],
    ] as const) {
      it(`${what}: shows nothing of it, and asks anew, saying so`, async () => {
        const subscription = await shownFirst();
        const seen = namesSeen(subscription);
        send(1, {ops: [{op: 'patch', key: 'a', set: {name: 'half done'}}, op]});
        const {resume, diverged} = await server.called('subscribe', 2);
        assert.deepEqual({resume, diverged}, {resume: undefined, diverged: true});
        await until(subscription, isLive);
        assert.deepEqual(seen.filter(names => names !== 'Bolt,Nut'), []);
      });
    }

    it('has the hash of another page: asks anew, saying so', async () => {
      const subscription = await shownFirst();
      const {keys, rows} = {keys: ['b'], rows: [NUT]};
      send(1, {ops: [{op: 'remove', key: 'a'}], hash: hashOfPage(keys, rows)});
      await until(subscription, shows('Nut'));
      assert.equal(server.requests('subscribe').length, 1, 'the right hash is taken');
      send(2, {ops: [], hash: hashOfPage(keys, [{...NUT, _version: 'v2'}])});
      const {resume, diverged} = await server.called('subscribe', 2);
      assert.deepEqual({resume, diverged}, {resume: undefined, diverged: true});
      await until(subscription, shows('Bolt,Nut'));
    });

    it('is a message or a channel that it does not know: goes on', async () => {
      const subscription = await shownFirst();
      (server.io as Server).emit('weather', {rain: true});
      send(9, {channel: 'foreign', ops: [{op: 'remove', key: 'a'}]});
      channel.publish([SAW]);
      await until(subscription, shows('Saw'));
      assert.equal(server.requests('subscribe').length, 1);
    });
  });

  describe('after a cut', () => {
    it('goes on from the last delta that it applied', async () => {
      const subscription = await shownFirst();
      channel.publish([BOLT]);
      await until(subscription, shows('Bolt'));
      const seen = namesSeen(subscription);
      server.cut();
      channel.publish([BOLT, SAW], {lost: true});
      const {ref, resume} = await server.called('subscribe', 2);
      assert.deepEqual({ref, resume}, {
        ref: REF, resume: {channel: 'byName@0', epoch: 'e1', seq: 1},
      });
      await until(subscription, shows('Bolt,Saw'));
      channel.publish([SAW]);
      await until(subscription, shows('Saw'));
      assert.deepEqual(seen, ['Bolt,Saw', 'Saw']);
    });

    it('is stale until it is back, and live when nothing was missed', async () => {
      const subscription = await shownFirst();
      const gate = heldBack();
      server.cut();
      await until(subscription, ({status}) => status === 'stale');
      gate.open();
      assert.equal(namesOf(await until(subscription, isLive)), 'Bolt,Nut');
    });

    it('takes the page as it is when the server has forgotten what was missed', async () => {
      const subscription = await shownFirst();
      channel.restart([SAW]);
      server.cut();
      await until(subscription, shows('Saw'));
      channel.publish([BOLT]);
      await until(subscription, shows('Bolt'));
      assert.equal(server.requests('subscribe').length, 2);
    });
  });

  describe('the server', () => {
    it('ends a page for another person: asks anew without resuming', async () => {
      const subscription = await shownFirst();
      channel.end({...OVER, code: 'SESSION_CHANGED'});
      assert.equal((await server.called('subscribe', 2)).resume, undefined);
      channel.publish([SAW]);
      await until(subscription, shows('Saw'));
    });

    it('refuses an answer that was meant for another person: asks anew', async () => {
      let first = true;
      server.answer('subscribe', (request, peer) => {
        if (!first) return server.enter(request, peer);
        first = false;
        throw refusal('SESSION_CHANGED', 401);
      });
      await until(client.subscribe(REF), shows('Bolt,Nut'));
      assert.equal(server.requests('subscribe').length, 2);
    });

    it('ends a page for good: stops, and other pages go on', async () => {
      const subscription = await shownFirst();
      const other = client.subscribe(OTHER);
      await until(other, isLive);
      channel.end({code: 'CRUD_BLOCKED', message: 'no more', statusCode: 403});
      const {code} = await until(subscription, ({status}) => status === 'ended');
      assert.equal(code, 'CRUD_BLOCKED');
      server.channels.get('byPrice@0')!.publish([SAW]);
      await until(other, shows('Saw'));
      assert.equal(server.requests('subscribe').length, 2);
    });

    it('ends a page before its reply has come: takes it as ended, and leaves it', async () => {
      const error = {code: 'LIMIT_EXCEEDED', message: 'It has grown.', statusCode: 413};
      server.answer('subscribe', (request, peer) => {
        peer.emit('ended', {channel: channel.id, error});
        return server.enter(request, peer);
      });
      const {code} = await until(client.subscribe(REF), ({status}) => status === 'ended');
      assert.equal(code, 'LIMIT_EXCEEDED');
      assert.deepEqual(await server.called('unsubscribe'), {channel: 'byName@0'});
    });

    it('is busy when the connection is back: shows the page, and is asked again', async () => {
      const subscription = await shownFirst();
      refuseOnce('SERVER_BUSY', 503);
      server.cut();
      await server.called('subscribe', 2);
      const seen = namesSeen(subscription);
      await server.called('subscribe', 3);
      await until(subscription, isLive);
      assert.deepEqual(seen, []);
    });

    it('is busy when the person changes: is asked again, and nothing is shown', async () => {
      const subscription = await shownFirst();
      refuseOnce('RATE_LIMITED', 429);
      channel.end({code: 'SESSION_CHANGED', message: 'Somebody else.', statusCode: 401});
      await until(subscription, now => now.status === 'loading' && shows('')(now));
      await until(subscription, isLive);
      assert.equal(server.requests('subscribe').length, 3);
    });

    it('ends the session: says so', async () => {
      const code = new Promise<string>(resolve => client.loggedOut(resolve));
      await shownFirst();
      server.io.emit('logout', {error: OVER});
      assert.equal(await code, 'NOT_AUTHENTICATED');
    });

    it('sends a page in full: takes it as it is, and goes on from its number', async () => {
      const subscription = await shownFirst();
      channel.publish([BOLT], {lost: true});
      channel.publish([SAW], {lost: true});
      channel.pushSnapshot();
      await until(subscription, shows('Saw'));
      channel.publish([NUT]);
      await until(subscription, shows('Nut'));
      assert.equal(server.requests('subscribe').length, 1);
    });

    it('loses its feed: the pages of those entities are stale until it is back', async () => {
      const subscription = await shownFirst();
      server.io.emit('feed', {types: ['Category'], live: false});
      channel.publish([SAW]);
      assert.equal((await until(subscription, shows('Saw'))).status, 'live');
      server.io.emit('feed', {types: ['Product'], live: false});
      await until(subscription, ({status}) => status === 'stale');
      assert.equal(namesOf(subscription.shown()), 'Saw');
      server.io.emit('feed', {types: ['Product'], live: true});
      await until(subscription, isLive);
    });

    it('loses its feed and then the connection: what it said is forgotten', async () => {
      const subscription = await shownFirst();
      server.io.emit('feed', {types: ['Product'], live: false});
      await until(subscription, ({status}) => status === 'stale');
      server.cut();
      await until(subscription, isLive);
    });
  });

  async function shownFirst(): Promise<SubscriptionUnderTest> {
    const subscription = client.subscribe(REF);
    await until(subscription, isLive);
    return subscription;
  }

  function send(seq: number, delta: object): void {
    server.io.emit('delta', {channel: channel.id, seq, meta: channel.meta, ...delta} as never);
  }

  function refuseOnce(code: string, statusCode: number): void {
    let refused = false;
    server.answer('subscribe', (request, peer) => {
      if (refused) return server.enter(request, peer);
      refused = true;
      throw refusal(code, statusCode);
    });
  }

  /** Lets the answers to `subscribe` wait until the gate is opened. */
  function heldBack(): ReturnType<typeof givenGate> {
    const gate = givenGate();
    server.answer('subscribe', async (request, peer) => {
      await gate.opened;
      return server.enter(request, peer);
    });
    return gate;
  }
}

const isLive = ({status}: Shown): boolean => status === 'live';
const namesOf = ({page}: Shown): string => page?.rows.map(row => row.name).join() ?? '';
const shows = (names: string) => (now: Shown) => namesOf(now) === names;

function until(under: SubscriptionUnderTest, holds: (now: Shown) => boolean): Promise<Shown> {
  return new Promise(resolve => {
    const look = () => {
      const now = under.shown();
      if (holds(now)) resolve(now);
    };
    under.changed(look);
    look();
  });
}

/** The names that were shown after each other from now on. */
function namesSeen(under: SubscriptionUnderTest): string[] {
  const seen: string[] = [];
  let last = namesOf(under.shown());
  under.changed(() => {
    const names = namesOf(under.shown());
    if (names !== last) seen.push((last = names));
  });
  return seen;
}
