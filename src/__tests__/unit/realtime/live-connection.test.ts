import assert from 'node:assert/strict';
import {Application} from '@loopback/core';
import type {Connection} from '../../../adapters/socketio/connection';
import type {LiveCall} from '../../../components/realtime/live-call';
import {
  LiveConnection,
  type LiveConnectionOptions,
} from '../../../components/realtime/live-connection';
import {LiveEntityError} from '../../../core/errors';

const REQUEST = {ref: {type: 'Item', view: 'all'}};
const REASON = new LiveEntityError('LIMIT_EXCEEDED', 'the page has grown too large', 413);

describe('a subscription whose page ends before it is answered', () => {
  it('is refused with the reason of the end', async () => {
    const {connection, ended} = givenConnection(({session}) => session.member.end('c1', REASON));
    await assert.rejects(connection.call('subscribe', REQUEST), REASON);
    assert.deepEqual(ended, ['c1']);
  });

  it('is refused when it resumes, too', async () => {
    const {connection} = givenConnection(({session}) => session.member.end('c1', REASON), true);
    const resume = {channel: 'c1', epoch: 'e1', seq: 0};
    await assert.rejects(connection.call('subscribe', {...REQUEST, resume}), REASON);
  });

  it('is answered when it was another page that ended', async () => {
    const {connection} = givenConnection(({session: {member}}) => {
      member.join('c2', 'e1', 10);
      member.end('c2', REASON);
    });
    assert.deepEqual(await connection.call('subscribe', REQUEST), snapshotOf('c1', 'e1'));
  });

  it('is answered when it is asked for again, and joined anew', async () => {
    const {connection} = givenConnection(({session}, times) => {
      if (times === 1) session.member.end('c1', REASON);
    });
    await assert.rejects(connection.call('subscribe', REQUEST), REASON);
    assert.deepEqual(await connection.call('subscribe', REQUEST), snapshotOf('c1', 'e2'));
  });

  it('is refused also where another has joined the page anew by then', async () => {
    let answer: () => void = () => undefined;
    const heldUp = new Promise<void>(resolve => (answer = resolve));
    const {connection, rooms} = givenConnection(async ({session}, times) => {
      if (times > 1) return;
      session.member.end('c1', REASON);
      await heldUp;
    });
    const first = connection.call('subscribe', REQUEST);
    assert.deepEqual(await connection.call('subscribe', REQUEST), snapshotOf('c1', 'e2'));
    answer();
    await assert.rejects(first, REASON);
    assert.deepEqual([...rooms], ['c1']);
  });
});

describe('a subscription that is refused after it has joined', () => {
  const REFUSAL = new LiveEntityError('CRUD_BLOCKED', 'an interceptor refuses', 403);

  it('leaves the page', async () => {
    const {connection, rooms} = givenConnection(() => { throw REFUSAL; });
    await assert.rejects(connection.call('subscribe', REQUEST), REFUSAL);
    assert.deepEqual([...rooms], []);
  });

  it('leaves the page that it joined anew, whatever the one before has had', async () => {
    let answer: () => void = () => undefined;
    const heldUp = new Promise<void>(resolve => (answer = resolve));
    const {connection, rooms} = givenConnection(async ({session}, times) => {
      if (times > 1) throw REFUSAL;
      session.member.end('c1', REASON);
      await heldUp;
    });
    const first = connection.call('subscribe', REQUEST);
    await assert.rejects(connection.call('subscribe', REQUEST), REFUSAL);
    answer();
    await assert.rejects(first, REASON);
    assert.deepEqual([...rooms], []);
  });

  it('does not take it from one that has it', async () => {
    const {connection, rooms} = givenConnection((_, times) => {
      if (times > 1) throw REFUSAL;
    });
    await connection.call('subscribe', REQUEST);
    await assert.rejects(connection.call('subscribe', REQUEST), REFUSAL);
    assert.deepEqual([...rooms], ['c1']);
  });
});

describe('a page that is read for somebody who has gone by the time that it is there', () => {
  for (const [words, go] of [
    ['signed out', (connection: LiveConnection) => connection.call('logout', {})],
    ['closed the connection', (connection: LiveConnection) => connection.closed()],
  ] as const) {
    it(`is not joined when they have ${words}`, async () => {
      const {connection, rooms} = givenConnection(async ({session: {member}}) => {
        await go(connection);
        assert.throws(() => member.join('c2', 'e1', 10), {code: 'SESSION_CHANGED'});
      });
      await connection.call('subscribe', REQUEST).catch((error: LiveEntityError) => {
        assert.equal(error.code, 'SESSION_CHANGED');
      });
      assert.deepEqual([...rooms], []);
    });
  }
});

function snapshotOf(channel: string, epoch: string) {
  return {kind: 'snapshot', snapshot: {channel, epoch}};
}

/**
 * A connection to one page. Each time that it is joined after its end it has another epoch.
 *
 * @param afterJoining - What happens between the joining of the page and the answer
 */
function givenConnection(
  afterJoining: (call: LiveCall, times: number) => void | Promise<void>,
  resumes = false,
) {
  const ended: string[] = [];
  const rooms = new Set<string>();
  let [times, epoch] = [0, 1];
  const controller = {
    async subscribe(call: LiveCall) {
      const answer = snapshotOf('c1', `e${epoch}`);
      call.session.member.join('c1', `e${epoch}`, 10);
      call.joined?.('c1');
      await afterJoining(call, ++times);
      return resumes ? {kind: 'resumed', channel: 'c1', deltas: []} : answer;
    },
    leave: ({member}: LiveCall['session'], channel: string) => member.leave(channel),
  };
  const connection = new LiveConnection(
    {
      socket: {id: 's', request: {}, emit: () => true},
      address: '127.0.0.1',
      join: (channel: string) => rooms.add(channel),
      leave: (channel: string) => rooms.delete(channel),
      end: (channel: string) => {
        rooms.delete(channel);
        ended.push(channel);
        epoch++;
      },
    } as unknown as Connection,
    {
      application: new Application(),
      sessions: {watch: () => undefined, unwatch: () => undefined},
      controllers: {of: () => controller},
      share: {subscriptions: 10, rows: 1_000, defaultPageSize: 10},
    } as unknown as LiveConnectionOptions,
  );
  return {connection, ended, rooms};
}
