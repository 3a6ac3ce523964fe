import assert from 'node:assert/strict';
import {Application} from '@loopback/core';
import type {Connection} from '../../../adapters/socketio/transport';
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
    const {connection, ended} = givenConnection(({member}) => member.end('c1', REASON));
    await assert.rejects(connection.call('subscribe', REQUEST), REASON);
    assert.deepEqual(ended, ['c1']);
  });

  it('is answered when it was another page that ended', async () => {
    const {connection} = givenConnection(({member}) => member.end('c2', REASON));
    assert.deepEqual(await connection.call('subscribe', REQUEST), snapshotOf('c1'));
  });

  it('is answered when it is asked for again, and joined anew', async () => {
    let first = true;
    const {connection} = givenConnection(({member}) => {
      if (first) member.end('c1', REASON);
      first = false;
    });
    await assert.rejects(connection.call('subscribe', REQUEST), REASON);
    assert.deepEqual(await connection.call('subscribe', REQUEST), snapshotOf('c1'));
  });
});

function snapshotOf(channel: string) {
  return {kind: 'snapshot', snapshot: {channel}};
}

/** @param afterJoining - What happens between the joining of the page and the answer */
function givenConnection(afterJoining: (session: LiveCall['session']) => void) {
  const ended: string[] = [];
  const controller = {
    async subscribe({session}: LiveCall) {
      session.member.join('c1', 10);
      afterJoining(session);
      return snapshotOf('c1');
    },
    leave: () => undefined,
  };
  const connection = new LiveConnection(
    {
      socket: {id: 's', request: {}},
      address: '127.0.0.1',
      join: () => undefined,
      leave: () => undefined,
      end: (channel: string) => ended.push(channel),
    } as unknown as Connection,
    {
      application: new Application(),
      sessions: {watch: () => () => undefined},
      controllers: {of: () => controller},
      share: {subscriptions: 10, rows: 1_000, defaultPageSize: 10},
    } as unknown as LiveConnectionOptions,
  );
  return {connection, ended};
}
