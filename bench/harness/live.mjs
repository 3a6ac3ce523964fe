/** A server of the realtime questions and its clients, each in a process of its own. */
import {start} from './children.mjs';
import {node22} from './peers.mjs';
import {productOf} from './products.mjs';

export const RAW = 'raw Socket.IO';
export const OURS = 'loopback4-live-entities';
export const FEATHERS = 'Feathers 5, a channel for each category';
export const PARSE = 'Parse Server 9';
export const ZERO = 'Zero 1';

/** The servers, by the name that the results give them. */
export const SERVERS = {
  [RAW]: {module: 'subjects/raw-server.mjs', protocol: 'raw'},
  [OURS]: {module: 'subjects/our-server.mjs', protocol: 'live-entities'},
  [FEATHERS]: {
    module: 'peers/feathers-server.mjs',
    protocol: 'feathers',
  },
  'Feathers 5, a filtered channel': {
    module: 'peers/feathers-server.mjs',
    protocol: 'feathers',
    options: {filter: true},
  },
  [PARSE]: {module: 'peers/parse-server.mjs', protocol: 'parse'},
  'Directus 12': {
    module: 'peers/directus-server.mjs',
    protocol: 'directus',
    node: node22(),
    startsSlowly: true,
    // It reads the row again for each subscriber: a whole burst would take minutes.
    share: 0.1,
  },
  [ZERO]: {
    module: 'peers/zero-server.mjs',
    protocol: 'zero',
    node: node22(),
    startsSlowly: true,
    // Every client has pipelines of its own that each write goes through.
    share: 0.1,
  },
};
/** Those that run here, by name; a hasty run leaves out those that take long to start. */
export function namesOf(quick) {
  return Object.keys(SERVERS).filter(name => whyNot(name, quick) === undefined);
}

/** Why others are not among them. */
export function leftOutOf(quick) {
  return Object.keys(SERVERS).flatMap(name => {
    const reason = whyNot(name, quick);
    return reason === undefined ? [] : [`${name}: ${reason}`];
  });
}

/** Why a server does not take part, or undefined when it does. */
export function whyNot(name, quick) {
  const {node, startsSlowly} = SERVERS[name];
  if (node === null) return 'it needs Node.js 22, and npm has none for this machine';
  return quick && startsSlowly ? 'it takes long to start, too long for --quick' : undefined;
}

/**
 * Starts one of the servers on a database of its own.
 *
 * @param options what the server is told, besides where its database is
 */
export async function startLive(postgres, name, {options, clientOptions} = {}) {
  const {module, protocol, node, options: usual} = SERVERS[name];
  const database = await postgres.createDatabase(name);
  const server = await start(module, {node});
  const address = await server.call('open', database.url, {...usual, ...options});
  const clients = await start('clients/audience.mjs');
  await clients.call('open', {address, protocol, ...clientOptions});
  return {
    name,
    address,
    server,
    clients,
    database,
    async end() {
      await clients.end();
      await this.watcher?.end();
      await server.end();
      await database.drop();
    },
  };
}

const WATCHED = 20;

/** Adds a client as an application has it, which shows the newest rows of a category. */
export async function watch(live, category) {
  live.watcher = await start('clients/watcher.mjs');
  await live.watcher.call('open', live.address, category, WATCHED);
}

async function showsTheSame({watcher, database}, category) {
  const rows = await database.query(
    `SELECT id, name, category, qty, price FROM product
     WHERE category = $1 ORDER BY id DESC LIMIT ${WATCHED}`,
    [category],
  );
  return watcher.call('shows', rows);
}

/**
 * One round of a burst: every row created, seen by every listener, and in the table.
 *
 * @returns milliseconds from the first write to the last arrival, and of the CPU of the server and
 * of PostgreSQL; the messages in which the rows came
 */
export async function burst(live, ids, category, listeners) {
  const {server, clients, database, watcher} = live;
  await clients.call('expect', ids, category, listeners);
  await server.call('cpuMs');
  database.cpuMs();
  const began = await server.call('burst', ids, category);
  const {last, messages, correct: came} = await clients.call('arrived');
  const cpuMs = await server.call('cpuMs');
  const databaseCpuMs = database.cpuMs();
  const correct = came && (await areStored(database, ids, category)) &&
    (!watcher || (await showsTheSame(live, category)));
  return {wallMs: last - began, cpuMs, databaseCpuMs, messages, correct};
}

/** Whether the table has the rows as they were written; Parse has its own names for things. */
export async function areStored({query}, ids, category) {
  const [{parse}] = await query(`SELECT to_regclass('"Product"') IS NOT NULL AS parse`);
  const written = ids.map(each => productOf(each, category));
  const [{qty, price}] = written;
  const [table, id] = parse ? ['"Product"', '"objectId"'] : ['product', 'id'];
  const [{rows}] = await query(
    `SELECT count(*)::int AS rows FROM unnest($1::text[], $2::text[]) wanted (id, name)
     JOIN ${table} stored ON stored.${id} = wanted.id AND stored.name = wanted.name
     WHERE category = $3 AND qty = $4 AND price = $5`,
    [ids, written.map(({name}) => name), category, qty, price],
  );
  return rows === ids.length;
}
