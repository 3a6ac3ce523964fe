import assert from 'node:assert/strict';
import fc from 'fast-check';
import type {Change, RowImage} from '../../core/change';
import {LiveHub} from '../../core/hub';
import type {ViewQuery} from '../../core/query';
import type {EntityShape} from '../../core/shape';
import {resolveView} from '../../core/view';
import {applyOps} from '../../protocol/apply';
import type {DeltaMessage} from '../../protocol/messages';
import type {PageState} from '../../protocol/page';
import {ChanceDatabase} from '../support/chance-database';
import {pseudoRandom, type Random} from '../support/random';

const text = {kind: 'text', hidden: false, encrypted: false} as const;
const number = {kind: 'number', hidden: false, encrypted: false} as const;
const SHAPE: EntityShape = {
  name: 'Item', ids: ['id'], properties: {id: text, category: text, qty: number},
};

interface Item {
  readonly id: string;
  readonly category: string | null;
  readonly qty: number;
}
type State = ReadonlyMap<string, Item>;

/** A view in the package's words, and in words that share nothing with it. */
interface View {
  readonly where: object;
  readonly order: string[];
  readonly offset: number;
  readonly size: number;
  matches(item: Item): boolean;
  compare(a: Item, b: Item): number;
}

const byId = (a: Item, b: Item) => (a.id < b.id ? -1 : Number(a.id > b.id));
const byQty = (a: Item, b: Item) => a.qty - b.qty || byId(a, b);
const qtyDown = (a: Item, b: Item) => b.qty - a.qty || byId(a, b);

const VIEWS: readonly View[] = [
  ...['a', 'b', 'c'].map((category): View => ({
    where: {category}, order: ['qty ASC'], offset: 0, size: 3,
    matches: item => item.category === category, compare: byQty,
  })),
  {
    where: {qty: {between: [3, 6]}}, order: ['qty DESC'], offset: 2, size: 3,
    matches: ({qty}) => qty >= 3 && qty <= 6, compare: qtyDown,
  },
  {
    where: {category: {inq: ['a', 'c']}, qty: {gt: 2}}, order: [], offset: 1, size: 4,
    matches: ({category, qty}) => (category === 'a' || category === 'c') && qty > 2,
    compare: byId,
  },
  {
    where: {or: [{category: 'b'}, {qty: 5}]}, order: ['qty ASC'], offset: 0, size: 20,
    matches: ({category, qty}) => category === 'b' || qty === 5, compare: byQty,
  },
  {
    where: {category: {neq: 'b'}}, order: ['qty DESC'], offset: 0, size: 5,
    matches: ({category}) => category !== null && category !== 'b', compare: qtyDown,
  },
  {where: {category: null}, order: [], offset: 0, size: 5,
    matches: ({category}) => category === null, compare: byId},
  {where: {}, order: ['qty ASC'], offset: 4, size: 4, matches: () => true, compare: byQty},
];

describe('pages of several views of one table', function () {
  this.timeout(120_000);

  it('are right after each message, whatever one transaction does to a row', async () => {
    await fc.assert(fc.asyncProperty(fc.integer(), async seed => {
      const world = new World(pseudoRandom(seed));
      for (let i = 0; i < 8; i++) world.write();
      for (const view of VIEWS) await world.open(view);
      for (let i = 0; i < 120; i++) await world.step();
      await world.settle();
    }), {numRuns: Number(process.env.FC_RUNS ?? 150)});
  });
});

/** A database, and those who watch. */
class World {
  private readonly database: ChanceDatabase<State>;
  private readonly watched = new Map<string, {view: View; page: PageState; at: number}>();
  private readonly hub: LiveHub;
  private readonly commit = () => this.write();

  constructor(private readonly random: Random) {
    this.database = new ChanceDatabase<State>(random, new Map(), {commits: 2, deliveries: 5});
    this.hub = new LiveHub({
      shapes: new Map([['Item', SHAPE]]),
      source: {
        read: (query, limit) => {
          const asked = JSON.stringify(query);
          const view = VIEWS.find(each => JSON.stringify(queryOf(each)) === asked)!;
          return this.database.read(limit, state => select(view, state).map(imageOf));
        },
        judge: async () => assert.fail('there is nothing that Node cannot decide'),
      },
      publisher: {publish: delta => this.follow(delta)},
      logger: {warn: message => assert.fail(message)},
      cacheDuration: 0,
      resumeRing: 10,
    });
    this.hub.start();
  }

  async open(view: View): Promise<void> {
    const member = {join: () => undefined, leave: () => undefined, end: () => undefined};
    const subscribed = this.hub.subscribe(member, {
      query: queryOf(view),
      span: {base: 0, cap: Number.MAX_SAFE_INTEGER, offset: view.offset, size: view.size},
      counts: true,
      fields: undefined,
      audience: {key: 'all', isPrivate: false, render: row => row.values},
    }).then(reply => {
      assert.ok(reply.kind === 'snapshot');
      const {channel, keys, rows, meta} = reply.snapshot;
      this.watched.set(channel, {view, page: {keys, rows, meta}, at: 0});
      this.check(channel);
    });
    const before = this.watched.size;
    await this.database.stepUntil(() => this.watched.size > before, this.hub, this.commit);
    await subscribed;
  }

  step(): Promise<void> {
    return this.database.step(this.hub, this.commit);
  }

  async settle(): Promise<void> {
    await this.database.settle(this.hub);
    for (const {view, page} of this.watched.values()) {
      assert.deepEqual(shownBy(page), pageOf(view, this.database.now));
    }
    this.hub.close();
  }

  /** One transaction. */
  write(): void {
    const rows = new Map(this.database.now);
    const changes: Change[] = [];
    if (this.random.chance(0.03)) {
      rows.clear();
      changes.push({kind: 'truncate', entity: 'Item'});
    }
    for (let i = 1 + this.random.below(6); i > 0; i--) {
      const change = this.statement(rows);
      if (change) changes.push(change);
    }
    this.database.committed(rows, changes);
  }

  /** One statement: few rows, so that a transaction comes back to them, under other keys, too. */
  private statement(rows: Map<string, Item>): Change | undefined {
    const {random} = this;
    const id = `k${random.below(12)}`;
    const before = rows.get(id);
    if (before && random.chance(0.25)) {
      rows.delete(id);
      return {kind: 'delete', entity: 'Item', before: imageOf(before)};
    }
    const key = before && random.chance(0.2) ? `k${random.below(12)}` : id;
    if (key !== id && rows.has(key)) return undefined;
    const category = ['a', 'b', 'c', null][random.below(4)];
    const item = {id: key, category, qty: random.below(8)};
    rows.delete(id);
    rows.set(key, item);
    return before
      ? {kind: 'update', entity: 'Item', before: imageOf(before), after: imageOf(item)}
      : {kind: 'insert', entity: 'Item', after: imageOf(item)};
  }

  private follow({channel, ops, meta}: DeltaMessage): void {
    const watched = this.watched.get(channel);
    if (!watched) return;
    watched.page = applyOps(watched.page, ops, meta);
    this.check(channel);
  }

  /** The page is the view's after some commit, and none before the one it has shown. */
  private check(channel: string): void {
    const watched = this.watched.get(channel)!;
    const shown = JSON.stringify(shownBy(watched.page));
    const found = this.database.history.findIndex((state, i) =>
      i >= watched.at && shown === JSON.stringify(pageOf(watched.view, state)));
    const where = JSON.stringify(watched.view.where);
    assert.ok(found >= 0, `${where} never was ${shown} since commit ${watched.at}`);
    watched.at = found;
  }
}

function queryOf({where, order}: View): ViewQuery {
  return resolveView(SHAPE, {transform: () => ({where, order})}, {}, undefined, new Date()).query;
}

function select(view: View, state: State): Item[] {
  return [...state.values()].filter(view.matches).sort(view.compare);
}

function pageOf(view: View, state: State): object {
  const all = select(view, state);
  const end = view.offset + view.size;
  return {rows: all.slice(view.offset, end), count: all.length, isLastPage: all.length <= end};
}

function shownBy({rows, meta: {count, isLastPage}}: PageState): object {
  return {rows: rows.map(({id, category, qty}) => ({id, category, qty})), count, isLastPage};
}

function imageOf(item: Item): RowImage {
  const {id, category, qty} = item;
  return {key: id, values: {...item}, raw: {id, category, qty: String(qty)}};
}
