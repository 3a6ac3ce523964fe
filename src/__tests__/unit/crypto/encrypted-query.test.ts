import assert from 'node:assert/strict';
import {
  checkEncryptedQuery,
  translatedWhere,
  type QueryRules,
} from '../../../mixins/crypto/encrypted-query';
import {EncryptedQueryError} from '../../../mixins/crypto/errors';

describe('a query of encrypted properties', () => {
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
        () => checkEncryptedQuery(RULES, filter),
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
    it(`lets pass ${what}`, () => checkEncryptedQuery(RULES, filter));
  }

  it('finds a clause under a hundred thousand others', () => {
    let where: object = {ssn: '1'};
    for (let depth = 0; depth < 100_000; depth++) where = {and: [where]};
    assert.throws(() => checkEncryptedQuery(RULES, {where}), EncryptedQueryError);
  });

  describe('where a property is searchable', () => {
    const refusedOfSearchable: Record<string, object> = {
      'a range': {where: {mail: {gt: 'a'}}},
      'between': {where: {mail: {between: ['a', 'b']}}},
      'like, deep inside': {where: {and: [{or: [{a: 1}, {mail: {like: 'a%'}}]}]}},
      'an operator beside an allowed one': {where: {mail: {eq: 'a', lt: 'b'}}},
      'a regular expression': {where: {mail: /a/}},
      'an array as a value': {where: {mail: ['a']}},
      'an object as a value': {where: {mail: {eq: {a: 1}}}},
      'inq without a list': {where: {mail: {inq: 'a'}}},
      'a part of it': {where: {'mail.domain': 'a'}},
      'order': {order: ['mail ASC']},
    };
    for (const [what, filter] of Object.entries(refusedOfSearchable)) {
      it(`refuses ${what}`, () => {
        assert.throws(() => checkEncryptedQuery(RULES, filter), EncryptedQueryError);
      });
    }

    const translations: Record<string, [asked: object, answered: object]> = {
      'a value': [{mail: 'a'}, {_mailIndex: {eq: '#a'}}],
      'eq': [{mail: {eq: 'a'}}, {_mailIndex: {eq: '#a'}}],
      'neq': [{mail: {neq: 'a'}}, {_mailIndex: {neq: '#a'}}],
      'inq with null': [{mail: {inq: ['a', null]}}, {_mailIndex: {inq: ['#a', null]}}],
      'an empty nin': [{mail: {nin: []}}, {_mailIndex: {nin: []}}],
      'null': [{mail: null}, {mail: null}],
      'not null and a value': [
        {mail: {neq: null, eq: 'a'}},
        {and: [{mail: {neq: null}}, {_mailIndex: {eq: '#a'}}]},
      ],
      'a value beside others': [
        {a: {gt: 1}, mail: 'a'},
        {and: [{a: {gt: 1}}, {_mailIndex: {eq: '#a'}}]},
      ],
      'a value under and, or, nor and not': [
        {and: [{or: [{b: 2}, {nor: [{not: {mail: 'a'}}]}]}]},
        {and: [{or: [{b: 2}, {nor: [{not: {_mailIndex: {eq: '#a'}}}]}]}]},
      ],
    };
    for (const [what, [asked, answered]] of Object.entries(translations)) {
      it(`moves ${what} to the index`, () => {
        assert.ok(checkEncryptedQuery(RULES, {where: asked}));
        const before = structuredClone(asked);
        assert.deepEqual(translatedWhere(RULES, asked, (_, v) => [`#${String(v)}`]), answered);
        assert.deepEqual(asked, before, "the caller's where is left alone");
      });
    }

    it('looks under every key there is', () => {
      const indexesOf = (_: string, value: unknown) => [`new#${String(value)}`, `old#${String(value)}`];
      const translated = (where: object) => translatedWhere(RULES, where, indexesOf);
      assert.deepEqual(translated({mail: 'a'}), {_mailIndex: {inq: ['new#a', 'old#a']}});
      assert.deepEqual(translated({mail: {neq: 'a'}}), {_mailIndex: {nin: ['new#a', 'old#a']}});
      assert.deepEqual(translated({mail: {inq: ['a', 'b']}}),
        {_mailIndex: {inq: ['new#a', 'old#a', 'new#b', 'old#b']}});
    });
  });
});

const RULES: QueryRules = {
  entityName: 'Person',
  encrypted: new Set(['ssn', 'mail']),
  searchable: new Map([['mail', '_mailIndex']]),
};
