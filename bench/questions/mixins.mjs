/** What a create, an update and a delete by id cost, against a repository with no behaviours. */
import {start} from '../harness/children.mjs';
import {alternate, compare} from '../harness/rounds.mjs';
import {idsOf} from '../harness/ids.mjs';

const OURS = 'all five behaviours';
const BARE = 'bare DefaultCrudRepository';
const SUBJECTS = {
  [BARE]: {module: 'subjects/bare-repository.mjs'},
  [OURS]: {
    module: 'subjects/our-repository.mjs',
    env: {BEHAVIOURS: 'version,audit,softDelete,history,crypto'},
    live: 'NOT _isdeleted',
    revisions: 'SELECT _modelid AS id FROM itemhistory',
    hidden: true,
  },
  'raw pg (the limit)': {module: 'subjects/raw-pg.mjs'},
  'in the style of oe-common-mixins': {
    module: 'subjects/oe-style-repository.mjs',
    live: 'NOT _isdeleted',
    revisions: 'SELECT _modelid AS id FROM itemhistory',
    hidden: true,
  },
  'loopback4-soft-delete': {module: 'peers/soft-delete-repository.mjs', live: 'NOT deleted'},
  '@sourceloop/audit-log': {
    module: 'peers/audit-log-repository.mjs',
    revisions: 'SELECT entity_id AS id FROM audit_logs',
    notesCreation: true,
  },
};

/** A step: how it changes the rows, what must be true after it, its name in the result. */
const STEPS = [
  {
    call: 'create',
    question: 'create-all-five',
    args: ids => [ids],
    expected: {rows: 1, revisions: 0},
    qty: 4,
  },
  {
    call: 'update',
    question: 'update-all-five',
    args: ids => [ids, 5],
    expected: {rows: 1, revisions: 1},
    qty: 5,
  },
  {
    call: 'delete',
    question: 'delete-all-five',
    args: ids => [ids],
    expected: {rows: 0, revisions: 2},
    qty: 5,
  },
];

export const mixins = {
  title: 'Writes with all five behaviours',
  needsPeers: true,

  async run({postgres, quick, progress}) {
    const names = Object.keys(SUBJECTS);
    const running = {};
    for (const name of names) {
      const {module, env} = SUBJECTS[name];
      progress(`starting ${name}`);
      const database = await postgres.createDatabase(name);
      const subject = await start(module, {env});
      await subject.call('open', database.url);
      running[name] = {subject, database};
    }
    const perRound = quick ? 100 : 200;
    const rounds = quick ? 8 : 25;
    const measures = Object.fromEntries(STEPS.map(({call}) => [call, {}]));
    await alternate(names, {
      rounds,
      warmUp: quick ? 3 : 6,
      async run(name, round) {
        progress(`round ${round + 1} of ${rounds}: ${name}`);
        const ids = idsOf(round, perRound);
        for (const step of STEPS) {
          const measure = await runStep(running[name], SUBJECTS[name], step, ids);
          if (round >= 0) (measures[step.call][name] ??= []).push(measure);
        }
      },
    });
    for (const {subject, database} of Object.values(running)) {
      await subject.end();
      await database.drop();
    }
    return {results: STEPS.flatMap(step => results(step, measures[step.call], names))};
  },
};

async function runStep({subject, database}, facts, step, ids) {
  const {live = 'true', revisions, notesCreation = false, hidden} = facts;
  const {wallMs, cpuMs} = await subject.call(step.call, ...step.args(ids));
  const {expected, qty} = step;
  const [{rows}] = await database.query(
    `SELECT count(*)::int AS rows FROM item WHERE id = ANY($1) AND qty = $2 AND ${live}`,
    [ids, qty],
  );
  let correct = rows === expected.rows * ids.length;
  if (revisions) {
    const [{kept}] = await database.query(
      `SELECT count(*)::int AS kept FROM (${revisions}) r WHERE id = ANY($1)`, [ids]);
    correct &&= kept === (expected.revisions + Number(notesCreation)) * ids.length;
  }
  if (hidden) {
    const [{shown}] = await database.query(
      "SELECT count(*)::int AS shown FROM item WHERE id = ANY($1) AND cardno LIKE '4111%'", [ids]);
    correct &&= shown === 0;
  }
  return {value: wallMs / ids.length, cpu: cpuMs / ids.length, correct};
}

function results({question}, measures, names) {
  return names.filter(name => name !== BARE).map(name =>
    compare(measures, name, BARE, {question, unit: 'ms a call', cpuUnit: 'CPU ms a call'}));
}
