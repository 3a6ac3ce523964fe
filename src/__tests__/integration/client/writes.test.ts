import assert from 'node:assert/strict';
import {
  VersionConflictError,
  type LiveClient,
  type LiveCollection,
  type LiveModel,
} from '../../../client';
import type {Row} from '../../../protocol/page';
import {givenClient, until} from '../../support/client';
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

const BOLT = {id: 'a', name: 'Bolt', qty: 1, _version: 'v1'};
const NUT = {id: 'b', name: 'Nut', qty: 2, _version: 'w1'};

describe('own writes', () => {
  let server: ScriptedServer;
  let live: LiveClient;
  let channel: ScriptedChannel;
  let products: LiveCollection<Product>;

  beforeEach(async () => {
    server = await ScriptedServer.listen();
    channel = server.channel('byName@0', [BOLT, NUT]);
    server.channel('Product/a', [BOLT]);
    server.channel('Product/none', []);
    live = givenClient(server.url);
    products = live.collection<Product>({type: 'Product', view: 'byName'});
    await products.ready;
  });

  afterEach(async () => {
    live.close();
    await server.close();
  });

  describe('updates', () => {
    it('are shown at once, with the version that is shown sent along', async () => {
      const [bolt, nut] = products.value;
      server.answer('update', () => ({row: {...BOLT, qty: 5, _version: 'v2'}}));
      const written = products.update('a', {qty: 5});
      assert.deepEqual(products.value, [{...BOLT, qty: 5}, NUT]);
      assert.notEqual(products.value[0], bolt);
      assert.equal(products.value[1], nut);
      assert.deepEqual(await written, {...BOLT, qty: 5, _version: 'v2'});
      const [request] = server.requests('update');
      assert.deepEqual(request, {type: 'Product', id: 'a', value: {qty: 5}, version: 'v1'});
    });

    it('stay, with the new version, until the page has them; then the page counts', async () => {
      server.answer('update', () => ({row: {...BOLT, qty: 5, _version: 'v2'}}));
      await products.update('a', {qty: 5});
      const own = products.value[0];
      assert.equal(own._version, 'v2');
      let changes = 0;
      products.on('change', () => changes++);
      channel.publish([{...BOLT, qty: 5, _version: 'v2'}, NUT]);
      await until(products, () => changes === 1);
      assert.equal(products.value[0], own);
      channel.publish([{...BOLT, qty: 6, _version: 'v3'}, NUT]);
      await until(products, () => products.value[0].qty === 6);
    });

    it('do not stay when the page went past them before the answer came', async () => {
      const gate = givenGate();
      server.answer('update', async () => {
        await gate.opened;
        return {row: {...BOLT, qty: 5, _version: 'v2'}};
      });
      const written = products.update('a', {qty: 5});
      await server.called('update');
      channel.publish([{...BOLT, qty: 9, _version: 'v3'}, NUT]);
      gate.open();
      await written;
      assert.equal(products.value[0].qty, 9);
    });

    it('leave the page with the row', async () => {
      server.answer('update', () => ({row: {...BOLT, name: 'Zinc bolt', _version: 'v2'}}));
      await products.update('a', {name: 'Zinc bolt'});
      channel.publish([NUT]);
      await until(products, () => products.value.length === 1);
      channel.publish([BOLT, NUT]);
      await until(products, () => products.value.length === 2);
      assert.equal(products.value[0].name, 'Bolt');
    });

    it('are taken back when refused, and reject once', async () => {
      server.answer('update', () => {
        throw refusal('VALIDATION_FAILED', 422, {field: 'qty'});
      });
      const written = products.update('a', {qty: -1});
      assert.equal(products.value[0].qty, -1);
      const error = {name: 'LiveError', code: 'VALIDATION_FAILED', details: {field: 'qty'}};
      await assert.rejects(written, error);
      assert.deepEqual(products.value, [BOLT, NUT]);
    });

    it('reject with the current row when somebody else was faster', async () => {
      const current = {...BOLT, qty: 7, _version: 'v9'};
      server.answer('update', () => {
        throw refusal('VERSION_CONFLICT', 409, {expected: 'v1', actual: 'v9', current});
      });
      await assert.rejects(products.update('a', {qty: 5}), (error: VersionConflictError) => {
        assert.ok(error instanceof VersionConflictError);
        assert.deepEqual(error.current, current);
        return true;
      });
      server.answer('update', () => ({row: current}));
      await products.update('a', {qty: 5}, {version: 'v9'});
      assert.equal(server.requests('update')[1].version, 'v9');
    });

    it('of one row wait for each other, so that two quick ones do not conflict', async () => {
      const gate = givenGate();
      let [row, version] = [BOLT as Row, 1];
      server.answer('update', async request => {
        await gate.opened;
        if (request.version !== row._version) throw refusal('VERSION_CONFLICT', 409);
        return {row: (row = {...row, ...(request.value as Row), _version: `v${++version}`})};
      });
      const both = [products.update('a', {qty: 5}), products.update('a', {name: 'Big bolt'})];
      assert.deepEqual(products.value[0], {...BOLT, qty: 5, name: 'Big bolt'});
      await server.called('update');
      gate.open();
      await Promise.all(both);
      assert.deepEqual(server.requests('update').map(r => r.version), ['v1', 'v2']);
      const last = {...BOLT, qty: 5, name: 'Big bolt', _version: 'v3'};
      assert.deepEqual(products.value[0], last);
      channel.publish([{...BOLT, qty: 5, _version: 'v2'}, NUT]);
      channel.publish([last, NUT]);
      const shown: unknown[] = [];
      products.subscribe(([first]) => shown.push(first));
      await until(products, () => shown.length === 3);
      assert.deepEqual(shown, [last, last, last]);
    });

    it('of other rows do not wait', async () => {
      server.answer('update', request =>
        request.id === 'a' ? new Promise(() => undefined) : {row: {...NUT, qty: 3}},
      );
      void products.update('a', {qty: 5}).catch(() => undefined);
      await products.update('b', {qty: 3});
    });

    it('go on with the version that was shown when the one before is refused', async () => {
      server.answer('update', ({value}) => {
        if ((value as Row).qty === -1) throw refusal('VALIDATION_FAILED');
        return {row: {...BOLT, name: 'Big bolt', _version: 'v2'}};
      });
      const one = products.update('a', {qty: -1});
      const two = products.update('a', {name: 'Big bolt'});
      await assert.rejects(one, {code: 'VALIDATION_FAILED'});
      await two;
      assert.equal(server.requests('update')[1].version, 'v1');
      assert.deepEqual(products.value[0], {...BOLT, name: 'Big bolt', _version: 'v2'});
    });

    it('go on with what was shown when the one before comes too late for it', async () => {
      const gate = givenGate();
      const theirs = {...BOLT, qty: 7, _version: 'v2'};
      server.answer('update', async ({version, value}) => {
        await gate.opened;
        if (version !== 'v2') throw refusal('VERSION_CONFLICT', 409);
        return {row: {...theirs, ...(value as Row), _version: 'v3'}};
      });
      const late = products.update('a', {qty: 5});
      await server.called('update');
      channel.publish([theirs, NUT]);
      await until(products, () => products.value[0]._version === 'v2');
      // Made on the row as somebody else has written it meanwhile.
      const next = products.update('a', {name: 'Big bolt'});
      gate.open();
      await assert.rejects(late, {code: 'VERSION_CONFLICT'});
      await next;
      assert.deepEqual(server.requests('update').map(({version}) => version), ['v1', 'v2']);
      assert.deepEqual(products.value[0], {...theirs, name: 'Big bolt', _version: 'v3'});
    });

    it('in flight when the connection breaks are taken back', async () => {
      server.answer('update', () => new Promise(() => undefined));
      const written = products.update('a', {qty: 5});
      await server.called('update');
      server.cut();
      await assert.rejects(written, {code: 'CONNECTION_LOST'});
      assert.equal(products.value[0].qty, 1);
    });

    it('made without a connection are sent when it is back', async () => {
      server.answer('update', () => ({row: {...BOLT, qty: 5, _version: 'v2'}}));
      server.cut();
      await until(products, () => products.status === 'stale');
      const written = products.update('a', {qty: 5});
      assert.equal(products.value[0].qty, 5);
      await written;
      assert.equal(server.requests('update').length, 1);
    });

    it('show only properties that the page has', async () => {
      const names = live.collection<Product, 'name'>({
        type: 'Product',
        view: 'byName',
        fields: ['name'],
      });
      channel.publish([{id: 'a', name: 'Bolt', _version: 'v1'}]);
      await names.ready;
      server.answer('update', () => ({row: {...BOLT, name: 'B', qty: 5, _version: 'v2'}}));
      await names.update('a', {name: 'B', qty: 5});
      assert.deepEqual(names.value, [{id: 'a', name: 'B', _version: 'v2'}]);
    });
  });

  describe('deletes', () => {
    it('hide the row at once and for good', async () => {
      server.answer('delete', () => ({row: null}));
      const deleted = products.delete('a');
      assert.deepEqual(products.value, [NUT]);
      await deleted;
      assert.deepEqual(products.value, [NUT]);
      channel.publish([NUT]);
      const restored = {...BOLT, _version: 'v3'};
      channel.publish([restored, NUT]);
      await until(products, () => products.value.length === 2);
      const [request] = server.requests('delete');
      assert.deepEqual(request, {type: 'Product', id: 'a', version: 'v1'});
    });

    it('bring the row back to its place when refused', async () => {
      server.answer('delete', () => {
        throw refusal('CRUD_BLOCKED', 403);
      });
      await assert.rejects(products.delete('a'), {code: 'CRUD_BLOCKED'});
      assert.deepEqual(products.value, [BOLT, NUT]);
    });
  });

  describe('creates', () => {
    it('are shown apart until the server has placed them', async () => {
      const gate = givenGate();
      const saw = {id: 'c', name: 'Saw', qty: 3, _version: 'x1'};
      server.answer('create', async () => {
        await gate.opened;
        return {row: saw};
      });
      const created = products.create({name: 'Saw', qty: 3});
      assert.deepEqual(products.creating, [{name: 'Saw', qty: 3}]);
      assert.deepEqual(products.value, [BOLT, NUT]);
      gate.open();
      assert.deepEqual(await created, saw);
      assert.deepEqual(products.creating, []);
      const [request] = server.requests('create');
      assert.deepEqual(request, {type: 'Product', value: {name: 'Saw', qty: 3}});
    });

    it('are taken back when refused', async () => {
      server.answer('create', () => {
        throw refusal('VALIDATION_FAILED');
      });
      await assert.rejects(products.create({name: ''}), {code: 'VALIDATION_FAILED'});
      assert.deepEqual(products.creating, []);
    });
  });

  describe('through a live model', () => {
    let bolt: LiveModel<Product>;

    beforeEach(async () => {
      bolt = live.model<Product>({type: 'Product', id: 'a'});
      assert.equal(bolt.value, undefined);
      await bolt.ready;
    });

    it('show in it, and in every collection that has the row', async () => {
      server.answer('update', () => ({row: {...BOLT, qty: 5, _version: 'v2'}}));
      const written = bolt.update({qty: 5});
      assert.deepEqual(bolt.value, {...BOLT, qty: 5});
      assert.deepEqual(products.value[0], {...BOLT, qty: 5});
      await written;
      const [request] = server.requests('update');
      assert.deepEqual(request, {type: 'Product', id: 'a', value: {qty: 5}, version: 'v1'});
    });

    it('wait for those made through a collection', async () => {
      server.answer('update', () => ({row: {...BOLT, _version: 'v2'}}));
      await Promise.all([products.update('a', {qty: 5}), bolt.update('name', 'B')]);
      assert.deepEqual(server.requests('update').map(r => r.version), ['v1', 'v2']);
    });

    it('change or clear one property', async () => {
      server.answer('update', () => ({row: {...BOLT, qty: 3, _version: 'v2'}}));
      await bolt.update('qty', 3);
      const update = {type: 'Product', id: 'a', field: 'qty', value: 3, version: 'v1'};
      assert.deepEqual(server.requests('update'), [update]);
      const cleared = {id: 'a', name: 'Bolt', qty: null, _version: 'v3'};
      server.answer('delete', () => ({row: cleared}));
      await bolt.delete('qty');
      const clear = {type: 'Product', id: 'a', field: 'qty', version: 'v2'};
      assert.deepEqual(server.requests('delete'), [clear]);
      assert.deepEqual(bolt.value, cleared);
    });

    it('delete the row', async () => {
      server.answer('delete', () => ({row: null}));
      const deleted = bolt.delete();
      assert.equal(bolt.value, null);
      assert.deepEqual(products.value, [NUT]);
      await deleted;
      assert.equal(bolt.value, null);
    });

    it('go by the id that the row has, where it was asked for in capitals', async () => {
      server.channel('Product/A', [BOLT]);
      server.answer('update', () => ({row: {...BOLT, qty: 5, _version: 'v2'}}));
      const asked = live.model<Product>({type: 'Product', id: 'A'});
      await asked.ready;
      const written = asked.update('qty', 5);
      assert.equal(asked.value?.qty, 5);
      await written;
      const [request] = server.requests('update');
      assert.deepEqual(request, {
        type: 'Product', id: 'a', field: 'qty', value: 5, version: 'v1',
      });
    });

    it('find no row where there is none', async () => {
      const none = live.model<Product>({type: 'Product', id: 'none'});
      await none.ready;
      assert.equal(none.value, null);
      assert.equal(none.status, 'live');
    });
  });
});
