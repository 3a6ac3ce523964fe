/** What history adds to an `updateAll` of many rows. */
import {start} from '../harness/children.mjs';
import {idsOf} from '../harness/ids.mjs';
import {alternate, compare} from '../harness/rounds.mjs';
import {endEach, startEach} from '../harness/starting.mjs';

const WITH = 'all five behaviours';
const WITHOUT = 'the same without history';
const BARE = 'bare DefaultCrudRepository';
const SUBJECTS = {
  [WITHOUT]: {
    module: 'subjects/our-repository.mjs',
    env: {BEHAVIOURS: 'version,audit,softDelete,crypto'},
  },
  [WITH]: {
    module: 'subjects/our-repository.mjs',
    env: {BEHAVIOURS: 'version,audit,softDelete,history,crypto'},
    history: true,
  },
  [BARE]: {module: 'subjects/bare-repository.mjs'},
};
const ROWS = 10_000;

export const bulk = {
  title: `updateAll of ${ROWS.toLocaleString('en')} rows`,
  needsPeers: false,

  async run({postgres, quick, progress}) {
    const names = Object.keys(SUBJECTS);
    const rows = quick ? 2_000 : ROWS;
    const running = await startEach(names, quick, async name => {
      const {module, env} = SUBJECTS[name];
      progress(`starting ${name}`);
      const database = await postgres.createDatabase(name);
      const subject = await start(module, {env});
      await subject.call('open', database.url);
      await subject.call('createAll', idsOf(0, rows));
      await database.query('ANALYZE');
      return {subject, database};
    });
    const rounds = quick ? 3 : 12;
    const warmUp = quick ? 1 : 2;
    const measures = await alternate(names, {
      rounds,
      seconds: 20,
      warmUp,
      async run(name, round) {
        progress(`round ${round + 1} of ${rounds}: ${name}`);
        const {subject, database} = running[name];
        const qty = 100 + round;
        const {wallMs, cpuMs, count} =
          await subject.call('updateAll', {qty}, {category: 'chairs'});
        let correct = count === rows && (await rowsWith(database, 'item', qty)) === rows;
        if (SUBJECTS[name].history) {
          const before = round === -warmUp ? 4 : qty - 1;
          correct &&= (await rowsWith(database, 'itemhistory', before)) === rows;
          await database.query('TRUNCATE itemhistory');
        }
        // Dead rows of one round are not to slow the next one down.
        await database.query('VACUUM item');
        return {value: wallMs, cpu: cpuMs, correct};
      },
    });
    await endEach(running, quick, async ({subject, database}) => {
      await subject.end();
      await database.drop();
    });
    const units = {question: 'bulk-history', unit: 'ms', cpuUnit: 'CPU ms'};
    return {
      results: [
        compare(measures, WITH, WITHOUT, units),
        compare(measures, WITHOUT, BARE, units),
      ],
      leftOut: quick ? ['--quick has 2,000 rows in place of 10,000'] : [],
    };
  },
};

async function rowsWith(database, table, qty) {
  const text = `SELECT count(*)::int AS rows FROM ${table} WHERE qty = $1`;
  return (await database.query(text, [qty]))[0].rows;
}
