import assert from 'node:assert/strict';
import {resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

const root = resolve(__dirname, '../../../..').replace(/[\\/]\.build$/, '');

interface Measure {
  value: number;
  correct: boolean;
}
interface RoundsModule {
  alternate(subjects: string[], how: {
    rounds: number;
    seconds?: number;
    warmUp?: number;
    run(name: string, round: number): Measure | Promise<Measure>;
  }): Promise<Record<string, Measure[]>>;
  compare(measures: Record<string, Measure[]>, subject: string, against: string, units: object): {
    ratio: object;
    correct: boolean;
  };
}
interface StartingModule {
  startEach<T>(names: string[], quick: boolean, start: (name: string) => Promise<T>):
    Promise<Record<string, T>>;
}

describe('the rounds of the bench', () => {
  it('take turns, every second one backwards, and count without the warm-up', async () => {
    const {alternate} = await givenModule<RoundsModule>('harness/rounds.mjs');
    const turns: string[] = [];
    const measures = await alternate(['a', 'b'], {
      rounds: 2,
      run(name, round) {
        turns.push(`${name}${round}`);
        return {value: round, correct: true};
      },
    });
    assert.deepEqual(turns, ['b-1', 'a-1', 'a0', 'b0', 'b1', 'a1']);
    assert.deepEqual(measures.a.map(({value}) => value), [0, 1]);
  });

  it('are five at least, however long they take, and no more when the time is over', async () => {
    const {alternate} = await givenModule<RoundsModule>('harness/rounds.mjs');
    const run = () => ({value: 1, correct: true});
    for (const [rounds, seconds, expected] of [[9, 0, 5], [3, 0, 3], [9, 60, 9]] as const) {
      const {a, b} = await alternate(['a', 'b'], {rounds, seconds, run});
      assert.deepEqual([a.length, b.length], [expected, expected]);
    }
  });

  it('compare what ran side by side, round by round', async () => {
    const {compare} = await givenModule<RoundsModule>('harness/rounds.mjs');
    const of = (...values: number[]) => values.map(value => ({value, correct: true}));
    const measures = {ours: of(2, 6, 20), limit: of(1, 2, 20)};
    const {ratio} = compare(measures, 'ours', 'limit', {});
    assert.deepEqual(ratio, {median: 2, min: 1, max: 3});
  });

  for (const [words, wrong] of [['while warming up', -1], ['in a round that counts', 1]] as const) {
    it(`make a result wrong that had a wrong answer ${words}`, async () => {
      const {alternate, compare} = await givenModule<RoundsModule>('harness/rounds.mjs');
      const measures = await alternate(['ours', 'limit', 'peer'], {
        rounds: 2,
        run: (name, round) => ({value: 1, correct: name !== 'ours' || round !== wrong}),
      });
      assert.equal(compare(measures, 'ours', 'limit', {}).correct, false);
      assert.equal(compare(measures, 'peer', 'limit', {}).correct, true);
    });
  }

  it('begin when all are there, one started after the other but in a hasty run', async () => {
    const {startEach} = await givenModule<StartingModule>('harness/starting.mjs');
    for (const [quick, most] of [[false, 1], [true, 2]] as const) {
      let [now, highest] = [0, 0];
      const running = await startEach(['a', 'b', 'c'], quick, async name => {
        highest = Math.max(highest, ++now);
        // The first takes the longest, and is the first in the answer all the same.
        for (let turn = 0; turn < (name === 'a' ? 9 : 3); turn++) await Promise.resolve();
        now--;
        return name.toUpperCase();
      });
      assert.equal(highest, most);
      assert.deepEqual(Object.entries(running), [['a', 'A'], ['b', 'B'], ['c', 'C']]);
    }
  });
});

async function givenModule<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(`${root}/bench/${path}`).href)) as T;
}
