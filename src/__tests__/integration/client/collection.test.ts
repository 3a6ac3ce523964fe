import assert from 'node:assert/strict';
import {LiveError, type LiveClient, type LiveCollection, type StatusDetail} from '../../../client';
import {givenClient, next, until} from '../../support/client';
import {
  givenGate,
  refusal,
  ScriptedServer,
  type ScriptedChannel,
} from '../../support/scripted-server';

interface Product {
  id: string;
  name: string;
  qty: number;
}

const BOLT = {id: 'a', name: 'Bolt', qty: 1};
const NUT = {id: 'b', name: 'Nut', qty: 2};
const SAW = {id: 'c', name: 'Saw', qty: 3};

describe('a live collection', () => {
  let server: ScriptedServer;
  let live: LiveClient;
  let channel: ScriptedChannel;

  beforeEach(async () => {
    server = await ScriptedServer.listen();
    channel = server.channel('byName@0', [BOLT, NUT], {pageSize: 2, count: 2});
    live = givenClient(server.url);
  });

  afterEach(async () => {
    live.close();
    await server.close();
  });

  it('shows the first page when it is ready', async () => {
    const products = givenProducts();
    assert.deepEqual(products.value, []);
    assert.equal(products.status, 'loading');
    await products.ready;
    assert.deepEqual(products.value, [BOLT, NUT]);
    assert.deepEqual(products.meta, {pageOffset: 0, pageSize: 2, isLastPage: true, count: 2});
    assert.equal(products.status, 'live');
  });

  it('asks for what it was told', async () => {
    const options = {
      type: 'Product',
      view: 'byName',
      viewParams: {category: 'c1'},
      fields: ['name'] as const,
      pageOffset: 0,
      pageSize: 2,
      getCount: true,
    };
    await live.collection<Product, 'name'>(options).ready;
    assert.deepEqual(server.requests('subscribe'), [{ref: options}]);
  });

  it('follows the page, and leaves the rows that did not change the same', async () => {
    const products = givenProducts();
    await products.ready;
    const [before, bolt] = [products.value, products.value[0]];
    channel.publish([BOLT, {...NUT, qty: 7}, SAW]);
    await until(products, () => products.value.length === 3);
    assert.notEqual(products.value, before);
    assert.equal(products.value[0], bolt);
    assert.deepEqual(products.value, [BOLT, {...NUT, qty: 7}, SAW]);
  });

  it('gives a new array when only the count has changed', async () => {
    const products = givenProducts();
    await products.ready;
    const before = products.value;
    channel.publish([BOLT, NUT], {meta: {...channel.meta, count: 9}});
    await until(products, () => products.meta.count === 9);
    assert.notEqual(products.value, before);
    assert.equal(products.value[0], before[0]);
  });

  it('calls a subscriber at once and after each change until it unsubscribes', async () => {
    const products = givenProducts();
    await products.ready;
    const seen: string[] = [];
    const {subscribe} = products;
    const stop = subscribe(value => seen.push(value.map(row => row.id).join('')));
    channel.publish([BOLT]);
    await until(products, () => products.value.length === 1);
    stop();
    channel.publish([]);
    await until(products, () => products.value.length === 0);
    assert.deepEqual(seen, ['ab', 'a']);
  });

  it('is not harmed by a subscriber that throws', async () => {
    const products = givenProducts();
    await products.ready;
    const thrown = givenUncaught();
    products.on('change', () => {
      throw new Error('mine');
    });
    channel.publish([BOLT]);
    await until(products, () => products.value.length === 1);
    assert.equal((await thrown).message, 'mine');
  });

  describe('whose steps get lost', () => {
    it('asks for a page anew and says so', async () => {
      const products = givenProducts();
      await products.ready;
      const statuses = givenStatuses(products);
      channel.publish([BOLT], {lost: true});
      channel.publish([BOLT, SAW]);
      await until(products, () => products.value[1]?.id === 'c' && products.status === 'live');
      assert.deepEqual(products.value, [BOLT, SAW]);
      assert.deepEqual(statuses, ['stale', 'live, reset']);
      assert.deepEqual(server.requests('subscribe').length, 2);
    });

    it('takes what comes meanwhile once, in its turn', async () => {
      const products = givenProducts();
      await products.ready;
      const gate = givenGate();
      server.answer('subscribe', async (request, peer) => {
        const reply = server.enter(request, peer);
        await gate.opened;
        return reply;
      });
      channel.publish([BOLT], {lost: true});
      channel.publish([BOLT, SAW]);
      await server.called('subscribe', 2);
      channel.publish([BOLT, NUT, SAW]);
      gate.open();
      await until(products, () => products.status === 'live' && products.value.length === 3);
      assert.deepEqual(products.value, [BOLT, NUT, SAW]);
    });

    it('takes a step that does not fit for a lost one', async () => {
      const products = givenProducts();
      await products.ready;
      const ops = [{op: 'remove', key: 'nobody'}] as const;
      server.io.emit('delta', {channel: channel.id, seq: 1, ops, meta: channel.meta});
      await until(products, () => products.status === 'stale');
      await until(products, () => products.status === 'live');
      assert.deepEqual(products.value, [BOLT, NUT]);
    });

    it('skips a step that it has already', async () => {
      const products = givenProducts();
      await products.ready;
      const message = channel.publish([BOLT, NUT, SAW]);
      server.io.emit('delta', message);
      channel.publish([SAW]);
      await until(products, () => products.value.length === 1);
      assert.equal(server.requests('subscribe').length, 1);
    });

    it('takes a page that the server sends by itself', async () => {
      const products = givenProducts();
      await products.ready;
      const statuses = givenStatuses(products);
      const bolt = products.value[0];
      channel.restart([BOLT, SAW]);
      channel.pushSnapshot();
      await until(products, () => products.value[1]?.id === 'c');
      assert.equal(products.value[0], bolt);
      assert.deepEqual(statuses, ['live, reset']);
    });
  });

  it('takes the steps that overtake the answer', async () => {
    server.answer('subscribe', async (request, peer) => {
      const reply = server.enter(request, peer);
      channel.publish([BOLT, NUT, SAW]);
      return reply;
    });
    const products = givenProducts();
    await products.ready;
    assert.deepEqual(products.value, [BOLT, NUT, SAW]);
    assert.equal(server.requests('subscribe').length, 1);
  });

  it('does not take the steps of others while it waits for its page', async () => {
    server.channel('byQty@0', [NUT]);
    const gate = givenGate();
    const products = givenProducts();
    await products.ready;
    server.answer('subscribe', (request, peer) =>
      gate.opened.then(() => server.enter(request, peer)),
    );
    const others = live.collection<Product>({type: 'Product', view: 'byQty'});
    await server.called('subscribe', 2);
    channel.publish([SAW, BOLT, NUT]);
    await until(products, () => products.value.length === 3);
    gate.open();
    await others.ready;
    assert.deepEqual(others.value, [NUT]);
    assert.equal(server.requests('subscribe').length, 2);
  });

  describe('whose connection breaks', () => {
    it('continues where it was', async () => {
      const products = givenProducts();
      await products.ready;
      const statuses = givenStatuses(products);
      server.cut();
      channel.publish([BOLT]);
      channel.publish([BOLT, SAW]);
      await until(products, () => products.status === 'stale');
      assert.deepEqual(products.value, [BOLT, NUT]);
      await until(products, () => products.status === 'live');
      assert.deepEqual(products.value, [BOLT, SAW]);
      assert.deepEqual(statuses, ['stale', 'live']);
      const resume = {channel: 'byName@0', epoch: 'e1', seq: 0};
      assert.deepEqual(server.requests('subscribe')[1].resume, resume);
    });

    it('starts again from a page when the server has forgotten, and says so', async () => {
      const products = givenProducts();
      await products.ready;
      const statuses = givenStatuses(products);
      const bolt = products.value[0];
      server.cut();
      channel.restart([BOLT, SAW]);
      await until(products, () => products.value[1]?.id === 'c');
      assert.deepEqual(statuses, ['stale', 'live, reset']);
      assert.equal(products.value[0], bolt);
    });

    it('tries again when the server is busy', async function () {
      this.timeout(5_000);
      const products = givenProducts();
      await products.ready;
      server.answer('subscribe', (request, peer) => {
        if (server.requests('subscribe').length === 2) throw refusal('LIMIT_EXCEEDED', 429);
        return server.enter(request, peer);
      });
      server.cut();
      channel.publish([BOLT]);
      await until(products, () => products.value.length === 1);
      assert.equal(products.status, 'live');
    });

    it('keeps its page and tries again when the server is busy after a lost one', async () => {
      const products = givenProducts();
      await products.ready;
      const shown: number[] = [];
      products.on('change', rows => shown.push(rows.length));
      server.answer('subscribe', (request, peer) => {
        if (server.requests('subscribe').length === 2) throw refusal('FEED_UNAVAILABLE', 503);
        return server.enter(request, peer);
      });
      channel.publish([], {lost: true});
      channel.publish([BOLT]);
      await until(products, () => products.value.length === 1);
      assert.equal(products.status, 'live');
      assert.deepEqual(shown.filter(rows => rows === 0), []);
    });

    it('keeps nothing when its session does not outlive that', async () => {
      live.close();
      server.answer('authenticate', () => ({token: 't', user: {id: 'ann'}}));
      live = givenClient(server.url, {token: 't'});
      const products = givenProducts();
      await products.ready;
      server.answer('subscribe', () => {
        throw refusal('CRUD_BLOCKED', 401);
      });
      server.admit = ({token}) =>
        token ? {code: 'NOT_AUTHENTICATED', message: 'expired', statusCode: 401} : undefined;
      server.cut();
      await until(products, () => products.status === 'ended');
      assert.deepEqual(products.value, []);
    });

    it('is ready in the end when it breaks before the first page', async () => {
      server.answer('subscribe', () => new Promise(() => undefined));
      const products = givenProducts();
      await server.called('subscribe');
      server.answer('subscribe', (request, peer) => server.enter(request, peer));
      server.cut();
      await products.ready;
      assert.deepEqual(products.value, [BOLT, NUT]);
    });

    it('is continued by each of two in one channel, with nothing applied twice', async () => {
      const [one, two] = [givenProducts(), givenProducts()];
      await Promise.all([one.ready, two.ready]);
      const gate = givenGate();
      server.answer('subscribe', (request, peer) => {
        if (server.requests('subscribe').length === 3) return server.enter(request, peer);
        return gate.opened.then(() => server.enter(request, peer));
      });
      server.cut();
      await server.called('subscribe', 4);
      channel.publish([BOLT, NUT, SAW]);
      await until(one, () => one.value.length === 3);
      channel.publish([NUT, SAW]);
      gate.open();
      await until(two, () => two.status === 'live');
      assert.deepEqual([one.value, two.value], [[NUT, SAW], [NUT, SAW]]);
      assert.equal(server.requests('subscribe').length, 4);
    });
  });

  describe('that the server refuses or ends', () => {
    it('is never ready, and says why', async () => {
      server.answer('subscribe', () => {
        throw refusal('CRUD_BLOCKED', 403);
      });
      const products = givenProducts();
      const told = next<[LiveError]>(listener => products.on('error', listener));
      await assert.rejects(products.ready, {name: 'LiveError', code: 'CRUD_BLOCKED'});
      assert.equal((await told)[0].statusCode, 403);
      assert.equal(products.status, 'ended');
    });

    it('is not taken for live when the end overtakes the answer', async () => {
      const error = {code: 'SERVER_BUSY', message: 'too many', statusCode: 503};
      server.answer('subscribe', (request, peer) => {
        const reply = server.enter(request, peer);
        channel.end(error);
        return reply;
      });
      const products = givenProducts();
      await assert.rejects(products.ready, {code: 'SERVER_BUSY'});
      assert.equal(products.status, 'ended');
    });

    it('is left where the server has let it in anew, after an end that came first', async () => {
      const error = {code: 'SERVER_BUSY', message: 'too many', statusCode: 503};
      const left = new Promise(resolve => server.answer('unsubscribe', ({channel: id}) => {
        resolve(id);
        return {};
      }));
      server.answer('subscribe', (request, peer) => {
        server.enter(request, peer);
        channel.end(error);
        return server.enter(request, peer);
      });
      await assert.rejects(givenProducts().ready, {code: 'SERVER_BUSY'});
      assert.equal(await left, channel.id);
    });

    it('keeps its rows as they were', async () => {
      const products = givenProducts();
      await products.ready;
      const told = next<[LiveError]>(listener => products.on('error', listener));
      channel.end({code: 'SUBSCRIPTION_ENDED', message: 'no more', statusCode: 403});
      assert.equal((await told)[0].code, 'SUBSCRIPTION_ENDED');
      assert.equal(products.status, 'ended');
      assert.deepEqual(products.value, [BOLT, NUT]);
    });

    it('is ready, and turns pages, once a page is fetched that the server gives', async () => {
      server.channel('byName@2', [SAW], {pageOffset: 2, pageSize: 2});
      channel.meta = {...channel.meta, isLastPage: false};
      channel.restart([BOLT, NUT]);
      server.answer('subscribe', () => {
        throw refusal('FEED_UNAVAILABLE', 503);
      });
      const products = givenProducts();
      await assert.rejects(products.ready, {code: 'FEED_UNAVAILABLE'});
      await assert.rejects(products.fetchPage(0), {code: 'FEED_UNAVAILABLE'});
      await assert.rejects(products.ready, {code: 'FEED_UNAVAILABLE'});
      server.answer('subscribe', (request, peer) => server.enter(request, peer));
      const fetched = products.fetchPage(0);
      await products.ready;
      await fetched;
      assert.deepEqual(products.value, [BOLT, NUT]);
      await products.fetchNextPage();
      assert.deepEqual(products.value, [SAW]);
    });

    it('lives again after a sign-in when a session was what it lacked', async () => {
      server.answer('subscribe', () => {
        throw refusal('NOT_AUTHENTICATED', 401);
      });
      server.answer('login', () => ({token: 't', user: {id: 'ann'}}));
      const products = givenProducts();
      await assert.rejects(products.ready, {code: 'NOT_AUTHENTICATED'});
      server.answer('subscribe', (request, peer) => server.enter(request, peer));
      await live.login({username: 'ann'});
      await products.ready;
      assert.deepEqual(products.value, [BOLT, NUT]);
    });

    it('asks as the new person when the person changes', async () => {
      const products = givenProducts();
      await products.ready;
      const statuses = givenStatuses(products);
      channel.restart([SAW]);
      channel.end({code: 'SESSION_CHANGED', message: 'somebody else', statusCode: 401});
      await until(products, () => products.value[0]?.id === 'c');
      assert.deepEqual(statuses, ['stale', 'live, reset']);
    });

    it('asks again as the new person while the server is busy, and shows nothing', async () => {
      const products = givenProducts();
      await products.ready;
      const statuses = givenStatuses(products);
      server.answer('subscribe', (request, peer) => {
        if (server.requests('subscribe').length < 3) throw refusal('DATABASE_UNAVAILABLE', 503);
        return server.enter(request, peer);
      });
      channel.restart([SAW]);
      channel.end({code: 'SESSION_CHANGED', message: 'somebody else', statusCode: 401});
      await until(products, () => products.status === 'loading');
      assert.deepEqual(products.value, []);
      await until(products, () => products.status === 'live');
      assert.deepEqual(products.value, [SAW]);
      assert.deepEqual(statuses, ['stale', 'loading', 'live']);
    });

    it('asks again as the one who has signed in while the server is busy', async () => {
      server.answer('subscribe', (request, peer) => {
        const times = server.requests('subscribe').length;
        if (times === 1) throw refusal('NOT_AUTHENTICATED', 401);
        if (times === 2) throw refusal('FEED_UNAVAILABLE', 503);
        return server.enter(request, peer);
      });
      server.answer('login', () => ({token: 't', user: {id: 'ann'}}));
      const products = givenProducts();
      await assert.rejects(products.ready, {code: 'NOT_AUTHENTICATED'});
      await live.login({username: 'ann'});
      await products.ready;
      assert.deepEqual(products.value, [BOLT, NUT]);
    });

    it('keeps no rows of the one before when the connection breaks meanwhile', async () => {
      const products = givenProducts();
      await products.ready;
      const gate = givenGate();
      server.answer('subscribe', async (request, peer) => {
        await gate.opened;
        return server.enter(request, peer);
      });
      channel.end({code: 'SESSION_CHANGED', message: 'somebody else', statusCode: 401});
      await server.called('subscribe', 2);
      server.cut();
      await until(products, () => products.status === 'loading');
      assert.deepEqual(products.value, []);
      gate.open();
      await until(products, () => products.status === 'live');
      assert.equal(server.requests('subscribe').at(-1)?.resume, undefined);
    });

    it('keeps nothing that the new person may not see', async () => {
      const products = givenProducts();
      await products.ready;
      server.answer('subscribe', () => {
        throw refusal('CRUD_BLOCKED', 403);
      });
      channel.end({code: 'SESSION_CHANGED', message: 'somebody else', statusCode: 401});
      await until(products, () => products.status === 'ended');
      assert.deepEqual(products.value, []);
    });

    it('ends no process when nobody listens', async () => {
      server.answer('subscribe', () => {
        throw refusal('CRUD_BLOCKED', 403);
      });
      const products = givenProducts();
      await until(products, () => products.status === 'ended');
      // A rejection that nobody handles is reported in the turn after the one that brought it.
      await new Promise(setImmediate);
    });
  });

  describe('turning pages', () => {
    beforeEach(() => {
      channel.publish([BOLT, NUT], {meta: {...channel.meta, isLastPage: false}});
      server.channel('byName@2', [SAW], {pageOffset: 2, pageSize: 2});
    });

    it('shows the next and the previous page', async () => {
      const products = givenProducts();
      await products.ready;
      const statuses = givenStatuses(products);
      await products.fetchNextPage();
      assert.deepEqual(statuses, []);
      assert.deepEqual(products.value, [SAW]);
      assert.deepEqual(products.meta, {pageOffset: 2, pageSize: 2, isLastPage: true});
      await products.fetchPreviousPage();
      assert.deepEqual(products.value, [BOLT, NUT]);
    });

    it('stays where it is at both ends', async () => {
      const products = givenProducts();
      await products.fetchPreviousPage();
      await products.fetchPage(2);
      await products.fetchNextPage();
      assert.equal(products.meta.pageOffset, 2);
      assert.equal(server.requests('subscribe').length, 2);
    });

    it('keeps the old page, live, until the new one is there, and then leaves it', async () => {
      const gate = givenGate();
      const products = givenProducts();
      await products.ready;
      server.answer('subscribe', (request, peer) =>
        gate.opened.then(() => server.enter(request, peer)),
      );
      const turned = products.fetchNextPage();
      await server.called('subscribe', 2);
      channel.publish([BOLT], {meta: {...channel.meta, count: 1}});
      await until(products, () => products.value.length === 1);
      assert.equal(products.status, 'live');
      gate.open();
      await turned;
      assert.deepEqual(products.value, [SAW]);
      assert.deepEqual(await server.called('unsubscribe'), {channel: 'byName@0'});
    });

    it('shows only the last of several, in whatever order they are answered', async () => {
      server.channel('byName@4', [NUT], {pageOffset: 4, pageSize: 2});
      const slow = givenGate();
      const products = givenProducts();
      await products.ready;
      server.answer('subscribe', async (request, peer) => {
        if (server.route(request.ref) === 'byName@2') await slow.opened;
        return server.enter(request, peer);
      });
      const offsets: number[] = [];
      products.on('change', () => offsets.push(products.meta.pageOffset));
      const turns = [products.fetchPage(2), products.fetchPage(4)];
      await Promise.all(turns);
      slow.open();
      assert.deepEqual(await givenUnsubscribed(2), ['byName@0', 'byName@2']);
      assert.deepEqual(offsets, [4]);
      assert.deepEqual(products.value, [NUT]);
    });

    it('stays on its page when the other one is refused', async () => {
      const products = givenProducts();
      await products.ready;
      await assert.rejects(products.fetchPage(100), {code: 'UNKNOWN_VIEW'});
      assert.equal(products.status, 'live');
      assert.deepEqual(products.value, [BOLT, NUT]);
    });

    it('turns when the connection is back', async () => {
      const products = givenProducts();
      await products.ready;
      server.cut();
      await until(products, () => products.status === 'stale');
      await products.fetchNextPage();
      assert.deepEqual(products.value, [SAW]);
      assert.equal(products.status, 'live');
    });
  });

  describe('closing', () => {
    it('leaves the channel and calls nobody any more', async () => {
      const products = givenProducts();
      await products.ready;
      const seen: unknown[] = [];
      products.on('change', value => seen.push(value));
      products.close();
      assert.equal(products.status, 'closed');
      assert.deepEqual(await server.called('unsubscribe'), {channel: 'byName@0'});
      channel.publish([]);
      const other = givenProducts();
      await other.ready;
      assert.deepEqual(seen, []);
    });

    it('leaves the channel to others who have it, until the last one is closed', async () => {
      const [one, two] = [givenProducts(), givenProducts()];
      await Promise.all([one.ready, two.ready]);
      one.close();
      channel.publish([SAW]);
      await until(two, () => two.value.length === 1);
      assert.deepEqual(server.requests('unsubscribe'), []);
      two.close();
      assert.deepEqual(await server.called('unsubscribe'), {channel: 'byName@0'});
    });

    it('does not take the channel from one who is just being let in', async () => {
      const gate = givenGate();
      const one = givenProducts();
      await one.ready;
      server.answer('subscribe', (request, peer) =>
        gate.opened.then(() => server.enter(request, peer)),
      );
      const two = givenProducts();
      await server.called('subscribe', 2);
      one.close();
      gate.open();
      await two.ready;
      channel.publish([SAW]);
      await until(two, () => two.value.length === 1);
      assert.deepEqual(server.requests('unsubscribe'), []);
    });

    it('and opening again is live, in whatever order the server hears it', async () => {
      const one = givenProducts();
      await one.ready;
      const gate = givenGate();
      server.answer('unsubscribe', async ({channel: left}, peer) => {
        await gate.opened;
        await peer.leave(left);
        return {};
      });
      one.close();
      const two = givenProducts();
      await server.called('subscribe', 2);
      gate.open();
      await two.ready;
      channel.publish([SAW]);
      await until(two, () => two.value.length === 1);
      assert.equal(server.requests('subscribe').length, 3);
    });

    it('before the answer leaves the channel when it comes', async () => {
      const gate = givenGate();
      server.answer('subscribe', (request, peer) =>
        gate.opened.then(() => server.enter(request, peer)),
      );
      const products = givenProducts();
      await server.called('subscribe');
      products.close();
      gate.open();
      await assert.rejects(products.ready, {code: 'CLIENT_CLOSED'});
      assert.deepEqual(await server.called('unsubscribe'), {channel: 'byName@0'});
    });

    it('refuses whatever comes later', async () => {
      const products = givenProducts();
      await products.ready;
      products.close();
      products.close();
      const closed = {code: 'CLIENT_CLOSED'};
      await assert.rejects(products.fetchPage(2), closed);
      await assert.rejects(products.update('a', {qty: 2}), closed);
      await assert.rejects(products.create({name: 'x'}), closed);
    });
  });

  function givenProducts(): LiveCollection<Product> {
    return live.collection<Product>({type: 'Product', view: 'byName', pageSize: 2});
  }

  async function givenUnsubscribed(times: number): Promise<string[]> {
    await server.called('unsubscribe', times);
    return server.requests('unsubscribe').map(({channel}) => channel).sort();
  }
});

function givenStatuses(products: LiveCollection<Product>): string[] {
  const statuses: string[] = [];
  products.on('status', (status, detail: StatusDetail) => {
    statuses.push(detail.reset ? `${status}, reset` : status);
  });
  return statuses;
}

/** The next error that nobody catches. Mocha's own listeners are put aside for it. */
function givenUncaught(): Promise<Error> {
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  return new Promise(resolve => {
    process.once('uncaughtException', error => {
      for (const other of others) process.on('uncaughtException', other);
      resolve(error);
    });
  });
}
