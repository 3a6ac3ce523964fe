import assert from 'node:assert/strict';
import type {ReencryptProgress} from '../../../mixins/reencrypt/reencrypt';
import {ALL} from '../../support/behaviours';
import {givenPeople, givenPersonModel, keys, type PersonRepository} from '../../support/people';
import type {BehaviourTarget} from '../behaviours.suite';

interface RawModel {
  create(data: object): Promise<unknown>;
  updateAll(where: object, data: object): Promise<unknown>;
}

/** Moving what is stored to another key, from plaintext and from the predecessor's ciphertext. */
export function reencryptSuite({dataSource, rawRows, transactions}: BehaviourTarget): void {
  let entity: ReturnType<typeof givenPersonModel>;
  const open = (config = keys('k1')) =>
    givenPeople(dataSource(), {entity, config, behaviours: ALL});
  const stored = async () => [
    ...(await rawRows(dataSource(), entity.modelName)),
    ...(await rawRows(dataSource(), `${entity.modelName}History`)),
  ];
  const keysIn = (rows: object[]) =>
    [...new Set(JSON.stringify(rows).match(/"(le1\.)?k\d\./g))].sort();

  beforeEach(() => {
    entity = givenPersonModel();
  });

  async function givenTwentyPeople(): Promise<PersonRepository> {
    const people = await open();
    const rows = Array.from({length: 20}, (_, i) => ({
      id: `p${String(i).padStart(2, '0')}`,
      name: `Name ${i}`,
      email: `p${i}@example.org`,
      ssn: `ssn ${i % 5}`,
      age: i,
      profile: {i},
    }));
    const created = await people.createAll(rows);
    for (const {id, _version} of created.slice(0, 5)) {
      await people.updateById(id, {ssn: 'changed', _version});
    }
    return people;
  }

  it('moves rows, history and indexes to the current key and loses nothing by it', async () => {
    await givenTwentyPeople();
    assert.deepEqual(keysIn(await stored()), ['"k1.', '"le1.k1.']);
    const people = await open(keys('k1', 'k2'));
    const seen = async (repository: PersonRepository) => [
      await repository.find({order: ['id ASC']}),
      await repository.findHistory({order: ['_modelId ASC']}),
      await repository.find({where: {ssn: 'ssn 1'}, order: ['id ASC']}),
      (await repository.findHistory({where: {ssn: 'ssn 1'} as never})).length,
    ];
    const before = await seen(people);
    assert.equal((before[2] as unknown[]).length, 3);
    const told: ReencryptProgress[] = [];
    const onProgress = async (progress: ReencryptProgress) => {
      told.push(progress);
      assert.deepEqual(await seen(people), before, `after ${progress.done} rows`);
    };
    const result = await people.reencrypt({batchSize: 7, onProgress});
    const expected = {total: 25, done: 25, changed: 25, skipped: 0, failed: 0};
    assert.deepEqual({...result, stage: undefined, lastId: undefined},
      {...expected, stage: undefined, lastId: undefined});
    assert.deepEqual(told.map(({stage, done}) => [stage, done]),
      [['rows', 7], ['rows', 14], ['rows', 20], ['history', 25]]);
    assert.deepEqual(keysIn(await stored()), ['"k2.', '"le1.k2.']);
    assert.deepEqual(await seen(await open(keys('k2'))), before);
  });

  it('passes by what is up to date, and goes on where it was', async () => {
    await givenTwentyPeople();
    const people = await open(keys('k1', 'k2'));
    const told: ReencryptProgress[] = [];
    const abort = new AbortController();
    const onProgress = (progress: ReencryptProgress) => {
      told.push(progress);
      abort.abort();
    };
    await people.reencrypt({batchSize: 8, onProgress, signal: abort.signal});
    assert.equal(told.length, 1);
    assert.deepEqual(keysIn(await stored()), ['"k1.', '"k2.', '"le1.k1.', '"le1.k2.']);
    const {stage, lastId} = told[0];
    assert.deepEqual([stage, lastId], ['rows', 'p07']);
    const rest = await people.reencrypt({after: {stage, lastId}});
    assert.deepEqual([rest.total, rest.changed, rest.skipped], [17, 17, 0]);
    const again = await people.reencrypt();
    assert.deepEqual([again.total, again.changed, again.skipped], [25, 0, 25]);
  });

  it('is no write: no version, no stamp, no revision', async () => {
    await givenTwentyPeople();
    const people = await open(keys('k1', 'k2'));
    const besides = async () =>
      (await stored()).map(row => {
        const kept = Object.entries(row).filter(([, v]) => !/^(le1\.)?k\d\./.test(String(v)));
        return Object.fromEntries(kept);
      });
    const before = await besides();
    await people.reencrypt();
    const order = (rows: object[]) => rows.map(row => JSON.stringify(row)).sort();
    assert.deepEqual(order(await besides()), order(before));
  });

  it('loses to a write that comes between', async () => {
    await givenTwentyPeople();
    const people = await open(keys('k1', 'k2'));
    const codec = (await people.surroundings.codec())!;
    const renew = codec.renew.bind(codec);
    let writes = 0;
    codec.renew = async (row, ctx) => {
      const renewed = await renew(row, ctx);
      // Between reading and writing: once for each row, with the old key and with the new one.
      if (renewed && writes < 20 && String(ctx.id).startsWith('p')) {
        const late = writes++ % 2 ? people : await open();
        const id = String(ctx.id);
        await late.updateById(id, {ssn: `meanwhile ${id}`}, {bumpVersion: false});
      }
      return renewed;
    };
    try {
      await people.reencrypt({batchSize: 20});
    } finally {
      codec.renew = renew;
    }
    assert.equal(writes, 20);
    const found = await people.find();
    assert.ok(found.every(({id, ssn}) => ssn === `meanwhile ${id}`));
    assert.equal((await people.count({ssn: 'meanwhile p07'})).count, 1);
    await people.reencrypt();
    assert.deepEqual(keysIn(await stored()), ['"k2.', '"le1.k2.']);
  });

  it('encrypts plaintext, of every type, and what the predecessor stored', async () => {
    const people = await open();
    const raw = people.modelClass as unknown as RawModel;
    const born = new Date('1999-12-31');
    await raw.create({
      id: 'plain', email: 'Plain@Example.org', ssn: '', age: '41', born: born.toISOString(),
      member: 'true', diary: 'Dear diary', profile: '{"city":"Ulm"}', tags: '["a"]',
    });
    await raw.create({id: 'legacy', diary: '6d86d21d2f1871750345b23053e6dbf2'});
    const legacy = {algorithm: 'crypto.aes-256-cbc', password: 'yufy-pass'} as const;
    const migrating = await open({...keys('k1'), readPlaintext: true, legacy});
    const read = async (from: PersonRepository) => {
      const {email, ssn, age, member, diary, profile, tags, ...rest} = await from.findById('plain');
      return {email, ssn, age, member, diary, profile, tags, born: rest.born};
    };
    const values = {
      email: 'Plain@Example.org', ssn: '', age: 41, member: true, diary: 'Dear diary',
      profile: {city: 'Ulm'}, tags: ['a'], born,
    };
    assert.deepEqual(await read(migrating), values);
    assert.equal((await migrating.reencrypt()).changed, 2);
    assert.ok(!/Dear diary|"Ulm|"41"|6d86d21d/.test(JSON.stringify(await stored())));
    assert.deepEqual(await read(people), values);
    assert.equal((await people.findById('legacy')).diary, 'Zoë 4111-1111');
    assert.equal((await people.count({email: 'plain@example.org', age: 41, born})).count, 1);
  });

  it('says which row it cannot decrypt, and goes on if asked', async () => {
    const people = await givenTwentyPeople();
    const raw = people.modelClass as unknown as RawModel;
    await raw.updateAll({id: 'p03'}, {ssn: 'le1.k1.damaged'});
    const later = await open(keys('k1', 'k2'));
    const position = {stage: 'rows', lastId: 'p03'};
    await assert.rejects(later.reencrypt(), {code: 'DECRYPTION_FAILED', position});
    const failures: unknown[] = [];
    const onError = (_: Error, where: unknown) => failures.push(where);
    const result = await later.reencrypt({onError});
    assert.deepEqual(failures, [position]);
    assert.deepEqual([result.total, result.failed, result.done], [25, 1, 25]);
    assert.deepEqual(keysIn((await stored()).filter(row => row.id !== 'p03')),
      ['"k2.', '"le1.k2.']);
  });

  it('never encrypts a mask', async () => {
    const people = await givenTwentyPeople();
    const raw = people.modelClass as unknown as RawModel;
    await raw.updateAll({id: 'p03'}, {ssn: 'le1.k1.damaged'});
    const masking = await open({...keys('k1', 'k2'), onDecryptFailure: 'mask'});
    assert.equal((await masking.findById('p03')).ssn, '**********');
    await assert.rejects(masking.reencrypt(), {code: 'DECRYPTION_FAILED'});
    assert.equal((await masking.findById('p03')).ssn, '**********');
  });

  if (transactions) {
    it('is part of the caller\'s transaction, and of no other', async () => {
      await givenTwentyPeople();
      const before = await stored();
      const people = await open(keys('k1', 'k2'));
      const transaction = await people.beginTransaction();
      const {changed} = await people.reencrypt({batchSize: 7, transaction});
      assert.equal(changed, 25);
      assert.deepEqual(keysIn(await stored()), ['"k1.', '"le1.k1.']);
      await transaction.rollback();
      assert.deepEqual(await stored(), before);
      const late = people.reencrypt({transaction});
      await assert.rejects(late, {code: 'INACTIVE_TRANSACTION'});
      const elsewhere = await transactions.another();
      const foreign = await elsewhere.beginTransaction({});
      const refused = people.reencrypt({transaction: foreign});
      await assert.rejects(refused, {code: 'FOREIGN_TRANSACTION'});
      await foreign.rollback();
      await elsewhere.disconnect();
    });
  }
}
