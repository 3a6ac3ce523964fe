import assert from 'node:assert/strict';
import fc from 'fast-check';
import type {Change, RowImage} from '../../core/change';
import {LiveHub, type Member} from '../../core/hub';
import {refereeFor} from '../../core/match';
import type {RowSource} from '../../core/ports';
import type {ViewQuery} from '../../core/query';
import type {EntityShape} from '../../core/shape';
import {resolveView} from '../../core/view';
import {applyOps} from '../../protocol/apply';
import type {PageState, Row} from '../../protocol/page';
import {ChanceDatabase} from '../support/chance-database';
import {pseudoRandom, type Random} from '../support/random';

const text = {kind: 'text', hidden: false, encrypted: false} as const;
const flag = {kind: 'boolean', hidden: false, encrypted: false} as const;
const NOTE: EntityShape = {
  name: 'Note', ids: ['id'], properties: {id: text, itemId: text},
};
const ITEM: EntityShape = {
  name: 'Item', ids: ['id'], deletedFlag: 'gone',
  properties: {id: text, orderId: text, name: text, gone: flag},
  relations: {notes: {kind: 'many', from: 'id', to: 'itemId', target: () => NOTE}},
};
const ORDER: EntityShape = {
  name: 'Order', ids: ['id'], properties: {id: text, name: text, buyerId: text},
  relations: {
    items: {kind: 'many', from: 'id', to: 'orderId', target: () => ITEM},
    buyer: {kind: 'one', from: 'buyerId', to: 'id', target: () => BUYER},
  },
};
const BUYER: EntityShape = {name: 'Buyer', ids: ['id'], properties: {id: text, name: text}};
const SHAPES = new Map([ORDER, ITEM, BUYER, NOTE].map(shape => [shape.name, shape]));

const {query: QUERY} = resolveView(ORDER, {
  transform: () => ({
    where: {name: {neq: 'x'}},
    order: 'name DESC',
    include: ['buyer', {
      relation: 'items',
      scope: {where: {name: {neq: 'hidden'}}, order: 'name ASC', include: ['notes']},
    }],
  }),
}, {}, undefined, new Date());
const PAGE = 3;

/** All rows of all tables after one commit, by entity and key. */
type State = ReadonlyMap<string, RowImage>;

describe('a page with related rows', function () {
  this.timeout(120_000);

  it('is the view at some commit after each message, and at the last one in the end', async () => {
    await fc.assert(fc.asyncProperty(fc.integer(), async seed => {
      const world = new World(pseudoRandom(seed));
      for (let i = 0; i < 12; i++) world.write();
      await world.open();
      for (let i = 0; i < 150; i++) await world.step();
      await world.settle();
    }), {numRuns: Number(process.env.FC_RUNS ?? 300)});
  });
});

/** A database, and one who watches a page. */
class World {
  private readonly database: ChanceDatabase<State>;
  private page: PageState | undefined;
  private at = 0;
  private readonly hub: LiveHub;
  private readonly commit = () => this.write();

  constructor(private readonly random: Random) {
    this.database = new ChanceDatabase<State>(random, new Map(), {commits: 1, deliveries: 5});
    const source: RowSource = {
      read: (query, limit) => this.database.read(limit, state => select(state, query)),
      judge: async () => assert.fail('there is nothing that Node cannot decide'),
    };
    this.hub = new LiveHub({
      shapes: SHAPES,
      source,
      publisher: {
        publish: ({ops, meta}) => {
          if (this.page) this.show(applyOps(this.page, ops, meta));
        },
      },
      logger: {warn: message => assert.fail(message)},
      cacheDuration: 0,
      resumeRing: 10,
    });
    this.hub.start();
  }

  async open(): Promise<void> {
    const member: Member = {join: () => undefined, leave: () => undefined, end: () => undefined};
    const subscribed = this.hub.subscribe(member, {
      query: QUERY,
      span: {base: 0, cap: Infinity, offset: 0, size: PAGE},
      counts: false,
      fields: undefined,
      audience: {key: 'all', isPrivate: false, render: rendered},
    }).then(reply => {
      assert.ok(reply.kind === 'snapshot');
      this.show(reply.snapshot);
    });
    await this.database.stepUntil(() => this.page !== undefined, this.hub, this.commit);
    await subscribed;
  }

  step(): Promise<void> {
    return this.database.step(this.hub, this.commit);
  }

  async settle(): Promise<void> {
    await this.database.settle(this.hub);
    assert.deepEqual(plain(this.page!), plainView(this.database.now));
    this.hub.close();
  }

  /** One transaction. */
  write(): void {
    const changes: Change[] = [];
    const next = new Map(this.database.now);
    for (let i = 1 + this.random.below(3); i > 0; i--) {
      const change = this.statement(next);
      if (change) changes.push(change);
    }
    if (this.random.chance(0.02)) changes.push(...this.empty(next, 'Item'));
    this.database.committed(next, changes);
  }

  private statement(rows: Map<string, RowImage>): Change | undefined {
    const entity = ['Order', 'Item', 'Item', 'Buyer', 'Note'][this.random.below(5)];
    const id = `${entity[0]}${this.random.below(entity === 'Order' ? 7 : 9)}`;
    const name = `${entity} ${id}`;
    const before = rows.get(name);
    if (before && this.random.chance(0.3)) {
      rows.delete(name);
      return {kind: 'delete', entity, before};
    }
    const after = image(this.values(entity, id));
    rows.set(name, after);
    return before
      ? {kind: 'update', entity, before, after}
      : {kind: 'insert', entity, after};
  }

  private values(entity: string, id: string): Row {
    const {random} = this;
    const ref = (prefix: string, most: number) =>
      random.chance(0.15) ? null : `${prefix}${random.below(most)}`;
    const name = ['a', 'b', 'c', 'x', 'hidden'][random.below(5)];
    switch (entity) {
      case 'Order':
        return {id, name, buyerId: ref('B', 9)};
      case 'Item':
        return {id, name, orderId: ref('O', 7), gone: random.chance(0.2)};
      case 'Buyer':
        return {id, name};
      default:
        return {id, itemId: ref('I', 9)};
    }
  }

  private empty(rows: Map<string, RowImage>, entity: string): Change[] {
    for (const name of rows.keys()) if (name.startsWith(`${entity} `)) rows.delete(name);
    return [{kind: 'truncate', entity}];
  }

  private show(page: PageState): void {
    this.page = {keys: page.keys, rows: page.rows, meta: page.meta};
    const found = this.database.history.findIndex((state, i) =>
      i >= this.at && same(plain(this.page!), plainView(state)));
    assert.ok(found >= 0, `never so since commit ${this.at}: ${JSON.stringify(page.rows)}`);
    this.at = found;
  }
}

/** The oracle: joins by looking at everything. */
function plainView(state: State): Row[] {
  return select(state, QUERY).slice(0, PAGE).map(row => joined(row, QUERY, state));
}

function joined(row: RowImage, query: ViewQuery, state: State): Row {
  const values: Record<string, unknown> = {...row.values};
  for (const {relation, from, to, query: inner} of query.includes ?? []) {
    values[relation] = select(state, inner)
      .filter(each => each.values[to] !== null && each.values[to] === row.values[from])
      .map(each => joined(each, inner, state));
  }
  return values;
}

function select(state: State, query: ViewQuery): RowImage[] {
  const referee = refereeFor(query, SHAPES.get(query.entity)!);
  return [...state]
    .filter(([name, row]) => name.startsWith(`${query.entity} `) && referee.matches(row) === true)
    .map(([, row]) => row)
    .sort((a, b) => Number(referee.compare(a, b)));
}

function rendered(row: RowImage): Row {
  const related = Object.entries(row.related ?? {}).map(([name, rows]) =>
    [name, rows.map(rendered)]);
  return {...row.values, ...Object.fromEntries(related)};
}

function plain({rows}: PageState): readonly Row[] {
  return rows;
}

function same(a: unknown, b: unknown): boolean {
  return sorted(a) === sorted(b);
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    each && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([x], [y]) => (x < y ? -1 : 1)))
      : each);
}

function image(values: Row): RowImage {
  const raw = Object.entries(values).map(([name, value]) =>
    [name, value === null ? null : String(value)]);
  return {key: String(values.id), values, raw: Object.fromEntries(raw)};
}

