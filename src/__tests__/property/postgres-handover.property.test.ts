import assert from 'node:assert/strict';
import {Client} from 'pg';
import {imagesOf, type CommittedTransaction} from '../../core/change';
import type {FeedSink} from '../../core/ports';
import {EVERYTHING} from '../../core/query';
import {givenPostgres18} from '../support/databases';
import {givenLiveDatabase, type LiveDatabase} from '../support/live-database';

const ROUNDS = Number(process.env.HANDOVER_ROUNDS ?? 300);
const WRITERS = 4;
const READERS = 2;

const ALL = {
  entity: 'Product',
  condition: EVERYTHING,
  order: [{property: 'id', descending: false}],
} as const;

describe('the hand-over from a read to the feed', function () {
  this.timeout(120_000);
  let world: LiveDatabase;
  let history: History;

  before(async () => {
    world = await givenLiveDatabase(await givenPostgres18());
    history = new History();
    await world.live.feed.start(world.live.shapes, history);
  });
  after(() => world.drop());

  it('joins rows and transactions without a gap or a repetition, under any writes', async () => {
    const writing = {on: true};
    const writers = Array.from({length: WRITERS}, (_, i) => write(world, i, writing));
    let rounds = 0;
    const readers = Array.from({length: READERS}, async () => {
      while (rounds++ < ROUNDS) await readAndCompare(world, history);
    });
    await Promise.all(readers).finally(() => (writing.on = false));
    await Promise.all(writers);
    // And the feed itself has lost nothing: what it told adds up to what is there.
    const {mark} = await world.live.source.read(ALL, 1000, false);
    const {state} = await history.at(mark);
    const table = await world.products.find({order: ['id']});
    assert.deepEqual([...state.values()].sort(byId), JSON.parse(JSON.stringify(table)).sort(byId));
    assert.ok(history.transactions.length > ROUNDS, 'the writers hardly wrote');
  });
});

async function readAndCompare({live}: LiveDatabase, history: History): Promise<void> {
  const {rows, sees, mark} = await live.source.read(ALL, 1000, false);
  const {state: expected, count} = await history.at(mark);
  const state: State = new Map(rows.map(row => [row.key, row.values]));
  // Also those that were delivered before the read began: a transaction can reach us before new
  // snapshots show it.
  for (const transaction of history.transactions.slice(0, count)) {
    if (!sees(transaction.id)) apply(transaction, state);
  }
  assert.deepEqual(sorted(state), sorted(expected));
}

type State = Map<string, Readonly<Record<string, unknown>>>;

/** All that was delivered, and how things stood when each mark arrived. */
class History implements FeedSink {
  readonly transactions: CommittedTransaction[] = [];
  private readonly state: State = new Map();
  private readonly marked = new Map<string, {state: State; count: number}>();
  private waiting: (() => void)[] = [];

  committed(transaction: CommittedTransaction): void {
    this.transactions.push(transaction);
    apply(transaction, this.state);
    for (const mark of transaction.marks) {
      this.marked.set(mark, {state: new Map(this.state), count: this.transactions.length});
    }
    this.waiting.splice(0).forEach(wake => wake());
  }

  interrupted(error: Error): void {
    throw error;
  }

  resumed(): void {
    // Never interrupted.
  }

  async at(mark: string): Promise<{state: State; count: number}> {
    for (;;) {
      const found = this.marked.get(mark);
      if (found) return found;
      await new Promise<void>(wake => this.waiting.push(wake));
    }
  }
}

function apply({changes}: CommittedTransaction, state: State): void {
  for (const change of changes) {
    if (change.kind === 'truncate') throw new Error('nobody truncates here');
    const {before, after} = imagesOf(change);
    if (before && before.key !== after?.key) state.delete(before.key);
    if (after) state.set(after.key, after.values);
  }
}

/** Transactions of a few statements on a few rows, some of which are taken back. */
async function write(world: LiveDatabase, seed: number, writing: {on: boolean}): Promise<void> {
  const client = new Client(world.database.url);
  await client.connect();
  const random = randomFrom(seed + 1);
  while (writing.on) {
    await client.query('BEGIN');
    // In ascending order of rows, so that writers wait for one another but never for ever.
    const ids = Array.from({length: 1 + random(3)}, () => random(40)).sort((a, b) => a - b);
    for (const id of ids) await client.query(STATEMENTS[random(3)], [`row ${id}`, random(1000)]);
    await client.query(random(10) === 0 ? 'ROLLBACK' : 'COMMIT');
  }
  await client.end();
}

const STATEMENTS = [
  `INSERT INTO product (id, qty) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET qty = $2`,
  `UPDATE product SET qty = $2 WHERE id = $1`,
  `WITH qty AS (SELECT $2::int) DELETE FROM product WHERE id = $1`,
];

/** Small numbers, the same in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed * 2654435761;
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function sorted(state: State): [string, unknown][] {
  return [...state].sort(([a], [b]) => (a < b ? -1 : 1));
}

function byId(a: {id?: unknown}, b: {id?: unknown}): number {
  return String(a.id) < String(b.id) ? -1 : 1;
}
