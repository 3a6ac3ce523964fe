/**
 * The part that all subjects of the repository questions share: the calls of a round, one after
 * the other on one connection, as one request of an application makes them.
 */
import {isItem, itemOf} from '../harness/items.mjs';
import {measured, serve} from '../harness/subject.mjs';

/** The entity of these questions, as LoopBack's `@property` takes it. */
export const PROPERTIES = {
  id: {type: 'string', id: true},
  name: {type: 'string', required: true},
  category: {type: 'string', required: true},
  qty: {type: 'number', required: true},
  price: {type: 'number', postgresql: {dataType: 'double precision'}},
  cardNo: {type: 'string', encrypt: true},
};

/** How a data source reaches the database: with one connection, as everybody else here. */
export function connectionSettings(url) {
  return {name: 'db', connector: 'postgresql', url, max: 1, onError: 'ignore'};
}

/** A model's class, written without TypeScript: `@property` called on each property by hand. */
export function decorate(entityClass, properties, {model, property}) {
  for (const [name, definition] of Object.entries(properties)) {
    property(definition)(entityClass.prototype, name);
  }
  model({name: 'Item'})(entityClass);
  return entityClass;
}

/**
 * Offers a repository to the runner.
 *
 * @param open makes it, and its empty tables, in the database of that address. It answers
 * `create(data)`, `update(id, data, created)` and `delete(id)`, where `created` is what `create`
 * answered; `settle()`, which waits for what these left behind; and, for some questions,
 * `find(filter)`, `findById(id)`, `createAll(rows)`, `updateAll(data, where)`
 */
export function serveRepository(open) {
  let items;
  let created = new Map();
  const each = (ids, work) => measured(async () => {
    for (const id of ids) await work(id);
    await items.settle?.();
  });
  serve({
    async open(url) {
      items = await open(url);
    },
    create(ids) {
      created = new Map();
      return each(ids, async id => {
        created.set(id, await items.create(itemOf(id)));
      }).then(withoutResult);
    },
    update: (ids, qty) =>
      each(ids, id => items.update(id, {qty}, created.get(id))).then(withoutResult),
    async delete(ids) {
      await items.beforeDelete?.(ids);
      return withoutResult(await each(ids, id => items.delete(id)));
    },
    createAll: async ids => {
      await items.createAll(ids.map(itemOf));
    },
    updateAll: async (data, where) => {
      const {wallMs, cpuMs, result} = await measured(() => items.updateAll(data, where));
      return {wallMs, cpuMs, count: result.count};
    },
    /** Reads pages; each row is compared with the one that was written. */
    async find(times, limit) {
      const filter = {where: {category: 'chairs'}, order: ['id ASC'], limit};
      const pages = [];
      const {wallMs, cpuMs} = await measured(async () => {
        for (let i = 0; i < times; i++) pages.push(await items.find(filter));
      });
      const correct = pages.every(page => page.length === limit && page.every(row => isItem(row)));
      return {wallMs, cpuMs, correct};
    },
    async findById(ids) {
      const rows = [];
      const {wallMs, cpuMs} = await measured(async () => {
        for (const id of ids) rows.push(await items.findById(id));
      });
      return {wallMs, cpuMs, correct: rows.every((row, i) => row.id === ids[i] && isItem(row))};
    },
    /** Whether the repository's own reader finds these rows as they were written. */
    async areWhole(ids, qty) {
      const rows = await items.find({where: {id: {inq: ids}}});
      return rows.length === ids.length && rows.every(row => isItem(row, qty));
    },
  });
}

function withoutResult({wallMs, cpuMs}) {
  return {wallMs, cpuMs};
}
