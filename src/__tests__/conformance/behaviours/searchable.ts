import assert from 'node:assert/strict';
import {ALL} from '../../support/behaviours';
import {givenPeople, givenPersonModel, keys, type PersonRepository} from '../../support/people';
import type {BehaviourTarget} from '../behaviours.suite';

const ANN = {
  id: 'ann',
  name: 'Ann',
  email: ' Ann@Example.org',
  ssn: '078-05-1120',
  age: 41,
  born: new Date('1985-03-01T12:00:00Z'),
  member: true,
  diary: 'Dear diary',
  profile: {city: 'Łódź', scores: [1, 2]},
  tags: ['a', 'ß'],
};
const BOB = {id: 'bob', name: 'Bob', email: 'bob@example.org', ssn: '', age: 0, member: false};
const EVE = {id: 'eve', name: 'Eve'};

/** Properties that are encrypted and can be found. */
export function searchableSuite(target: BehaviourTarget): void {
  const {dataSource, rawRows, transactions, unique} = target;
  let people: PersonRepository;
  const ids = async (where: object, options?: object) =>
    (await people.find({where, order: ['id ASC']} as never, options)).map(({id}) => id);

  beforeEach(async () => {
    people = await givenPeople(dataSource(), {behaviours: ALL});
    await people.createAll([ANN, BOB, EVE]);
  });

  it('come back as they were, whatever their type', async () => {
    const {id, name, email, ssn, age, born, member, diary, profile, tags} =
      await people.findById('ann');
    assert.deepEqual({id, name, email, ssn, age, born, member, diary, profile, tags}, ANN);
    const bob = await people.findById('bob');
    assert.deepEqual([bob.ssn, bob.age, bob.member, bob.diary ?? null], ['', 0, false, null]);
  });

  const equal: [string, object, string[]][] = [
    ['a value', {ssn: '078-05-1120'}, ['ann']],
    ['eq', {ssn: {eq: '078-05-1120'}}, ['ann']],
    ['the empty string', {ssn: ''}, ['bob']],
    ['zero', {age: 0}, ['bob']],
    ['false', {member: false}, ['bob']],
    ['a date', {born: ANN.born}, ['ann']],
    ['a date as text', {born: '1985-03-01T12:00:00.000Z'}, ['ann']],
    ['a number as text', {age: '41'}, ['ann']],
    ['inq', {age: {inq: [41, 0, 7]}}, ['ann', 'bob']],
    ['inq of nothing', {age: {inq: []}}, []],
    ['null', {ssn: null}, ['eve']],
    ['not null', {ssn: {neq: null}}, ['ann', 'bob']],
    ['neq beside not null', {and: [{ssn: {neq: null}}, {ssn: {neq: ''}}]}, ['ann']],
    ['nin beside not null', {age: {nin: [0, 7], neq: null}}, ['ann']],
    ['two of them', {ssn: '078-05-1120', member: true}, ['ann']],
    ['two that do not go together', {ssn: '078-05-1120', member: false}, []],
    ['another spelling of a normalised one', {email: 'ANN@example.ORG  '}, ['ann']],
    ['another spelling of one that is not', {ssn: '078-05-1120 '}, []],
    ['deep inside', {or: [{id: 'eve'}, {and: [{name: 'Bob'}, {or: [{age: 0}]}]}]}, ['bob', 'eve']],
  ];
  for (const [what, where, found] of equal) {
    it(`are found by ${what}`, async () => {
      assert.deepEqual(await ids(where), found);
      assert.equal((await people.count(where as never)).count, found.length);
    });
  }

  it('differ as a plain column does on this engine: what is null too, or not', async () => {
    const plain = await ids({name: {neq: 'Ann'}});
    assert.deepEqual(plain, ['bob', 'eve']);
    await people.updateAll({name: null}, {id: 'eve'});
    const differing = await ids({name: {neq: 'Ann'}});
    const others = await ids({name: {nin: ['Ann']}});
    assert.deepEqual(await ids({ssn: {neq: ANN.ssn}}), differing);
    assert.deepEqual(await ids({ssn: {nin: [ANN.ssn]}}), others);
  });

  it('choose the rows of a write of many', async () => {
    assert.equal((await people.updateAll({name: 'X'}, {email: 'ann@example.org'})).count, 1);
    assert.equal((await people.findById('ann')).name, 'X');
    const where = {or: [{ssn: ANN.ssn}, {age: 0}]};
    assert.equal((await people.deleteAll(where)).count, 2);
    assert.deepEqual(await ids({}), ['eve']);
    assert.deepEqual(await ids({ssn: ANN.ssn}, {onlyDeleted: true}), ['ann']);
    assert.equal((await people.restoreAll({ssn: ''})).count, 1);
    assert.equal((await people.purge({ssn: ANN.ssn})).count, 1);
    assert.deepEqual(await ids({}, {withDeleted: true}), ['bob', 'eve']);
  });

  it('are found by the values that they had', async () => {
    const {_version} = await people.findById('ann');
    await people.updateById('ann', {ssn: 'changed', _version});
    const [revision] = await people.findHistory({where: {ssn: ANN.ssn} as never});
    assert.equal(revision.entity.ssn, ANN.ssn);
    const past = (where: object) => people.findAsOf(revision._validFrom, {where} as never);
    assert.deepEqual((await past({ssn: ANN.ssn})).map(({id}) => id), ['ann']);
    assert.deepEqual(await past({ssn: 'changed'}), []);
    assert.deepEqual(await ids({ssn: 'changed'}), ['ann']);
    assert.equal((await people.findByIdAsOf('ann', revision._validFrom)).ssn, ANN.ssn);
  });

  it('are found no more once they are changed, emptied, replaced or redacted', async () => {
    let {_version} = await people.findById('ann');
    await people.updateById('ann', {ssn: null, _version});
    assert.deepEqual(await ids({ssn: ANN.ssn}), []);
    ({_version} = await people.findById('bob'));
    await people.replaceById('bob', {name: 'Bob', _version});
    assert.deepEqual(await ids({age: 0}), []);
    assert.equal((await people.findHistory({where: {ssn: ANN.ssn} as never})).length, 1);
    await people.redactHistory('ann', ['ssn']);
    assert.equal((await people.findHistory({where: {ssn: ANN.ssn} as never})).length, 0);
    const [stored] = (await rawRows(dataSource(), `${people.entityClass.modelName}History`))
      .filter(row => row._modelId === 'ann' || row._modelid === 'ann');
    assert.equal(indexIn(stored, 'ssn') ?? null, null);
  });

  it('keep their indexes to themselves', async () => {
    const created = await people.create({id: 'new', ssn: '1', _ssnIndex: 'planted'} as never);
    const seen = [
      created,
      ...(await people.find()),
      await people.findOne({fields: ['id', '_ssnIndex'] as never}),
      await people.findById('ann'),
      await people.findById('ann', {fields: {ssn: true}}),
      ...(await people.findAsOf(new Date())),
      ...(await people.history('ann')),
    ];
    for (const entity of seen) assert.ok(!/Index/i.test(JSON.stringify(entity) + Object.keys(entity!)));
    const [row] = (await rawRows(dataSource(), people.entityClass.modelName))
      .filter(({id}) => id === 'new');
    assert.match(String(indexIn(row, 'ssn')), /^k1\.[\w-]{43}$/);
  });

  const refused: [string, object][] = [
    ['order', {order: ['ssn ASC']}],
    ['gt', {where: {ssn: {gt: '1'}}}],
    ['between', {where: {age: {between: [1, 2]}}}],
    ['like', {where: {or: [{name: 'x'}, {and: [{ssn: {like: '0%'}}]}]}}],
    ['ilike', {where: {ssn: {ilike: '0%'}}}],
    ['regexp', {where: {ssn: {regexp: '^0'}}}],
    ['equality of what is not searchable', {where: {diary: ANN.diary}}],
    ['inq of what is not searchable', {where: {and: [{diary: {inq: ['x']}}]}}],
    ['a part of an encrypted object', {where: {'profile.city': 'x'}}],
  ];
  for (const [what, filter] of refused) {
    it(`refuse ${what}, without the value in the message`, async () => {
      const refusal = (error: Error & {code?: string; statusCode?: number}) =>
        error.code === 'ENCRYPTED_QUERY_UNSUPPORTED' &&
        error.statusCode === 422 &&
        !error.message.includes('Dear');
      const {where, order} = filter as {where?: never; order?: string[]};
      await assert.rejects(people.find(filter), refusal);
      await assert.rejects(people.findHistory(filter), refusal);
      await assert.rejects(people.findAsOf(new Date(), filter), refusal);
      if (!where) return assert.rejects(people.findById('ann', {order}), refusal);
      await assert.rejects(people.count(where), refusal);
      await assert.rejects(people.updateAll({name: 'x'}, where), refusal);
      await assert.rejects(people.deleteAll(where), refusal);
      await assert.rejects(people.restoreAll(where), refusal);
      await assert.rejects(people.purge(where), refusal);
    });
  }

  if (!unique) return;
  const {duplicate, among} = unique;

  it('are unique where the model says so, whatever the spelling', async () => {
    const clash = {code: duplicate};
    await assert.rejects(people.create({id: 'x', email: 'ANN@example.org'}), clash);
    await assert.rejects(people.createAll([{id: 'x', email: 'c'}, {id: 'y', email: 'C '}]), clash);
    const {_version} = await people.findById('bob');
    await assert.rejects(people.updateById('bob', {email: ANN.email, _version}), clash);
    await people.updateById('bob', {email: null, _version});
    await people.create({id: 'x', ssn: ANN.ssn});
  });

  if (among === 'live') {
    it('are unique among live rows, and a restored one is compared, under every key', async () => {
      const entity = givenPersonModel();
      const before = await givenPeople(dataSource(), {entity, behaviours: ALL});
      const config = keys('k1', 'k2');
      const after = await givenPeople(dataSource(), {entity, behaviours: ALL, config});
      for (const [old, taken] of [[before, before], [before, after]]) {
        const {id} = await old.create({...ANN, id: `old of ${taken === after ? 'k2' : 'k1'}`});
        await old.deleteAll({id});
        const {id: other} = await taken.create({...ANN, id: `new, not ${id}`});
        await assert.rejects(taken.restoreById(id), {code: 'RESTORE_CONFLICT'});
        await taken.deleteAll({id: other});
        await taken.restoreById(id);
        await taken.deleteAll({id});
      }
    });
  }

  it('are unique while keys change, under the old and the new one', async () => {
    const entity = givenPersonModel();
    const before = await givenPeople(dataSource(), {entity});
    await before.create(ANN);
    const after = await givenPeople(dataSource(), {entity, config: keys('k1', 'k2')});
    const clash = {code: duplicate};
    await assert.rejects(after.create({id: 'x', email: ANN.email}), clash);
    const two = [{id: 'y', email: 'y'}, {id: 'x', email: ANN.email}];
    await assert.rejects(after.createAll(two), clash);
    await after.create(BOB);
    await assert.rejects(after.updateById('bob', {email: ANN.email}), clash);
    await after.updateById('ann', {email: ANN.email});
    assert.equal((await after.count({email: ANN.email})).count, 1);
    await assert.rejects(after.create({id: 'x', email: ANN.email}), clash);
    const config = {...keys('k1', 'k2'), current: 'k1'};
    const late = await givenPeople(dataSource(), {entity, config});
    await assert.rejects(late.create({id: 'x', email: ANN.email}), clash);
    if (!transactions?.preparedPlans) return;
    const attempts = Array.from({length: 40}, (_, i) =>
      (i % 2 ? after : late).create({id: `r${i}`, email: 'race@example.org'}),
    );
    const settled = await Promise.allSettled(attempts);
    assert.equal(settled.filter(({status}) => status === 'fulfilled').length, 1);
  });
}

function indexIn(row: Record<string, unknown>, property: string): unknown {
  return row[`_${property}Index`] ?? row[`_${property}index`];
}
