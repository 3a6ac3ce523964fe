import assert from 'node:assert/strict';
import fc from 'fast-check';
import type {Change, CommittedTransaction, RowImage} from '../../core/change';
import {LiveHub, type Member} from '../../core/hub';
import {refereeFor} from '../../core/match';
import type {RowSource} from '../../core/ports';
import type {ViewQuery} from '../../core/query';
import type {EntityShape} from '../../core/shape';
import {resolveView} from '../../core/view';
import {applyOps} from '../../protocol/apply';
import type {PageState, Row} from '../../protocol/page';
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
      for (let i = 0; i < 12; i++) world.commit();
      await world.open();
      for (let i = 0; i < 150; i++) await world.step();
      await world.settle();
    }), {numRuns: Number(process.env.FC_RUNS ?? 300)});
  });
});

/** A database whose commits, snapshots and feed are moved by chance, and one who watches a page. */
class World {
  private state: State = new Map();
  private readonly history: State[] = [this.state];
  private readonly log: CommittedTransaction[] = [];
  private readonly inFlight: (() => void)[] = [];
  private delivered = 0;
  private page: PageState | undefined;
  private at = 0;
  private marks = 0;
  private readonly hub: LiveHub;

  constructor(private readonly random: Random) {
    const source: RowSource = {
      read: (query, limit) => this.read(query, limit),
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
    for (let steps = 0; !this.page; steps++) {
      assert.ok(steps < 2000, 'there is never a page');
      await this.step();
    }
    await subscribed;
  }

  /** Something happens: a commit, a delivery, the answer to a read. */
  async step(): Promise<void> {
    const what = this.random.below(10);
    if (what === 0) this.commit();
    else if (what < 6) this.deliver();
    else this.inFlight.splice(this.random.below(this.inFlight.length || 1), 1)[0]?.();
    for (let i = 0; i < 30; i++) await Promise.resolve();
  }

  /** Everything is delivered and answered. */
  async settle(): Promise<void> {
    for (let [quiet, rounds] = [0, 0]; quiet < 5; quiet++) {
      assert.ok(++rounds < 500, 'it never comes to rest');
      if (this.delivered < this.log.length || this.inFlight.length > 0) quiet = 0;
      this.deliver();
      this.inFlight.shift()?.();
      for (let i = 0; i < 30; i++) await Promise.resolve();
    }
    assert.deepEqual(plain(this.page!), plainView(this.state));
    this.hub.close();
  }

  commit(): void {
    const changes: Change[] = [];
    const next = new Map(this.state);
    for (let i = 1 + this.random.below(3); i > 0; i--) {
      const change = this.write(next);
      if (change) changes.push(change);
    }
    if (this.random.chance(0.02)) changes.push(...this.empty(next, 'Item'));
    this.state = next;
    this.history.push(next);
    this.log.push({id: this.history.length - 1, changes, marks: []});
  }

  private write(rows: Map<string, RowImage>): Change | undefined {
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

  private deliver(): void {
    const transaction = this.log[this.delivered];
    if (!transaction) return;
    this.delivered++;
    this.hub.committed(transaction);
  }

  /** A snapshot can be behind what was delivered; its mark comes after all that it sees. */
  private async read(query: ViewQuery, limit: number) {
    const last = this.history.length - 1;
    const seen = Math.max(0, last - (this.random.chance(0.5) ? 0 : this.random.below(3)));
    const rows = select(this.history[seen], query).slice(0, limit);
    const mark = `mark ${++this.marks}`;
    this.log.push({id: 1_000_000 + this.marks, changes: [], marks: [mark]});
    await new Promise<void>(resolve => this.inFlight.push(resolve));
    return {rows, sees: (id: number) => id <= seen, mark};
  }

  private show(page: PageState): void {
    this.page = {keys: page.keys, rows: page.rows, meta: page.meta};
    const found = this.history.findIndex((state, i) =>
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

