import assert from 'node:assert/strict';
import {Emitter} from '../../../client/emitter';

describe('an emitter', () => {
  let events: Emitter<{change: [value: number]; error: [error: Error]}>;
  let seen: string[];

  beforeEach(() => {
    events = new Emitter();
    seen = [];
  });

  it('calls all listeners of the event, in their order', () => {
    events.on('change', value => seen.push(`one ${value}`));
    events.on('change', value => seen.push(`two ${value}`));
    events.on('error', () => seen.push('error'));
    events.emit('change', 7);
    assert.deepEqual(seen, ['one 7', 'two 7']);
  });

  it('calls a function that was added twice twice, and forgets it one by one', () => {
    const listener = () => seen.push('called');
    const stop = events.on('change', listener);
    events.on('change', listener);
    events.emit('change', 1);
    stop();
    stop();
    events.emit('change', 2);
    assert.equal(seen.length, 3);
  });

  it('does not call one that was removed, or came, while it emits', () => {
    events.on('change', () => {
      stop();
      events.on('change', () => seen.push('late'));
    });
    const stop = events.on('change', () => seen.push('removed'));
    events.emit('change', 1);
    assert.deepEqual(seen, []);
  });

  it('takes an error that nobody listens to', () => {
    events.emit('error', new Error('nobody cares'));
  });

  it('forgets all of them', () => {
    events.on('change', () => seen.push('called'));
    events.clear();
    events.emit('change', 1);
    assert.deepEqual(seen, []);
  });
});
