import assert from 'node:assert/strict';
import {EncryptedQueryError} from '../../../mixins/crypto/errors';
import {checkEncryptedQuery} from '../../../mixins/crypto/query-check';

describe('query check of encrypted properties', () => {
  const refused: Record<string, object> = {
    'equality': {where: {ssn: '1'}},
    'an empty condition': {where: {ssn: {}}},
    'an array': {where: {ssn: ['1']}},
    'eq': {where: {ssn: {eq: '1'}}},
    'inq, with null among its values too': {where: {ssn: {inq: ['1', null]}}},
    'a range': {where: {ssn: {gt: '1'}}},
    'between': {where: {ssn: {between: ['1', '2']}}},
    'like': {where: {ssn: {like: '1%'}}},
    'regexp': {where: {ssn: /1/}},
    'an operator beside an allowed one': {where: {ssn: {neq: null, like: '1%'}}},
    'gt with null': {where: {ssn: {gt: null}}},
    'a part of an encrypted object': {where: {'ssn.first': 1}},
    'a clause under and and or': {where: {and: [{a: 1}, {or: [{b: 2}, {ssn: '1'}]}]}},
    'a clause beside or': {where: {or: [{a: 1}], ssn: '1'}},
    'a clause under not': {where: {not: {ssn: '1'}}},
    'order': {order: 'ssn'},
    'order among others': {order: ['a ASC', 'ssn DESC']},
    'order in one text': {order: 'a ASC, ssn DESC'},
  };
  for (const [what, filter] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => checkEncryptedQuery('Person', ENCRYPTED, filter),
        (error: unknown) =>
          error instanceof EncryptedQueryError &&
          error.code === 'ENCRYPTED_QUERY_UNSUPPORTED' &&
          error.statusCode === 422 &&
          error.propertyName === 'ssn',
      );
    });
  }

  const allowed: Record<string, object | undefined> = {
    'no filter': undefined,
    'whether it is null': {where: {ssn: null}},
    'whether it is not null': {where: {ssn: {neq: null}}},
    'whether it exists': {where: {or: [{ssn: {exists: false}}, {a: 1}]}},
    'other properties, whatever they begin with': {where: {ssnHint: 'x', a: {like: 'ssn'}}},
    'its choice among fields': {fields: ['ssn'], order: ['a DESC']},
  };
  for (const [what, filter] of Object.entries(allowed)) {
    it(`lets pass ${what}`, () => checkEncryptedQuery('Person', ENCRYPTED, filter));
  }

  it('finds a clause under a hundred thousand others', () => {
    let where: object = {ssn: '1'};
    for (let depth = 0; depth < 100_000; depth++) where = {and: [where]};
    assert.throws(() => checkEncryptedQuery('Person', ENCRYPTED, {where}), EncryptedQueryError);
  });
});

const ENCRYPTED: ReadonlySet<string> = new Set(['ssn']);
