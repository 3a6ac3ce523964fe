import assert from 'node:assert/strict';
import {belongsTo, Entity, model, property} from '@loopback/repository';
import {Context} from '@loopback/core';
import type {RequestContext} from '@loopback/rest';
import {AccessGate} from '../../../components/rest/access-gate';
import {FilterGuard} from '../../../core/access';

describe('the access gate', () => {
  it('refuses a relation that leads to entities whose filters it cannot tell', async () => {
    const gate = new AccessGate(
      new FilterGuard({filters: new Map()}),
      new Context() as RequestContext,
      Comment,
    );
    await gate.enter('read', {}, {include: ['author']});
    await assert.rejects(gate.enter('read', {}, {include: ['subject']}), {
      code: 'CRUD_BLOCKED',
      statusCode: 403,
    });
    const include = [{relation: 'author', scope: {include: ['comment']}}];
    await assert.rejects(gate.enter('read', {}, {include}), {code: 'INVALID_INCLUSION_FILTER'});
  });
});

@model()
class Person extends Entity {
  @property({id: true, type: 'string'}) id: string;
}

@model()
class Comment extends Entity {
  @property({id: true, type: 'string'}) id: string;
  @belongsTo(() => Person) authorId: string;
  @belongsTo(() => Entity, {polymorphic: {discriminator: 'subjectType'}}) subjectId: string;
  @property({type: 'string'}) subjectType: string;
}
