import assert from 'node:assert/strict';
import type {Change, RowImage} from '../../../core/change';
import {LiveHub, type Subscription} from '../../../core/hub';
import type {EntityShape} from '../../../core/shape';
import {Slices} from '../../../core/slices';
import type {DeltaMessage} from '../../../protocol/messages';

const TEXT = {kind: 'text', hidden: false, encrypted: false} as const;
const SHAPE: EntityShape = {
  name: 'Item', ids: ['id'], properties: {id: TEXT, category: TEXT},
};
const WINDOWS = 200;
const CHANGES = 10_000;

describe('a large transaction', () => {
  it('is looked at by each window as far as it may touch it', async () => {
    const {hub} = await givenWindows();
    let looks = 0;
    const changes = Array.from({length: CHANGES}, (_, i): Change => {
      const values = {id: name(i), category: `c${i % WINDOWS}`};
      const after = {key: values.id, raw: values, get values() { return looks++, values; }};
      return {kind: 'insert', entity: 'Item', after};
    });
    hub.committed({id: 1000, changes, marks: []});
    await turnsOfAll();
    const each = looks / CHANGES;
    // Of each window it would be more than one for a change.
    assert.ok(each < WINDOWS / 4, `${each.toFixed(1)} looks at a change`);
    hub.close();
  });

  it('arrives whole and in order, with what comes right behind it', async () => {
    const {hub, pages} = await givenWindows();
    hub.committed({id: 1000, marks: [], changes: Array.from({length: CHANGES}, (_, i) =>
      inserted(name(i), `c${i % WINDOWS}`))});
    hub.committed({id: 1001, marks: [], changes: [
      {kind: 'delete', entity: 'Item', before: image(name(0), 'c0')},
      {kind: 'update', entity: 'Item', before: image(name(1), 'c1'), after: image(name(1), 'c0')},
    ]});
    await turnsOfAll();
    for (let window = 0; window < WINDOWS; window++) {
      const all = Array.from({length: CHANGES / WINDOWS}, (_, i) => name(window + i * WINDOWS));
      if (window === 0) all.splice(0, 1, name(1));
      if (window === 1) all.shift();
      assert.deepEqual(pages.get(`c${window}`), all.slice(0, 10), `c${window}`);
    }
    hub.close();
  });

  it('of rows of one view does not make the view hold them all', async () => {
    const {hub, pages} = await givenWindows();
    const changes = Array.from({length: CHANGES}, (_, i) =>
      inserted(name((i * 7919) % CHANGES), 'c5'));
    hub.committed({id: 1000, changes, marks: []});
    await turnsOfAll();
    assert.deepEqual(pages.get('c5'), Array.from({length: 10}, (_, i) => name(i)));
    assert.ok(hub.counters.rows < 100, `${hub.counters.rows} rows`);
    hub.close();
  });
});

describe('jobs in slices', () => {
  it('are all done in order, and others have their turn in between', async () => {
    let time = 0;
    const done: string[] = [];
    const slices = new Slices(() => time);
    const finished = new Promise<void>(resolve => {
      for (let i = 0; i < 6; i++) {
        slices.add(() => {
          time += 6;
          done.push(`job ${i}`);
          if (i === 1) setImmediate(() => done.push('other'));
          if (i === 2) slices.add(() => (done.push('added'), resolve()));
          if (i === 5) assert.ok(done.includes('other'), 'between the jobs');
        });
      }
    });
    await finished;
    const others = done.splice(done.indexOf('other'), 1);
    assert.deepEqual(others, ['other']);
    assert.deepEqual(done, ['job 0', 'job 1', 'job 2', 'job 3', 'job 4', 'job 5', 'added']);
    assert.equal(slices.size, 0);
  });
});

/** Pages of as many categories, as those who watch see them. */
async function givenWindows() {
  const pages = new Map<string, string[]>();
  let marks = 0;
  const hub: LiveHub = new LiveHub({
    shapes: new Map([['Item', SHAPE]]),
    source: {
      read: async () => {
        const mark = `mark ${++marks}`;
        setImmediate(() => hub.committed({id: marks, changes: [], marks: [mark]}));
        return {rows: [], sees: id => id < 1000, mark};
      },
      judge: async () => [],
    },
    publisher: {publish: delta => follow(pages.get(categories.get(delta.channel)!)!, delta)},
    logger: {warn: message => assert.fail(message)},
    cacheDuration: 0,
    resumeRing: 10,
  });
  const categories = new Map<string, string>();
  hub.start();
  for (let i = 0; i < WINDOWS; i++) {
    const category = `c${i}`;
    const member = {join: () => undefined, leave: () => undefined, end: () => undefined};
    const reply = await hub.subscribe(member, pageOf(category));
    assert.ok(reply.kind === 'snapshot');
    categories.set(reply.snapshot.channel, category);
    pages.set(category, []);
  }
  return {hub, pages};
}

function pageOf(category: string): Subscription {
  return {
    query: {
      entity: 'Item',
      condition: {kind: 'compare', property: 'category', operator: 'eq', value: category},
      order: [{property: 'id', descending: false}],
    },
    span: {base: 0, cap: 1000, offset: 0, size: 10},
    counts: false,
    fields: undefined,
    audience: {key: 'all', isPrivate: false, render: row => row.values},
  };
}

function follow(page: string[], {ops}: DeltaMessage): void {
  for (const op of ops) {
    if (op.op === 'patch') continue;
    if (op.op !== 'insert') page.splice(page.indexOf(op.key), 1);
    if (op.op !== 'remove') page.splice(op.at, 0, op.key);
  }
}

function inserted(id: string, category: string): Change {
  return {kind: 'insert', entity: 'Item', after: image(id, category)};
}

function image(id: string, category: string): RowImage {
  return {key: id, values: {id, category}, raw: {id, category}};
}

function name(number: number): string {
  return `n${String(number).padStart(6, '0')}`;
}

async function turnsOfAll(): Promise<void> {
  for (let i = 0; i < 300; i++) await new Promise(resolve => setImmediate(resolve));
}
