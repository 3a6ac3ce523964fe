import assert from 'node:assert/strict';
import {securityId, SecurityBindings, type UserProfile} from '@loopback/security';
import {LiveEntitiesBindings} from '../../../keys';
import type {AuditedEntity} from '../../../mixins/model-mixins';
import {givenContext, givenItems, type ItemRepository} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';

export function auditSuite({dataSource}: BehaviourTarget): void {
  const context = givenContext();
  let items: ItemRepository;
  let now: Date;

  beforeEach(async () => {
    now = new Date('2026-01-01T00:00:00Z');
    context.bind(LiveEntitiesBindings.CLOCK).to(() => now);
    context.unbind(SecurityBindings.USER);
    items = await givenItems(dataSource(), ['audit'], context);
  });

  it('records the system where nobody is signed in', async () => {
    const {_type, _createdBy, _modifiedBy} = await items.create({id: 'a', name: 'one'});
    const name = items.entityClass.modelName;
    assert.deepEqual([_type, _createdBy, _modifiedBy], [name, 'system', 'system']);
  });

  it('records who is signed in, when, and whom the options name instead', async () => {
    context.bind(SecurityBindings.USER).to({[securityId]: 'alice', name: 'Alice'} as UserProfile);
    await items.create({id: 'a', name: 'one'});
    const created = now;
    now = new Date('2026-01-02T00:00:00Z');
    await items.updateById('a', {name: 'two'}, {remoteUser: 'bob'});
    assert.deepEqual(stampsOf(await items.findById('a')), ['alice', created, 'bob', now]);
  });

  it('ignores what a client sends', async () => {
    const forged = {_createdBy: 'me', _createdOn: new Date(0), _modifiedBy: 'me', _type: 'X'};
    const created = await items.create({id: 'a', name: 'one', ...forged});
    await items.updateById('a', {name: 'two', ...forged});
    await items.updateAll({name: 'three', ...forged});
    const stored = await items.findById('a');
    for (const item of [created, stored]) {
      assert.deepEqual(stampsOf(item), ['system', now, 'system', now]);
      assert.equal(item._type, items.entityClass.modelName);
    }
  });

  it('keeps who created a row when it is replaced', async () => {
    await items.create({id: 'a', name: 'one', qty: 3}, {remoteUser: 'alice'});
    await items.replaceById('a', {name: 'two'}, {remoteUser: 'bob'});
    const item = await items.findById('a');
    assert.deepEqual(stampsOf(item), ['alice', now, 'bob', now]);
    assert.equal(item.qty ?? null, null);
  });

  it('records writes of many rows', async () => {
    await items.createAll([{id: 'a', name: 'one'}, {id: 'b', name: 'two'}], {remoteUser: 'alice'});
    await items.updateAll({qty: 1}, {id: 'b'}, {remoteUser: 'bob'});
    const users = (await items.find({order: ['id ASC']})).map(i => [i._createdBy, i._modifiedBy]);
    assert.deepEqual(users, [['alice', 'alice'], ['alice', 'bob']]);
  });
}

function stampsOf({_createdBy, _createdOn, _modifiedBy, _modifiedOn}: AuditedEntity): unknown[] {
  return [_createdBy, new Date(_createdOn!), _modifiedBy, new Date(_modifiedOn!)];
}
