/** What reading costs: with version, audit and soft delete, and with one encrypted column. */
import {start} from '../harness/children.mjs';
import {idsOf} from '../harness/ids.mjs';
import {alternate, compare} from '../harness/rounds.mjs';
import {endEach, startEach} from '../harness/starting.mjs';

const BARE = 'bare DefaultCrudRepository';
const SUBJECTS = {
  [BARE]: {module: 'subjects/bare-repository.mjs'},
  'version, audit, soft delete': {
    module: 'subjects/our-repository.mjs',
    env: {BEHAVIOURS: 'version,audit,softDelete'},
    question: 'find-behaviours',
  },
  'loopback4-soft-delete': {
    module: 'peers/soft-delete-repository.mjs',
    question: 'find-behaviours',
  },
  'encrypted column': {
    module: 'subjects/our-repository.mjs',
    env: {BEHAVIOURS: 'crypto'},
    question: 'find-crypto',
  },
  "prisma-field-encryption's cipher layer (@47ng/cloak)": {
    module: 'peers/cloak-repository.mjs',
    question: 'find-crypto',
  },
};
const ROWS = 500;
const PAGE = 20;

export const reads = {
  title: 'Reads with behaviours and with encryption',
  needsPeers: true,

  async run({postgres, quick, progress}) {
    const names = Object.keys(SUBJECTS);
    const ids = idsOf(0, ROWS);
    const running = await startEach(names, quick, async name => {
      const {module, env} = SUBJECTS[name];
      progress(`starting ${name}`);
      const database = await postgres.createDatabase(name);
      const subject = await start(module, {env});
      await subject.call('open', database.url);
      await subject.call('create', ids);
      await database.query('ANALYZE');
      return {subject, database};
    });
    const rounds = quick ? 4 : 24;
    const warmUp = quick ? 1 : 4;
    const measure = (call, count, ...args) => alternate(names, {
      rounds,
      seconds: 20,
      warmUp,
      async run(name, round) {
        progress(`${call}, round ${round + 1} of ${rounds}: ${name}`);
        const {wallMs, cpuMs, correct} = await running[name].subject.call(call, ...args);
        return {value: wallMs / count, cpu: cpuMs / count, correct};
      },
    });
    const finds = await measure('find', quick ? 25 : 50, quick ? 25 : 50, PAGE);
    const some = ids.slice(0, quick ? 100 : 200);
    const findsById = await measure('findById', some.length, some);
    await endEach(running, quick, async ({subject, database}) => {
      await subject.end();
      await database.drop();
    });
    const results = names.filter(name => name !== BARE).flatMap(name => {
      const {question} = SUBJECTS[name];
      const units = {question, unit: 'ms a call', cpuUnit: 'CPU ms a call'};
      return [
        withCall(compare(finds, name, BARE, units), `find of ${PAGE}`),
        withCall(compare(findsById, name, BARE, units), 'findById'),
      ];
    });
    return {results};
  },
};

function withCall(result, call) {
  return {...result, subject: `${result.subject}: ${call}`};
}
