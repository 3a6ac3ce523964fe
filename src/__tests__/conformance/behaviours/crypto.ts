import assert from 'node:assert/strict';
import {Context} from '@loopback/core';
import {givenItems, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';
import {reencryptSuite} from './reencrypt';
import {searchableSuite} from './searchable';

const SECRET = '4111 1111 1111 1111';

export function cryptoSuite(target: BehaviourTarget): void {
  const {dataSource, rawRows} = target;
  let items: ItemRepository;

  beforeEach(async () => {
    items = await givenItems(dataSource(), ['crypto', 'history']);
    await items.create({id: 'a', name: 'one', secret: SECRET});
  });

  it('shows the plaintext to callers and stores none', async () => {
    const created = await items.create({id: 'b', name: 'two', secret: SECRET});
    await items.updateById('a', {secret: `${SECRET}!`});
    await items.replaceById('b', {name: 'two', secret: SECRET});
    const found = await items.find({order: ['id ASC']});
    assert.deepEqual([created.secret, ...found.map(i => i.secret)], [SECRET, `${SECRET}!`, SECRET]);
    assert.equal((await items.findById('b')).secret, SECRET);
    assert.equal((await items.findOne({where: {id: 'b'}}))?.secret, SECRET);
    const {modelName} = items.entityClass;
    const stored = [
      ...(await rawRows(dataSource(), modelName)),
      ...(await rawRows(dataSource(), `${modelName}History`)),
    ];
    assert.equal(stored.length, 4);
    assert.ok(!JSON.stringify(stored).includes(SECRET));
  });

  it('keeps ciphertext in the history and decrypts what it answers', async () => {
    const [before] = await rawRows(dataSource(), items.entityClass.modelName);
    await items.updateById('a', {name: 'two'});
    const [after] = await rawRows(dataSource(), items.entityClass.modelName);
    const [kept] = await rawRows(dataSource(), `${items.entityClass.modelName}History`);
    assert.equal(after.secret, before.secret, 'a write of the name touched the ciphertext');
    assert.equal(kept.secret, before.secret);
    const [revision] = await items.history('a');
    assert.equal(revision.entity.secret, SECRET);
    assert.equal((await items.findAsOf(new Date()))[0].secret, SECRET);
  });

  it('leaves null and absent as they are, and encrypts the empty string', async () => {
    await items.create({id: 'b', name: 'two'});
    await items.create({id: 'c', name: 'three', secret: ''});
    await items.updateById('a', {secret: null} as never);
    const found = await items.find({order: ['id ASC']});
    assert.deepEqual(found.map(i => i.secret ?? null), [null, null, '']);
    const rows = await rawRows(dataSource(), items.entityClass.modelName);
    assert.ok(rows.find(row => row.id === 'c')?.secret);
  });

  it('decrypts when the id is not among the fields', async () => {
    for (const fields of [['secret'], {secret: true}, {id: false, name: false}]) {
      const [found] = await items.find({fields: fields as never});
      assert.equal(found.secret, SECRET);
      assert.ok(!('id' in found) || found.id === undefined);
    }
    const [without] = await items.find({fields: ['name']});
    assert.deepEqual(without.toJSON(), {name: 'one'});
  });

  it('refuses what a database cannot answer of ciphertext', async () => {
    const refusal = {code: 'ENCRYPTED_QUERY_UNSUPPORTED', statusCode: 422};
    const where = {or: [{name: 'x'}, {secret: {like: '4%'}}]} as never;
    await assert.rejects(items.find({where}), refusal);
    await assert.rejects(items.findOne({order: ['secret ASC']}), refusal);
    await assert.rejects(items.count(where), refusal);
    await assert.rejects(items.updateAll({name: 'x'}, where), refusal);
    await assert.rejects(items.deleteAll(where), refusal);
    await assert.rejects(items.findHistory({where}), refusal);
    await assert.rejects(items.findAsOf(new Date(), {where}), refusal);
    assert.equal((await items.find({where: {secret: {neq: null}} as never})).length, 1);
  });

  it('refuses one ciphertext for many rows', async () => {
    await assert.rejects(items.updateAll({secret: 'x'}), {code: 'ENCRYPTION_NEEDS_ID'});
  });

  it('finds out when ciphertext was moved to another row', async () => {
    await items.create({id: 'b', name: 'two', secret: 'other'});
    const rows = await rawRows(dataSource(), items.entityClass.modelName);
    const stolen = rows.find(row => row.id === 'a')?.secret;
    await (items.modelClass as never as RawModel).updateAll({id: 'b'}, {secret: stolen});
    await assert.rejects(items.findById('b'), {code: 'DECRYPTION_FAILED'});
  });

  describe('searchable properties', () => searchableSuite(target));
  describe('re-encryption', () => reencryptSuite(target));

  it('says what to do when there is no key', async () => {
    const keyless = await givenItems(dataSource(), ['crypto'], new Context());
    const write = keyless.create({id: 'a', name: 'one', secret: SECRET});
    await assert.rejects(write, {code: 'CRYPTO_NOT_CONFIGURED'});
  });
}

interface RawModel {
  updateAll(where: object, data: object): Promise<unknown>;
}
