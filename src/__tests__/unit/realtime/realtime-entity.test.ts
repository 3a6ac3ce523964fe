import assert from 'node:assert/strict';
import {Entity, ModelDefinition} from '@loopback/repository';
import {RealtimeEntity} from '../../../components/realtime/realtime-entity';
import type {EntityShape, PropertyShape} from '../../../core/shape';

class Person extends Entity {}
Person.definition = new ModelDefinition({
  name: 'Person',
  properties: {
    id: {type: 'string', id: true},
    name: {type: 'string'},
    salary: {type: 'number'},
    password: {type: 'string', hidden: true},
  },
});

describe('the properties that are sent of a live entity', () => {
  const person = givenPerson();

  it('are those asked for, with the id', () => {
    assert.deepEqual(person.fieldsFor(['name']), ['id', 'name']);
    assert.equal(person.fieldsFor(undefined), undefined, 'all that are not hidden');
  });

  it('are no others than those that the view shows, whatever is asked for', () => {
    assert.deepEqual(person.fieldsFor(undefined, ['name']), ['id', 'name']);
    assert.deepEqual(person.fieldsFor(['salary', 'name'], ['name']), ['id', 'name']);
    assert.deepEqual(person.fieldsFor(['salary'], ['name']), ['id']);
  });

  it('are never hidden ones, nor unknown', () => {
    assert.throws(() => person.fieldsFor(['password']), {code: 'UNKNOWN_FIELD'});
    assert.throws(() => person.fieldsFor(['no']), {code: 'UNKNOWN_FIELD'});
    assert.throws(() => person.fieldsFor(['no'], ['name']), {code: 'UNKNOWN_FIELD'});
    assert.throws(() => person.fieldsFor(['name'], ['password']), {code: 'UNKNOWN_FIELD'});
  });
});

describe('an id that a client names', () => {
  it('is what its property holds', () => {
    const [person, order] = [givenPerson(), givenPerson('number')];
    assert.equal(person.idOf('7'), '7');
    assert.equal(order.idOf('7'), 7);
    assert.equal(order.idOf(-7), -7);
    for (const id of ['', 7, null, {}]) {
      assert.throws(() => person.idOf(id), {code: 'BAD_REQUEST'});
    }
    for (const id of ['', 'x', '1e3', 1.5, NaN, Infinity, '7 ', [7.5]]) {
      assert.throws(() => order.idOf(id), {code: 'BAD_REQUEST'});
    }
  });

  it('is never rounded to that of another row', () => {
    const order = givenPerson('number');
    assert.equal(order.idOf('9007199254740991'), Number.MAX_SAFE_INTEGER);
    for (const id of ['9007199254740993', 9007199254740992, `1${'0'.repeat(400)}`]) {
      assert.throws(() => order.idOf(id), {code: 'BAD_REQUEST'});
    }
  });
});

function givenPerson(idKind: PropertyShape['kind'] = 'text'): RealtimeEntity {
  const text = (hidden: boolean): PropertyShape => ({kind: 'text', hidden, encrypted: false});
  const shape: EntityShape = {
    name: 'Person',
    ids: ['id'],
    properties: {
      id: {...text(false), kind: idKind},
      name: text(false), salary: text(false), password: text(true),
    },
  };
  return new RealtimeEntity('', Person, {}, new Map(), shape, {} as never, undefined);
}
