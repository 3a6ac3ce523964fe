import assert from 'node:assert/strict';
import type {juggler} from '@loopback/repository';
import type {ChangeFeed, FeedSink} from '../../index';
import {LiveEntitiesBindings} from '../../index';
import {CONNECTORS, onPostgres} from '../support/loopback-live';
import {givenPostgres15, givenPostgres18} from '../support/databases';
import {Tasks, titlesOf} from '../support/tasks';
import {until} from '../support/until';

/** Changes that the test itself delivers. */
class Telegraph implements ChangeFeed {
  readonly name = 'telegraph';
  sink: FeedSink;

  async start(_: unknown, sink: FeedSink): Promise<void> {
    this.sink = sink;
  }

  async stop(): Promise<void> {
    // Nothing is left open.
  }
}

for (const [title, given] of Object.entries(CONNECTORS)) {
  describe(`the repository feed on ${title}`, function () {
    this.timeout(60_000);
    let app: Tasks;
    let close: () => Promise<unknown>;

    before(async function () {
      const source = await given();
      if (!source) return this.skip();
      close = source.drop;
      app = await new Tasks(source.dataSource, {feed: 'repository'}).open();
    });
    after(async () => {
      await app?.shutDown();
      await close?.();
    });

    it('shows rows that come, change, move between views and go, with their count', async () => {
      const tasks = await app.tasks();
      const [home, work, urgent] = [
        await app.watch('listView', {list: 'home'}),
        await app.watch('listView', {list: 'work'}),
        await app.watch('urgentView', {rank: 2}),
      ];
      await tasks.create({id: 'a', title: 'Anchor', list: 'home', rank: 5});
      await until(home, () => titlesOf(home) === 'Anchor of 1');
      await tasks.updateById('a', {list: 'work', rank: 1});
      await until(home, () => titlesOf(home) === ' of 0');
      await until(work, () => titlesOf(work) === 'Anchor of 1');
      await until(urgent, () => titlesOf(urgent) === 'Anchor of 1');
      const more = ['Bell', 'Cable', 'Deck', 'Engine'];
      const list = 'work';
      await tasks.createAll(more.map((name, rank) => ({id: name, title: name, list, rank})));
      await until(work, () => titlesOf(work) === 'Anchor,Bell,Cable of 5');
      await tasks.updateAll({list: 'home'}, {rank: {gte: 2}});
      await until(work, () => titlesOf(work) === 'Anchor,Bell,Cable of 3');
      await until(home, () => titlesOf(home) === 'Deck,Engine of 2');
      await tasks.deleteAll({list: 'work'});
      await until(work, () => titlesOf(work) === ' of 0');
      await until(urgent, () => titlesOf(urgent) === 'Deck of 1');
      await tasks.deleteAll();
      await until(home, () => titlesOf(home) === ' of 0');
    });

    it('is exact in the end when many write the same rows at once', async () => {
      const tasks = await app.tasks();
      const page = await app.watch('listView', {list: 'x'}, 50);
      await tasks.createAll(['1', '2', '3'].map(id => ({id, title: id, list: 'y', rank: 0})));
      await Promise.all(Array.from({length: 40}, async (_, n) => {
        const id = String(1 + (n % 3));
        const patch = n % 2 ? {list: n % 5 ? 'x' : 'y'} : {title: `${id}.${n}`};
        await tasks.updateById(id, patch);
      }));
      await tasks.create({id: 'last', title: 'the last', list: 'x'});
      const rows = await tasks.find({where: {list: 'x'}, order: ['title ASC']});
      const expected = `${rows.map(row => row.title).join()} of ${rows.length}`;
      await until(page, () => titlesOf(page) === expected);
      await tasks.deleteAll();
    });

    it('takes a hint of what it does not see', async () => {
      const tasks = await app.tasks();
      await tasks.create({id: 'h', title: 'Hatch', list: 'home', rank: 1});
      const [home, urgent] = [
        await app.watch('listView', {list: 'home'}), await app.watch('urgentView', {rank: 2}),
      ];
      await past(app, 'h', {title: 'Hull', rank: 9});
      const live = await app.get(LiveEntitiesBindings.REALTIME_SERVER);
      await live.notifyUpdate({type: 'Task', ids: ['h']});
      await until(home, () => titlesOf(home) === 'Hull of 1');
      await until(urgent, () => titlesOf(urgent) === ' of 0');
      await past(app, 'h', {list: 'work'});
      await live.notifyUpdate({type: 'Task', ids: 'all'});
      await until(home, () => titlesOf(home) === ' of 0');
      await assert.rejects(live.notifyUpdate({type: 'Tusk', ids: 'all'}), {code: 'UNKNOWN_TYPE'});
    });
  });
}

describe('a feed of the application\'s own', () => {
  let app: Tasks;
  const feed = new Telegraph();

  before(async () => {
    const {dataSource} = (await CONNECTORS['the memory connector']())!;
    app = await new Tasks(dataSource).bindFeed(feed).open();
  });
  after(() => app?.shutDown());

  it('is taken when it is bound, and said so', () => {
    assert.deepEqual(app.said, [`live changes of Task: feed 'telegraph' (it is bound)`]);
  });

  it('decides when pages are read anew, by images or without', async () => {
    const tasks = await app.tasks();
    const page = await app.watch('listView', {list: 'home'});
    const values = {id: 'a', title: 'Anchor', list: 'home'};
    await tasks.create(values);
    const change = {kind: 'insert', entity: 'Task', after: {key: 'a', values, raw: {}}} as const;
    feed.sink.committed({id: 1, changes: [change], marks: []});
    await until(page, () => titlesOf(page) === 'Anchor of 1');
    await tasks.updateById('a', {title: 'Bell'});
    feed.sink.committed({id: 2, changes: [{kind: 'truncate', entity: 'Task'}], marks: []});
    await until(page, () => titlesOf(page) === 'Bell of 1');
  });

  it('makes pages stale while it is interrupted, and has them read when it is back', async () => {
    const page = await app.watch('listView', {list: 'home'});
    const stale = statusOf(page, 'stale');
    feed.sink.interrupted(new Error('the cable is cut'));
    await stale;
    const [status] = (await app.get(LiveEntitiesBindings.REALTIME_SERVER)).status!.feeds;
    assert.deepEqual([status.state, status.error], ['interrupted', 'the cable is cut']);
    await (await app.tasks()).updateById('a', {title: 'Cable'});
    feed.sink.resumed();
    await until(page, () => titlesOf(page) === 'Cable of 1');
    assert.equal(page.status, 'live');
  });
});

describe('the feed \'auto\'', function () {
  this.timeout(60_000);

  it('takes the log of a server that allows it', async () => {
    assert.match(await choiceOn(await onPostgres(givenPostgres18)),
      /^live changes of Task: feed 'postgres'/);
  });

  it('takes the repositories where the server does not, and says why', async function () {
    const source = await onPostgres(givenPostgres15);
    if (!source) return this.skip();
    const [{wal_level: level}] = (await source.dataSource.execute('SHOW wal_level')) as [
      {wal_level: string}];
    if (level === 'logical') return this.skip();
    assert.match(await choiceOn(source),
      /^live changes of Task: feed 'repository' \(.*wal_level = logical.*\)/);
  });

  it('takes the repositories where there is no log', async () => {
    assert.match(await choiceOn(await CONNECTORS['the memory connector']()),
      /feed 'repository' \(memory has no log that could be read\)/);
  });

  it('does not start where the log was demanded and cannot be had', async () => {
    const {dataSource} = (await CONNECTORS['the memory connector']())!;
    const app = new Tasks(dataSource, {feed: 'postgres'});
    await assert.rejects(app.open(), /postgresql/);
    await app.shutDown();
  });
});

type Source = {readonly dataSource: juggler.DataSource; drop(): Promise<unknown>};

async function choiceOn(source: Source | undefined): Promise<string> {
  const app = await new Tasks(source!.dataSource).open();
  const [said] = app.said;
  await app.shutDown();
  await source!.drop();
  return said;
}

/** Writes as another process would: the connector's own way, which nobody observes. */
async function past(app: Tasks, id: string, patch: object): Promise<void> {
  const {dataSource, modelClass} = await app.tasks();
  const connector = dataSource.connector as unknown as {
    update(model: string, where: object, data: object, options: object,
      done: (error: unknown) => void): void;
  };
  await new Promise<void>((resolve, reject) =>
    connector.update(modelClass.modelName, {id}, patch, {}, error =>
      error ? reject(error) : resolve()));
}

function statusOf(page: Awaited<ReturnType<Tasks['watch']>>, wanted: string): Promise<void> {
  return new Promise(resolve => page.on('status', status => status === wanted && resolve()));
}
