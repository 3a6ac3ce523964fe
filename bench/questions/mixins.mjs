/** What a create, an update and a delete by id cost, against a repository with no behaviours. */
import {start} from '../harness/children.mjs';
import {alternate, compare, withoutWarmUp} from '../harness/rounds.mjs';
import {endEach, startEach} from '../harness/starting.mjs';
import {idsOf} from '../harness/ids.mjs';
import {itemOf} from '../harness/items.mjs';

const OURS = 'all five behaviours';
const BARE = 'bare DefaultCrudRepository';
const SUBJECTS = {
  [BARE]: {module: 'subjects/bare-repository.mjs'},
  [OURS]: {
    module: 'subjects/our-repository.mjs',
    env: {BEHAVIOURS: 'version,audit,softDelete,history,crypto'},
    live: 'NOT _isdeleted',
    revisions: 'SELECT _modelid AS id, qty FROM itemhistory',
    hidden: true,
  },
  'raw pg (the limit)': {module: 'subjects/raw-pg.mjs'},
  'in the style of oe-common-mixins': {
    module: 'subjects/oe-style-repository.mjs',
    live: 'NOT _isdeleted',
    revisions: 'SELECT _modelid AS id, qty FROM itemhistory',
    hidden: true,
  },
  'loopback4-soft-delete': {module: 'peers/soft-delete-repository.mjs', live: 'NOT deleted'},
  '@sourceloop/audit-log': {
    module: 'peers/audit-log-repository.mjs',
    revisions: "SELECT entity_id AS id, (before::json->>'qty')::int AS qty FROM audit_logs",
    notesCreation: true,
  },
};

/**
 * A step: how it changes the rows, what must be true after it, its name in the result. `qtys` is
 * the sum of what the revisions of a row have noted.
 */
const STEPS = [
  {
    call: 'create',
    question: 'create-all-five',
    args: ids => [ids],
    expected: {rows: 1, revisions: 0, qtys: 0},
    qty: 4,
  },
  {
    call: 'update',
    question: 'update-all-five',
    args: ids => [ids, 5],
    expected: {rows: 1, revisions: 1, qtys: 4},
    qty: 5,
  },
  {
    call: 'delete',
    question: 'delete-all-five',
    args: ids => [ids],
    expected: {rows: 0, revisions: 2, qtys: 4 + 5},
    qty: 5,
  },
];

export const mixins = {
  title: 'Writes with all five behaviours',
  needsPeers: true,

  async run({postgres, quick, progress}) {
    const names = Object.keys(SUBJECTS);
    const running = await startEach(names, quick, async name => {
      const {module, env} = SUBJECTS[name];
      progress(`starting ${name}`);
      const database = await postgres.createDatabase(name);
      const subject = await start(module, {env});
      await subject.call('open', database.url);
      return {subject, database};
    });
    const perRound = quick ? 50 : 200;
    const rounds = quick ? 4 : 14;
    const warmUp = quick ? 1 : 4;
    const measures = Object.fromEntries(STEPS.map(({call}) => [call, {}]));
    await alternate(names, {
      rounds,
      seconds: 60,
      warmUp,
      async run(name, round) {
        progress(`round ${round + 1} of ${rounds}: ${name}`);
        const ids = idsOf(round, perRound);
        let correct = true;
        for (const step of STEPS) {
          const measure = await runStep(running[name], SUBJECTS[name], step, ids);
          (measures[step.call][name] ??= []).push(measure);
          correct &&= measure.correct;
        }
        return {correct};
      },
    });
    await endEach(running, quick, async ({subject, database}) => {
      await subject.end();
      await database.drop();
    });
    const counted = call => Object.fromEntries(names.map(name =>
      [name, withoutWarmUp(measures[call][name], warmUp)]));
    return {results: STEPS.flatMap(step => results(step, counted(step.call), names))};
  },
};

async function runStep({subject, database}, facts, step, ids) {
  const {wallMs, cpuMs} = await subject.call(step.call, ...step.args(ids));
  const correct = (await areRight({subject, database}, facts, step, ids)) &&
    (await areRevised(database, facts, step, ids));
  return {value: wallMs / ids.length, cpu: cpuMs / ids.length, correct};
}

/** Whether the table has the rows, whole; what is encrypted can be read by the subject alone. */
async function areRight({subject, database}, {live = 'true', hidden}, {expected, qty}, ids) {
  const card = hidden ? 'position(wanted.card in cardno) = 0' : 'cardno = wanted.card';
  const wanted = ids.map(itemOf);
  const [{category, price}] = wanted;
  const [{rows}] = await database.query(
    `SELECT count(*)::int AS rows FROM unnest($1::text[], $2::text[], $3::text[])
       wanted (id, name, card)
     JOIN item ON item.id = wanted.id AND item.name = wanted.name AND ${card}
     WHERE qty = $4 AND category = $5 AND price = $6 AND ${live}`,
    [ids, wanted.map(({name}) => name), wanted.map(({cardNo}) => cardNo), qty, category, price],
  );
  if (rows !== expected.rows * ids.length) return false;
  return !hidden || expected.rows === 0 || subject.call('areWhole', ids, qty);
}

/** Whether what was before each write has been noted. */
async function areRevised(database, {revisions, notesCreation = false}, {expected}, ids) {
  if (!revisions) return true;
  const [{kept, qtys}] = await database.query(
    `SELECT count(*)::int AS kept, coalesce(sum(qty), 0)::int AS qtys
     FROM (${revisions}) r WHERE id = ANY($1)`, [ids]);
  return kept === (expected.revisions + Number(notesCreation)) * ids.length &&
    qtys === expected.qtys * ids.length;
}

function results({question}, measures, names) {
  return names.filter(name => name !== BARE).map(name =>
    compare(measures, name, BARE, {question, unit: 'ms a call', cpuUnit: 'CPU ms a call'}));
}
