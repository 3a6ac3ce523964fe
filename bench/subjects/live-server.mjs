/** The part that all servers of the realtime questions share: writing, in a burst or by a clock. */
import {setTimeout as sleep} from 'node:timers/promises';
import {productOf} from '../harness/products.mjs';
import {now, serve} from '../harness/subject.mjs';

/**
 * The table of these questions, for those who do not make it themselves. Its second index is for
 * those who read a category when somebody subscribes to it; Parse and Directus do not.
 */
export const TABLE = `CREATE TABLE product (
  id text PRIMARY KEY, name text NOT NULL, category text NOT NULL, qty integer NOT NULL,
  price double precision);
  CREATE INDEX product_category ON product (category, id)`;

/** Connections of every server's pool, and writes of a burst that are under way at once. */
export const CONNECTIONS = 8;
const FARTHEST = 2 * CONNECTIONS;

/**
 * Offers a server to the runner.
 *
 * @param open starts it on that database; it answers `address`, where clients connect, and
 * `create(product)`, which resolves when the row is committed
 * @param others what this server answers in another way than the rest
 */
export function serveLive(open, others = {}) {
  let server;
  serve({
    ...others,
    async open(url, options = {}) {
      server = await open(url, options);
      return server.address;
    },

    /**
     * Creates a product for each id, a few at once. None is started while one far before it is
     * under way: it would come to lie past the end of a page that shows the newest.
     */
    async burst(ids, category) {
      const began = now();
      const writes = [];
      const writer = async () => {
        while (writes.length < ids.length) {
          const place = writes.length;
          const write = Promise.resolve(writes[place - FARTHEST])
            .then(() => server.create(productOf(ids[place], category)));
          writes.push(write);
          await write;
        }
      };
      await Promise.all(Array.from({length: CONNECTIONS}, writer));
      return began;
    },

    /** Creates one product after the other. */
    async one(ids, category) {
      for (const id of ids) await server.create(productOf(id, category));
    },

    /**
     * Creates products by the clock, whether or not those before are done: a slow answer must not
     * put off the questions after it. Answers when each was due.
     */
    async schedule(ids, perSecond, category) {
      const began = now() + 20;
      const due = ids.map((_, i) => began + (i * 1000) / perSecond);
      const writes = [];
      for (const [i, id] of ids.entries()) {
        const wait = due[i] - now();
        if (wait > 0) await sleep(wait);
        writes.push(server.create(productOf(id, category)));
      }
      await Promise.all(writes);
      return due;
    },
  });
}
