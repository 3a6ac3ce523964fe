import assert from 'node:assert/strict';
import type {juggler} from '@loopback/repository';
import {ALL, givenItems, type Item, type ItemRepository} from '../../support/behaviours';

/** LoopBack calls methods of the repository on its way; an application may have its own of each. */
export function stepsSuite(dataSource: () => juggler.DataSource): void {
  for (const step of ['normalizeFilter', 'toEntity', 'toEntities', 'includeRelatedModels']) {
    it(`reads through what an application has made of the steps of a read: ${step}`, async () => {
      const calls = await Promise.all([[], ALL].map(async behaviours => {
        const items = await givenItems(dataSource(), behaviours);
        await items.createAll([{id: 'a', name: 'one'}, {id: 'b', name: 'two'}]);
        const log = loggedCalls(items, [step]);
        const answers = [
          await items.find(),
          await items.find({where: {id: 'a'}, order: ['id']}),
          [await items.findOne({where: {id: 'b'}})],
          [await items.findById('a')],
        ];
        for (const item of answers.flat()) assert.ok(item instanceof items.entityClass);
        return log;
      }));
      assert.ok(calls[0].length >= 2);
      assert.deepEqual(calls[1], calls[0]);
    });
  }

  for (const step of ['entityToData', 'ensurePersistable', 'toEntity', 'toEntities']) {
    it(`writes through what an application has made of the steps of a write: ${step}`, async () => {
      const calls = await Promise.all([[], ALL].map(async behaviours => {
        const items = await givenItems(dataSource(), behaviours);
        const log = loggedCalls(items, [step]);
        const item = await items.create({id: 'a', name: 'one'});
        await items.createAll([{id: 'b', name: 'two'}, {id: 'c', name: 'three'}]);
        await items.createAll([{id: 'd', name: 'four'}]);
        const version = async () => (await items.find({where: {id: 'a'}}))[0];
        const reads = log.length;
        await version();
        const perRead = log.splice(reads).length;
        const writes: ((data: object) => Promise<unknown>)[] = [
          data => items.updateById('a', {name: 'two', ...data}),
          data => items.replaceById('a', {name: 'three', ...data}),
          data => items.update(entityOf(items, {...item, name: 'four', ...data})),
          data => items.save(entityOf(items, {...item, name: 'five', ...data})),
          () => items.updateAll({name: 'six'}, {id: 'a'}),
          data => items.delete(entityOf(items, {...item, ...data})),
        ];
        for (const write of writes) {
          const {_version} = await version();
          log.splice(log.length - perRead);
          await write(_version === undefined ? {} : {_version});
        }
        return log;
      }));
      assert.ok(calls[0].length >= 1);
      assert.deepEqual(calls[1], calls[0]);
    });
  }

  for (const [what, change] of Object.entries(CHANGED_MODELS)) {
    it(`leaves reads to juggler of a model whose ${what}`, async () => {
      const names = await Promise.all([[], ALL].map(async behaviours => {
        const items = await givenItems(dataSource(), behaviours);
        await items.create({id: 'a', name: 'one'});
        change(items.modelClass as unknown as ChangedModel);
        const found = [...(await items.find()), await items.findById('a')];
        return found.map(({name}) => name ?? 'none');
      }));
      assert.notDeepEqual(names[0], ['one', 'one']);
      assert.deepEqual(names[1], names[0]);
    });
  }
}

interface ChangedModel {
  readonly definition: {readonly properties: Record<string, Record<string, unknown>>};
  readonly settings: Record<string, unknown>;
  readonly getter: Record<string, () => unknown>;
  afterInitialize?: unknown;
  observe(hook: string, observer: (context: {data?: {name: string}}) => Promise<void>): void;
  find(this: unknown, ...args: unknown[]): Promise<{name: string}[]>;
}

type Callback = (error: unknown, found: unknown) => void;

/** What an application can do to the model that juggler has made of its entity. */
const CHANGED_MODELS: Record<string, (model: ChangedModel) => void> = {
  'rows are observed': model =>
    model.observe('loaded', async ({data}) => {
      if (data) data.name = 'loaded';
    }),
  'property has a getter': model => {
    model.getter.name = () => 'got';
  },
  'instances are initialized': model => {
    model.afterInitialize = function (this: {name: string}) {
      this.name = 'initialized';
    };
  },
  'find is another': model => {
    const {find} = model;
    model.find = async function (...args) {
      const callback = typeof args.at(-1) === 'function' ? (args.pop() as Callback) : undefined;
      const found = await find.apply(this, args);
      found.forEach(instance => (instance.name = 'found'));
      callback?.(null, found);
      return found;
    };
  },
  'default values are not stored': model => {
    Object.assign(model.definition.properties.name, {default: 'one', persistDefaultValues: false});
  },
  'values are enforced': model => {
    Object.assign(model.settings, {properties: {name: 'enforced'}});
  },
};

/** Puts overrides that only note their calls into the repository's own class. */
function loggedCalls(items: ItemRepository, steps: readonly string[]): string[] {
  const log: string[] = [];
  const own = Object.getPrototypeOf(items);
  for (const step of steps) {
    own[step] = function (...args: unknown[]) {
      log.push(step);
      return Object.getPrototypeOf(own)[step].apply(this, args);
    };
  }
  return log;
}

function entityOf({entityClass}: ItemRepository, values: object): Item {
  return new entityClass(values) as Item;
}
