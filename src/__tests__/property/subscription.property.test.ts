import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  initialState,
  step,
  type Phase,
  type SubscriptionEffect,
  type SubscriptionEvent,
  type SubscriptionState,
} from '../../client/subscription';
import {diffPages} from '../../core/diff';
import type {DeltaMessage, PageSnapshot, SubscribeReply} from '../../protocol/messages';
import type {PageState, Row} from '../../protocol/page';

const META = {pageOffset: 0, pageSize: 10, isLastPage: true};
const ERROR = {code: 'SUBSCRIPTION_ENDED', message: 'no more', statusCode: 403};

describe('a subscription', () => {
  it('shows states of the page in their order, none twice, and the last one in the end', () => {
    fc.assert(
      fc.property(fc.array(someIncident(), {maxLength: 40}), incidents => {
        const wire = new Wire();
        for (const incident of incidents) wire.happens(incident);
        wire.settle();
        assert.equal(wire.state.phase, 'live');
        assert.deepEqual(wire.state.held!.page, wire.page);
      }),
      {numRuns: 2000},
    );
  });

  it('has an answer to every event in every state', () => {
    fc.assert(
      fc.property(fc.array(someEvent(), {maxLength: 20}), events => {
        let state = initialState;
        for (const event of events) {
          const before = state;
          state = step(state, event).state;
          assert.ok(!(before.phase === 'closed' && state.phase !== 'closed'));
          assert.ok(!(['live', 'lost', 'resuming'] as Phase[]).includes(state.phase) || state.held);
          assert.ok(state.attempt >= before.attempt);
        }
      }),
      {numRuns: 2000},
    );
  });
});

type Ordinary = 'commit' | 'deliver' | 'connect' | 'disconnect';
type Incident = Ordinary | 'lose' | 'repeat' | 'restart' | 'late' | 'overtake';

const SELDOM: Incident[] = ['lose', 'repeat', 'restart', 'late', 'overtake'];

function someIncident(): fc.Arbitrary<{what: Incident; rows: Row[]}> {
  const what = fc.oneof(
    {weight: 6, arbitrary: fc.constantFrom<Incident>('commit', 'deliver')},
    {weight: 1, arbitrary: fc.constantFrom(...SELDOM)},
    {weight: 1, arbitrary: fc.constantFrom<Incident>('disconnect', 'connect')},
  );
  return fc.record({what, rows: someRows()});
}

function someRows(): fc.Arbitrary<Row[]> {
  const row = fc
    .tuple(fc.constantFrom(...'abcdef'), fc.nat(2))
    .map(([id, n]) => ({id, n}));
  return fc.uniqueArray(row, {selector: ({id}) => id, maxLength: 6});
}

type Sent =
  | {readonly kind: 'delta'; readonly message: DeltaMessage; readonly number: number}
  | {readonly kind: 'reply'; readonly attempt: number; readonly reply: SubscribeReply};

/** A server and its connection. Every state that it ever had is numbered through all epochs. */
class Wire {
  state: SubscriptionState = initialState;
  page: PageState = pageOf([]);
  private readonly numbers = new Map<string, PageState>();
  private reached = -1;
  private number = 0;
  private seq = 0;
  private epoch = 1;
  private log: DeltaMessage[] = [];
  private inFlight: Sent[] = [];
  private last: Sent | undefined;
  private connected = false;

  happens({what, rows}: {what: Incident; rows: Row[]}): void {
    switch (what) {
      case 'commit':
        return this.commit(rows);
      case 'deliver':
        return this.deliver(this.inFlight.shift());
      case 'lose':
        // Only a step can get lost alone: an answer that is lost takes the connection with it.
        if (this.inFlight[0]?.kind === 'delta') this.inFlight.shift();
        return;
      case 'repeat':
        if (this.last?.kind === 'delta') this.deliver(this.last);
        return;
      case 'restart':
        this.happens({what: 'disconnect', rows});
        this.epoch++;
        this.seq = 0;
        this.log = [];
        return;
      case 'disconnect':
        this.connected = false;
        this.inFlight = [];
        this.last = undefined;
        return this.send({type: 'lost'});
      case 'overtake': {
        // Made before the step, sent after it.
        const [answer, delta] = this.inFlight;
        if (answer?.kind !== 'reply' || delta?.kind !== 'delta') return;
        this.inFlight.splice(0, 2, delta, answer);
        return;
      }
      case 'late':
        // The answer is only slow: it comes after the client has given it up.
        return this.send({
          type: 'refused',
          attempt: this.state.attempt,
          error: {...ERROR, code: 'TIMEOUT'},
        });
      case 'connect':
        if (this.connected) return;
        this.connected = true;
        return this.send({type: 'connected'});
    }
  }

  settle(): void {
    this.happens({what: 'connect', rows: []});
    // The last step may have been lost without a trace, until the next one comes.
    this.commit([{id: 'z'}]);
    while (this.inFlight.length > 0) this.deliver(this.inFlight.shift());
  }

  private commit(rows: readonly Row[]): void {
    const next = pageOf(rows);
    const ops = diffPages(this.page, next);
    const message = {channel: 'c', seq: ++this.seq, ops, meta: META};
    this.page = next;
    this.number++;
    this.numbers.set(`${this.epoch}.${this.seq}`, next);
    this.log.push(message);
    if (this.connected) this.inFlight.push({kind: 'delta', message, number: this.number});
  }

  private deliver(sent: Sent | undefined): void {
    if (!sent) return;
    this.last = sent;
    if (sent.kind === 'delta') this.send({type: 'delta', message: sent.message});
    else this.send({type: 'accepted', attempt: sent.attempt, reply: sent.reply});
  }

  private send(event: SubscriptionEvent): void {
    const {state, effects} = step(this.state, event);
    this.state = state;
    for (const effect of effects) this.perform(effect);
    this.look();
  }

  private perform(effect: SubscriptionEffect): void {
    assert.equal(effect.do, 'subscribe');
    if (effect.do !== 'subscribe' || !this.connected) return;
    const {attempt, resume} = effect;
    const knows = resume && resume.epoch === `e${this.epoch}`;
    const reply: SubscribeReply = knows
      ? {kind: 'resumed', channel: 'c', deltas: this.log.filter(({seq}) => seq > resume.seq)}
      : {kind: 'snapshot', snapshot: this.snapshot()};
    this.inFlight.push({kind: 'reply', attempt, reply});
  }

  private snapshot(): PageSnapshot {
    const key = `${this.epoch}.${this.seq}`;
    if (!this.numbers.has(key)) this.numbers.set(key, this.page);
    return {channel: 'c', epoch: `e${this.epoch}`, seq: this.seq, ...this.page};
  }

  /** What is held is a state that the server had, exactly, and never one before the last one. */
  private look(): void {
    const held = this.state.held;
    if (!held) return;
    const key = `${held.epoch.slice(1)}.${held.seq}`;
    assert.deepEqual(held.page, this.numbers.get(key));
    const at = [...this.numbers.keys()].indexOf(key);
    assert.ok(at >= this.reached);
    this.reached = at;
  }
}

function someEvent(): fc.Arbitrary<SubscriptionEvent> {
  const seq = fc.integer({min: 0, max: 3});
  const attempt = fc.integer({min: 0, max: 3});
  const meta = META;
  const ops = fc.constantFrom<DeltaMessage['ops']>(
    [],
    [{op: 'remove', key: 'a'}],
    [{op: 'insert', key: 'a', at: 0, row: {id: 'a'}}],
  );
  const message = fc.record({channel: fc.constant('c'), seq, ops, meta: fc.constant(meta)});
  const snapshot = fc.record({
    channel: fc.constant('c'),
    epoch: fc.constantFrom('e1', 'e2'),
    seq,
    keys: fc.constant([] as string[]),
    rows: fc.constant([] as Row[]),
    meta: fc.constant(meta),
  });
  const kind = fc.constant('snapshot' as const);
  const resumed = fc.record({
    kind: fc.constant('resumed' as const),
    channel: fc.constant('c'),
    deltas: fc.array(message, {maxLength: 2}),
  });
  const reply: fc.Arbitrary<SubscribeReply> = fc.oneof(fc.record({kind, snapshot}), resumed);
  const error = fc.constantFrom(
    ERROR,
    {...ERROR, code: 'TIMEOUT'},
    {...ERROR, code: 'NOT_AUTHENTICATED', statusCode: 401},
    {...ERROR, code: 'SESSION_CHANGED', statusCode: 401},
  );
  return fc.oneof(
    fc.constantFrom<SubscriptionEvent>({type: 'connected'}, {type: 'lost'}, {type: 'signedIn'}),
    fc.record({type: fc.constant('accepted' as const), attempt, reply}),
    fc.record({type: fc.constant('refused' as const), attempt, error}),
    fc.record({type: fc.constant('postponed' as const), attempt}),
    fc.record({type: fc.constant('delta' as const), message}),
    fc.record({type: fc.constant('snapshot' as const), message: snapshot}),
    fc.record({type: fc.constant('ended' as const), error}),
    fc.record({type: fc.constant('elsewhereEnded' as const), channel: fc.constant('c'), error}),
    fc.constant<SubscriptionEvent>({type: 'close'}),
  );
}

function pageOf(rows: readonly Row[]): PageState {
  return {keys: rows.map(({id}) => String(id)), rows, meta: META};
}
