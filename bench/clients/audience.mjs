/**
 * The clients of one subject, in a process of their own. They note which of the expected rows
 * reach which listener, and when; each is to arrive once, and to be the row that was written.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {isProduct} from '../harness/products.mjs';
import {now, serve} from '../harness/subject.mjs';
import {PROTOCOLS} from './protocols.mjs';

const RECONNECT_SPREAD_MS = 500;
const ATTEMPTS = 10;

let protocol;
let listeners = [];
let round;
let address;

serve({
  open(options) {
    ({address} = options);
    protocol = {...PROTOCOLS[options.protocol], options};
  },

  /**
   * Opens connections, each joining categories one after the other.
   *
   * @param plan for each connection, what it joins
   */
  async join(plan, atOnce = 20) {
    const queue = plan.map((categories, i) => ({categories, i: listeners.length + i}));
    const workers = Array.from({length: atOnce}, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        await connect(next.categories, next.i);
      }
    });
    await Promise.all(workers);
  },

  /**
   * Cuts every connection, and connects all again where they were: spread over half a second, as
   * the client of Socket.IO does it, and again when the server does not take them.
   */
  async reconnect() {
    const before = listeners;
    for (const {listener} of before) listener.end();
    listeners = [];
    const started = now();
    const resumed = await Promise.all(before.map(async ({categories, places}, i) => {
      await sleep((i / before.length) * RECONNECT_SPREAD_MS);
      for (let attempt = 1; ; attempt++) {
        try {
          return await connect(categories, i, places);
        } catch (error) {
          if (attempt === ATTEMPTS) throw error;
          await sleep(RECONNECT_SPREAD_MS);
        }
      }
    }));
    return {wallMs: now() - started, resumed: resumed.flat().filter(Boolean).length};
  },

  /** Begins a round: these rows of a category are to reach the first so many listeners, or all. */
  expect(ids, category, count = listeners.length) {
    const places = new Map(ids.map((id, i) => [id, i]));
    const times = new Float64Array(count * ids.length);
    let settle;
    const complete = new Promise(resolve => (settle = resolve));
    const tally = {missing: times.length, twice: 0, wrong: 0, messages: 0, last: 0};
    round = {places, times, count, category, ...tally, settle, complete};
    if (times.length === 0) settle();
  },

  /**
   * Waits until every row has reached every listener.
   *
   * @returns when the last one came; `correct`, when each came once and as it was written; in how
   * many messages; with `times`, when each came, listener by listener
   */
  async arrived({timeoutMs = 60_000, times = false} = {}) {
    let timer;
    const patience = new Promise(resolve => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([round.complete, patience]);
    clearTimeout(timer);
    const {last, missing, twice, wrong, messages} = round;
    const correct = missing === 0 && twice === 0 && wrong === 0;
    return {last, correct, messages, times: times ? round.times : undefined};
  },

  end() {
    for (const {listener} of listeners) listener.end();
    listeners = [];
  },
});

async function connect(categories, index, places = []) {
  const listener = await protocol.connect(address, protocol.options);
  listener.texts(text => heard(index, text));
  const joined = [];
  for (const [i, category] of categories.entries()) {
    joined.push(await listener.join(category, places[i]));
  }
  listeners[index] = {listener, categories, places: joined.map(each => each?.resume)};
  return joined.map(each => each?.resumed);
}

let lastText = '';
let lastRows = [];

function heard(index, text) {
  if (!round || index >= round.count) return;
  const time = now();
  // A room's message is the same text for all: it is read once, and compared for the others.
  if (text !== lastText) {
    lastRows = expectedIn(text);
    lastText = text;
  }
  if (lastRows.length > 0) round.messages++;
  for (const {place, isRight} of lastRows) {
    if (!isRight) round.wrong++;
    const at = index * round.places.size + place;
    if (round.times[at] !== 0) round.twice++;
    else if (--round.missing === 0) round.settle();
    round.times[at] = time;
    round.last = time;
  }
}

/** The rows of a message that the round waits for. */
function expectedIn(text) {
  return protocol.rowsIn(text).flatMap(row => {
    const place = round.places.get(row.id);
    return place === undefined ? [] : [{place, isRight: isProduct(row, round.category)}];
  });
}
