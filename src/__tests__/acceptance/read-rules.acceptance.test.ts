import assert from 'node:assert/strict';
import type {Entity, juggler, Model} from '@loopback/repository';
import type {LiveClient, LiveCollection} from '../../client';
import {LiveEntitiesBindings} from '../../index';
import {givenClient} from '../support/client';
import {givenPostgres18} from '../support/databases';
import {onPostgres} from '../support/loopback-live';
import {
  hidingByHooks, livePlans, Plan, planWith, RulesApplication, StepRepository,
  type PlanRepositoryClass as Plans,
} from '../support/read-rules';
import {until} from '../support/until';

type Source = {readonly dataSource: juggler.DataSource; drop(): Promise<unknown>};

for (const feed of ['postgres', 'repository'] as const) {
  describe(`the default scope of a model, with the feed '${feed}'`, function () {
    this.timeout(60_000);
    const Repository = livePlans(Plan);
    let source: Source;
    let app: RulesApplication;
    let plans: InstanceType<Plans>;
    let steps: StepRepository;
    let client: LiveClient;

    before(async () => {
      source = (await onPostgres(givenPostgres18))!;
      app = new RulesApplication(source.dataSource, [Repository, StepRepository], {feed});
      await app.open();
      plans = await app.getRepository(Repository);
      steps = await app.getRepository(StepRepository);
      client = givenClient(app.restServer.url!);
    });
    after(async () => {
      client?.close();
      await app?.shutDown();
      await source?.drop();
    });
    beforeEach(async () => {
      await source.dataSource.execute('DELETE FROM plan');
      await source.dataSource.execute('DELETE FROM step');
      await source.dataSource.execute(
        `INSERT INTO plan (id, active, rank) VALUES ('a', true, 1), ('b', false, 2), ('c', true, 3)`,
      );
      await source.dataSource.execute(
        `INSERT INTO step (id, title, planid, hidden)
         VALUES ('s1', 'Saw', 'a', false), ('s2', 'Secret', 'a', true), ('s3', 'Use', 'a', false)`,
      );
    });

    it('is part of each page and its count, and orders the pages that have no order', async () => {
      const [all, byRank] = [await opened('all'), await opened('byRank')];
      assert.deepEqual([idsOf(all), all.meta?.count], ['c,a', 2]);
      assert.deepEqual([idsOf(byRank), byRank.meta?.count], ['a,c', 2]);
      assert.equal(idsOf(all), (await plans.find()).map(({id}) => id).join());
    });

    it('takes a row off the page that a write moves out of it, and back', async () => {
      const [all, model] = [await opened('all'), await watched('a')];
      assert.equal(model.value?.id, 'a');
      await plans.updateById('a', {rank: 50});
      await until(all, () => idsOf(all) === 'c' && all.meta?.count === 1);
      await until(model, () => model.value === null);
      await source.dataSource.execute(`UPDATE plan SET rank = 5 WHERE id = 'a'`);
      if (feed === 'repository') {
        const server = await app.get(LiveEntitiesBindings.REALTIME_SERVER);
        await server.notifyUpdate({type: 'Plan', ids: 'a'});
      }
      await until(all, () => idsOf(all) === 'a,c' && all.meta?.count === 2);
      await until(model, () => model.value?.rank === 5);
    });

    it('holds for a row that is watched by its id', async () => {
      const model = await watched('b');
      assert.equal(model.value, null);
      await assert.rejects(client.read({type: 'Plan', id: 'b'}), {code: 'ENTITY_NOT_FOUND'});
      await plans.create({id: 'd', rank: 4});
      const fresh = await watched('d');
      assert.equal(fresh.value?.active, true);
    });

    it('holds for included rows, with its order', async () => {
      const all = await opened('all');
      const titles = () => all.value.find(({id}) => id === 'a')?.steps?.map(step => step.title);
      assert.deepEqual(titles(), ['Use', 'Saw']);
      await steps.updateAll({hidden: true}, {id: 's3'});
      await until(all, () => titles()?.join() === 'Saw');
      await steps.create({id: 's4', title: 'Turn', planId: 'a', hidden: false});
      await until(all, () => titles()?.join() === 'Turn,Saw');
    });

    async function opened(view: string): Promise<LiveCollection<Plan>> {
      const page = client.collection<Plan>({type: 'Plan', view, getCount: true});
      await page.ready;
      return page;
    }

    async function watched(id: string) {
      const model = client.model<Plan>({type: 'Plan', id});
      await model.ready;
      return model;
    }
  });
}

describe('rules of reads that pages cannot keep', function () {
  this.timeout(60_000);
  let source: Source;

  beforeEach(async () => {
    source = (await onPostgres(givenPostgres18))!;
  });
  afterEach(async () => {
    await source.dataSource.disconnect();
    await source.drop();
  });

  const scopes: [string, object, RegExp][] = [
    ['a limit', {limit: 5}, /default scope has 'limit'; views keep its where and its order alone/],
    ['fields and an include', {fields: ['id'], include: ['steps']}, /has 'fields', 'include'/],
    ['an unknown property', {where: {colour: 'red'}}, /default scope: Plan has no property 'colour'/],
    ['an unknown operator', {where: {rank: {near: 1}}}, /the operator 'near' on Plan.rank/],
    ['a wrong order', {order: 'colour'}, /default scope: Plan has no property 'colour'/],
  ];
  for (const [title, scope, message] of scopes) {
    it(`are refused: a default scope with ${title}`, async () => {
      await refused(livePlans(planWith({scope})), 'auto', message);
    });
  }

  for (const step of ['toEntity', 'toEntities'] as const) {
    it(`are refused whatever the feed: a ${step} of the repository's own`, async () => {
      class Own extends livePlans(planWith({})) {}
      Object.defineProperty(Own.prototype, step, {value: () => undefined});
      for (const feed of ['postgres', 'auto', 'repository'] as const) {
        await refused(Own, feed, new RegExp(`Own overrides ${step}.*post filter of @realtime`));
      }
    });
  }

  for (const hook of ['access', 'loaded']) {
    it(`keep an entity with '${hook}' observers from the log`, async () => {
      const why = new RegExp(`the model Plan has '${hook}' observers, of which the log knows`);
      await refused(hooked(planWith({}), [hook]), 'postgres', why);
      const app = await new RulesApplication(
        source.dataSource, [hooked(planWith({}), [hook]), StepRepository]).open();
      assert.match(app.said[0], /feed 'repository' \(the model Plan has/);
      assert.match(app.said[0], why);
      await app.stop();
    });
  }

  it('are kept by the repository feed: observers, and a scope that is a function', async () => {
    for (const Repository of [
      hooked(planWith({}), ['access', 'loaded']),
      livePlans(planWith({scope: () => ({where: {active: true}})})),
    ]) {
      const app = await new RulesApplication(
        source.dataSource, [Repository, StepRepository]).open();
      assert.match(app.said[0], /feed 'repository' \(the model Plan has/);
      const plans = await app.getRepository(Repository);
      await source.dataSource.execute(`INSERT INTO plan (id, active, rank, secret)
        VALUES ('a', true, 1, 'x'), ('b', false, 2, 'y')`);
      const client = givenClient(app.restServer.url!);
      const page = client.collection<Plan>({type: 'Plan', view: 'byRank', getCount: true});
      await page.ready;
      const found = await plans.find({order: ['rank ASC']});
      assert.deepEqual([...page.value], JSON.parse(JSON.stringify(found)));
      assert.deepEqual([idsOf(page), page.meta?.count], ['a', 1]);
      client.close();
      await app.stop();
    }
  });

  it('are refused with the log: a scope that is a function', async () => {
    const Repository = livePlans(planWith({scope: () => ({where: {active: true}})}));
    await refused(Repository, 'postgres', /the model Plan has a function for default scope/);
  });

  async function refused(
    Repository: Plans, feed: 'auto' | 'postgres' | 'repository', message: RegExp,
  ): Promise<void> {
    const app = new RulesApplication(source.dataSource, [Repository, StepRepository], {feed});
    await assert.rejects(app.open(), {code: 'VIEW_QUERY_UNSUPPORTED', message});
    await app.restServer.stop();
  }
});

function hooked(entity: typeof Entity & {prototype: Plan}, hooks: readonly string[]): Plans {
  return class Hooked extends livePlans(entity) {
    protected override definePersistedModel(each: typeof Model) {
      return hidingByHooks(super.definePersistedModel(each) as never, hooks) as never;
    }
  };
}

function idsOf(page: LiveCollection<Plan>): string {
  return page.value.map(({id}) => id).join();
}
