import assert from 'node:assert/strict';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {Turns} from '../../../adapters/socketio/turns';

describe('turns of the event loop', () => {
  it('begin at once what nobody is ahead of', async () => {
    const {turns, begun, work} = givenTurns();
    turns.take(work('a'));
    assert.deepEqual(begun, ['a']);
    await nextTurn();
    await nextTurn();
    turns.take(work('b'));
    assert.deepEqual(begun, ['a', 'b']);
  });

  it('begin one piece of work each, in the order in which it came', async () => {
    const {turns, begun, work} = givenTurns();
    for (const name of ['a', 'b', 'c', 'd']) turns.take(work(name));
    const seen = [begun.length];
    while (begun.length < 4) {
      await nextTurn();
      seen.push(begun.length);
    }
    assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
    assert.deepEqual(seen, [1, 2, 3, 4]);
  });

  it('put work that work asks for behind what waits', async () => {
    const {turns, begun, work} = givenTurns();
    turns.take(() => {
      begun.push('a');
      turns.take(work('a again'));
    });
    turns.take(work('b'));
    await givenEnoughTurns();
    assert.deepEqual(begun, ['a', 'a again', 'b']);
  });

  it('go on after work that throws', async () => {
    const {turns, begun, work} = givenTurns();
    assert.throws(() => turns.take(() => assert.fail('broken')), /broken/);
    turns.take(work('a'));
    await givenEnoughTurns();
    assert.deepEqual(begun, ['a']);
  });
});

function givenTurns() {
  const begun: string[] = [];
  return {turns: new Turns(), begun, work: (name: string) => () => void begun.push(name)};
}

async function givenEnoughTurns() {
  for (let i = 0; i < 10; i++) await nextTurn();
}
