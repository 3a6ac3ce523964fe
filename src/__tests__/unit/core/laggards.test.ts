import assert from 'node:assert/strict';
import fc from 'fast-check';
import {diffPages} from '../../../core/diff';
import {Laggards, type Outlet, type Position} from '../../../core/laggards';
import {initialState, step, type SubscriptionState} from '../../../client/subscription';
import {hashOfPage} from '../../../protocol/page-hash';
import type {DeltaMessage} from '../../../protocol/messages';
import type {PageState} from '../../../protocol/page';

const META = {pageOffset: 0, pageSize: 10, isLastPage: true};

type Event = 'write' | 'stall' | 'drain';

describe('a reader that is behind', () => {
  it('ends with the page that the others have, whenever it stalls and goes on', () => {
    const events = fc.array(fc.constantFrom<Event>('write', 'write', 'stall', 'drain'), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(events, fc.infiniteStream(somePage()), (story, pages) => {
        const room = new Room();
        const reader = room.enter();
        for (const event of story) {
          if (event === 'write') room.show(pages.next().value);
          else if (event === 'stall') reader.isSlow = true;
          else reader.drain();
        }
        reader.drain();
        assert.deepEqual(reader.page, room.now.page);
        assert.equal(reader.state.phase, 'live', 'it never had to ask anew');
        assert.equal(reader.state.held!.seq, room.now.seq);
      }),
      {numRuns: 500},
    );
  });

  it('is sent one message for all that it has missed', () => {
    const room = new Room();
    const reader = room.enter();
    reader.isSlow = true;
    for (let n = 1; n <= 1000; n++) room.show(pageOf([`row ${n}`]));
    assert.equal(reader.received, 0);
    assert.equal(room.laggards.size, 1);
    reader.drain();
    assert.equal(reader.received, 1);
    assert.deepEqual(reader.page.keys, ['row 1000']);
    assert.equal(room.laggards.size, 0);
  });

  it('is sent nothing when the page is by then what it was', () => {
    const room = new Room();
    const reader = room.enter();
    reader.isSlow = true;
    room.show(pageOf(['a']));
    room.laggards.forget(reader);
    reader.drain();
    assert.equal(reader.received, 0);
  });
});

/** A channel with its laggards, without a hub. */
class Room {
  now: Position = {seq: 0, page: pageOf([])};
  readonly members = new Set<Reader>();
  readonly laggards = new Laggards<Reader>('c', ({seq, page}) =>
    seq === this.now.seq ? undefined : {...this.step(page), from: seq});

  enter(): Reader {
    const reader = new Reader(this.now);
    this.members.add(reader);
    return reader;
  }

  show(page: PageState): void {
    const before = this.now;
    this.now = {seq: before.seq + 1, page};
    this.laggards.part(this.members, before);
    for (const each of this.members) if (each.isInRoom) each.receive(this.step(before.page));
  }

  private step(from: PageState): DeltaMessage {
    const {seq, page} = this.now;
    const hash = hashOfPage(page.keys, page.rows);
    return {channel: 'c', seq, ops: diffPages(from, page), meta: page.meta, hash};
  }
}

/** A client's own machine behind a connection that can stall. */
class Reader {
  isSlow = false;
  isInRoom = true;
  received = 0;
  state: SubscriptionState;
  private callbacks: (() => void)[] = [];
  readonly outlet: Outlet = {
    isBehind: () => this.isSlow,
    whenDrained: callback => void this.callbacks.push(callback),
    pause: () => (this.isInRoom = false),
    resume: (_, missed) => {
      if (missed) this.receive(missed);
      this.isInRoom = true;
    },
  };

  constructor({seq, page}: Position) {
    const snapshot = {channel: 'c', epoch: 'e', seq, ...page};
    const asked = step(initialState, {type: 'connected'}).state;
    const reply = {kind: 'snapshot', snapshot} as const;
    this.state = step(asked, {type: 'accepted', attempt: 1, reply}).state;
  }

  get page(): PageState {
    return this.state.held!.page;
  }

  receive(message: DeltaMessage): void {
    this.received++;
    this.state = step(this.state, {type: 'delta', message}).state;
  }

  drain(): void {
    this.isSlow = false;
    for (const callback of this.callbacks.splice(0)) callback();
  }
}

function pageOf(keys: readonly string[], version = 1): PageState {
  return {keys, rows: keys.map(id => ({id, _version: String(version)})), meta: META};
}

function somePage(): fc.Arbitrary<PageState> {
  const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), {maxLength: 5});
  return fc.tuple(keys, fc.nat(3)).map(([each, version]) => pageOf(each, version));
}
