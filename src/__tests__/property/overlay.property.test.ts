import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  acknowledged,
  began,
  caughtUp,
  noOverlay,
  refused,
  shown,
  type Overlay,
} from '../../client/optimistic';
import {sameJson} from '../../client/equal';
import type {PageState, Row} from '../../protocol/page';

/**
 * One row, written by the person and by others, whose answers and changes reach the client in any
 * interleaving: answers in their order, changes in theirs, several changes sometimes as one.
 */
describe('own writes laid over a live row', () => {
  it('end as the database has it, whatever came in which order', () => {
    fc.assert(
      fc.property(someVersioning(), someActions(), (versioning, actions) => {
        const world = new World(versioning);
        for (const action of actions) world.take(action);
        world.settle();
        assert.deepEqual(world.overlay, noOverlay);
        assert.deepEqual(world.page.rows, world.now === null ? [] : [world.now]);
      }),
      {numRuns: 2000},
    );
  });

  it('never show an older state of a versioned row than they did before', () => {
    fc.assert(
      fc.property(someActions(), actions => {
        const world = new World('each write');
        let reached = 0;
        const look = () => {
          // What the server has said to the writer is reached, too: nothing older may follow.
          reached = Math.max(reached, world.answeredUpTo);
          const row = world.answeredRow;
          const at = world.states.findIndex((state, i) => i >= reached && sameJson(state, row));
          assert.ok(at >= reached, `${JSON.stringify(row)} after ${reached} of ${world}`);
          reached = at;
        };
        for (const action of actions) {
          world.take(action);
          look();
        }
        world.settle(look);
      }),
      {numRuns: 2000},
    );
  });

  it('show each unanswered write at once', () => {
    fc.assert(
      fc.property(someVersioning(), someActions(), (versioning, actions) => {
        const world = new World(versioning);
        for (const action of actions) {
          world.take(action);
          if (action.do !== 'write' || world.page.rows.length === 0) continue;
          const row = world.shownRow;
          if (row && !action.same) assert.equal(row[action.field], world.lastValue);
        }
      }),
    );
  });
});

/** When the server gives a row a new version. */
type Versioning = 'each write' | 'never' | 'no versions';

function someVersioning(): fc.Arbitrary<Versioning> {
  return fc.constantFrom<Versioning>('each write', 'never', 'no versions');
}

type Action =
  | {readonly do: 'write'; readonly field: 'a' | 'b'; readonly same: boolean}
  | {readonly do: 'others write'; readonly field: 'a' | 'b'}
  | {readonly do: 'delete' | 'others delete' | 'others restore' | 'execute' | 'fail' | 'answer'}
  | {readonly do: 'deliver'; readonly count: number};

function someActions(): fc.Arbitrary<Action[]> {
  const field = fc.constantFrom('a' as const, 'b' as const);
  const action = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({do: fc.constant('write' as const), field, same: fc.boolean()}),
    },
    {weight: 2, arbitrary: fc.record({do: fc.constant('others write' as const), field})},
    {weight: 4, arbitrary: fc.constant({do: 'execute' as const})},
    {weight: 4, arbitrary: fc.constant({do: 'answer' as const})},
    {
      weight: 4,
      arbitrary: fc
        .integer({min: 1, max: 3})
        .map((count): Action => ({do: 'deliver', count})),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Action>(
        {do: 'delete'},
        {do: 'others delete'},
        {do: 'others restore'},
        {do: 'fail'},
      ),
    },
  );
  return fc.array(action, {maxLength: 40});
}

interface Asked {
  readonly id: number;
  readonly patch: Row | null;
  version: string | undefined;
}

type Answer = {readonly asked: Asked; readonly row?: Row | null; readonly at: number};

class World {
  overlay: Overlay = noOverlay;
  page: PageState;
  readonly states: (Row | null)[];
  lastValue = 0;
  private readonly changes: (Row | null)[] = [];
  private readonly queue: Asked[] = [];
  private answer: Answer | undefined;
  private lastId = 0;
  private lastVersion = 0;
  answeredUpTo = 0;

  constructor(private readonly versioning: Versioning) {
    const row = this.stamped({id: 'r', a: 0, b: 0});
    this.states = [row];
    this.page = pageWith(row);
  }

  get now(): Row | null {
    return this.states.at(-1)!;
  }

  get shownRow(): Row | undefined {
    return shown(this.page, this.overlay, () => true).rows[0];
  }

  /** What is shown, without the writes that the server has not answered. */
  get answeredRow(): Row | null {
    const answered = this.overlay.filter(({reply}) => reply !== undefined);
    return shown(this.page, answered, () => true).rows[0] ?? null;
  }

  take(action: Action): void {
    switch (action.do) {
      case 'write':
        return this.ask({
          [action.field]: action.same ? this.shownRow?.[action.field] : ++this.lastValue,
        });
      case 'delete':
        return this.ask(null);
      case 'others write':
        if (this.now) this.commit({...this.now, [action.field]: ++this.lastValue});
        return;
      case 'others delete':
        if (this.now) this.commit(null);
        return;
      case 'others restore':
        if (!this.now) this.commit({id: 'r', a: ++this.lastValue, b: ++this.lastValue});
        return;
      case 'execute':
        return this.execute();
      case 'fail':
        if (this.queue[0] && !this.answer) this.answer = {asked: this.queue[0], at: 0};
        return;
      case 'answer':
        return this.answered();
      case 'deliver':
        return this.deliver(action.count);
    }
  }

  settle(look: () => void = () => undefined): void {
    while (this.queue.length > 0 || this.changes.length > 0) {
      for (const action of ['execute', 'answer'] as const) {
        this.take({do: action});
        look();
      }
      this.deliver(1);
      look();
    }
  }

  toString(): string {
    return JSON.stringify(this.states);
  }

  private ask(patch: Row | null): void {
    const id = ++this.lastId;
    const version = this.shownRow?._version as string | undefined;
    this.overlay = began(this.overlay, {id, key: 'r', patch}, this.page);
    this.queue.push({id, patch, version: this.queue.length > 0 ? undefined : version});
  }

  /** The server takes the first write that it has not answered. */
  private execute(): void {
    const asked = this.queue[0];
    if (!asked || this.answer) return;
    const stale = this.versioning === 'each write' && asked.version !== this.now?._version;
    if (!this.now || stale) {
      this.answer = {asked, at: 0};
      return;
    }
    const row = this.commit(asked.patch && {...this.now, ...asked.patch});
    this.answer = {asked, row, at: this.states.length - 1};
  }

  private answered(): void {
    if (!this.answer) return;
    const {asked, row, at} = this.answer;
    this.answer = undefined;
    this.queue.shift();
    if (row !== undefined) this.answeredUpTo = at;
    const after = (row?._version as string | undefined) ?? asked.version;
    if (this.queue[0]) this.queue[0].version = after;
    this.overlay =
      row === undefined
        ? refused(this.overlay, asked.id)
        : acknowledged(this.overlay, asked.id, {row, basedOn: asked.version}, this.page);
  }

  private deliver(count: number): void {
    const [row] = this.changes.splice(0, count).slice(-1);
    if (row === undefined) return;
    this.page = pageWith(row);
    this.overlay = caughtUp(this.overlay, this.page);
  }

  private commit(row: Row | null): Row | null {
    const next = row && this.stamped(row);
    this.states.push(next);
    this.changes.push(next);
    return next;
  }

  private stamped(row: Row): Row {
    if (this.versioning === 'no versions') return row;
    if (this.versioning === 'each write') this.lastVersion++;
    return {...row, _version: `v${this.lastVersion}`};
  }
}

function pageWith(row: Row | null): PageState {
  const meta = {pageOffset: 0, pageSize: 1, isLastPage: true};
  return row ? {keys: ['r'], rows: [row], meta} : {keys: [], rows: [], meta};
}
