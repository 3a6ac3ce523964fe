import assert from 'node:assert/strict';
import type {EntityShape, PropertyKind} from '../../../core/shape';
import {checkView, resolveView, type ViewDefinition} from '../../../core/view';

const SHAPE: EntityShape = shapeOf({
  id: 'text', name: 'text', qty: 'number', made: 'date', secret: 'opaque'
});

describe('the declaration of a view', () => {
  const wrong: [string, ViewDefinition, RegExp][] = [
    [
      'a parameter that is used and not declared',
      {paramFields: ['name'], transform: ({name, qty}) => ({where: {name, qty}})},
      /transform uses 'qty'; add it to paramFields/,
    ],
    [
      'a promise of a filter',
      {transform: (async () => ({where: {qty: 1}})) as never},
      /: transform answers a filter, at once/,
    ],
    [
      'a filter whose where is misspelt',
      {transform: () => ({were: {qty: 1}}) as never},
      /: transform answers 'were'; a filter has 'where', 'order'/,
    ],
    [
      'an affecting field that the entity lacks',
      {affectingFields: ['colour'], transform: () => ({})},
      /names 'colour', which Item does not have/,
    ],
    [
      'affecting fields that leave one out',
      {affectingFields: ['name'], transform: () => ({order: ['qty DESC']})},
      /'qty' decides about rows or order; add it to affectingFields/,
    ],
    [
      'a primary key that is no parameter',
      {paramFields: ['name'], primaryKeys: ['qty'], transform: ({name}) => ({where: {name}})},
      /primaryKeys names 'qty', which is not among paramFields/,
    ],
    [
      'a primary key that is compared by something else than equality',
      {
        paramFields: ['qty'],
        primaryKeys: ['qty'],
        transform: ({qty}) => ({where: {qty: {lte: qty}}}),
      },
      /primaryKeys names 'qty', which transform does not compare by =/,
    ],
    [
      'a limit of no rows',
      {transform: () => ({limit: 0})},
      /limit must be at least 1/,
    ],
    [
      'a condition on a property that the entity lacks',
      {transform: () => ({where: {colour: 'red'}})},
      /Item has no property 'colour'/,
    ],
    [
      'an alternative of nothing',
      {transform: () => ({where: {qty: 5, or: []}})},
      /an empty 'or' in a where clause has no alternative that a row could meet/,
    ],
    [
      'an alternative of nothing, further in',
      {transform: () => ({where: {and: [{qty: 5}, {or: [{name: 'a'}, {or: []}]}]}})},
      /an empty 'or' in a where clause/,
    ],
    [
      'an operator that views do not have',
      {transform: () => ({where: {qty: {near: 5}}})},
      /the operator 'near' on Item.qty is not known to views/,
    ],
    [
      'an order by an encrypted property',
      {transform: () => ({order: ['secret ASC']})},
      /Item.secret is encrypted; a view cannot order by it/,
    ],
    [
      'a condition that is there only with values, on a property that the entity lacks',
      {paramFields: ['name'], transform: ({name}) => ({where: name === null ? {} : {nme: name}})},
      /with values for its parameters: Item has no property 'nme'/,
    ],
    [
      'fields that the entity lacks',
      {transform: () => ({fields: ['name', 'colour']})},
      /Item has no property 'colour'/,
    ],
    [
      'an order by a property that the entity lacks',
      {transform: () => ({order: ['colour DESC']})},
      /Item has no property 'colour'/,
    ],
    [
      'an order that is none',
      {transform: () => ({order: ['name UPWARDS']})},
      /'name UPWARDS' is not an order such as 'name ASC'/,
    ],
    [
      'a limit that is none',
      {transform: () => ({limit: -1})},
      /limit must be a whole number from 0/,
    ],
    [
      'a relation that the entity lacks',
      {transform: () => ({include: ['owner']})},
      /Item has no relation 'owner'/,
    ],
    [
      'a relation that a view cannot follow',
      {transform: () => ({include: ['tags']})},
      /Item.tags goes through another entity/,
    ],
    [
      'a limit of what is included',
      {transform: () => ({include: [{relation: 'parts', scope: {limit: 3}}]})},
      /the scope of Item.parts has a limit or offset; a view includes all or none/,
    ],
    [
      'a condition on a property that the included entity lacks',
      {transform: () => ({include: [{relation: 'parts', scope: {where: {colour: 'red'}}}]})},
      /Item has no property 'colour'/,
    ],
    [
      'a relation over properties of different types',
      {transform: () => ({include: ['amounts']})},
      /Item.amounts links Item.id with Item.qty, which a view cannot follow/,
    ],
    [
      'a transform that fails',
      {transform: params => ({where: {name: (params.name as string).trim()}})},
      /transform fails on empty parameters/,
    ],
  ];
  for (const [what, definition, message] of wrong) {
    it(`is refused at start-up for ${what}`, () => {
      assert.throws(() => checkView(SHAPE, 'testView', definition), error => {
        const {message: text} = error as Error;
        assert.match(text, /^view Item\.testView: /);
        assert.match(text, message);
        return true;
      });
    });
  }

  it('passes when it is right', () => {
    checkView(SHAPE, 'testView', {
      paramFields: ['name', 'qty'],
      affectingFields: ['made'],
      primaryKeys: ['name'],
      transform: ({name, qty}) => ({where: {name, qty: {gt: qty}}, order: ['made DESC']}),
    });
  });
});

describe('a view with its parameters', () => {
  const lowStock: ViewDefinition = {
    paramFields: ['name', 'qty'],
    transform: ({name, qty}) => ({where: {name, qty: {lte: qty}}, limit: 20}),
  };

  it('drops parameters that are not declared, and takes missing ones as null', () => {
    const params = {qty: '5', name: undefined, admin: true, __proto__: {name: 'inherited'}};
    const {query, cap} = resolveView(SHAPE, lowStock, params, undefined, new Date());
    assert.deepEqual(query.condition, {
      kind: 'and',
      parts: [
        {kind: 'compare', property: 'name', operator: 'eq', value: null},
        {kind: 'compare', property: 'qty', operator: 'lte', value: 5},
      ],
    });
    assert.equal(cap, 20);
  });

  it('keeps every operator on a property, where connectors keep only the first', () => {
    const between: ViewDefinition = {transform: () => ({where: {qty: {gt: 1, lt: 5}}})};
    const {query} = resolveView(SHAPE, between, {}, undefined, new Date());
    assert.equal(query.condition.kind === 'and' && query.condition.parts.length, 2);
  });

  it('adds the scope by AND, so that no filter of its own gets around it', () => {
    const either: ViewDefinition = {transform: () => ({where: {or: [{qty: 1}, {qty: 2}]}})};
    const {query} = resolveView(SHAPE, either, {}, {name: 'mine'}, new Date());
    assert.equal(query.condition.kind, 'and');
    assert.equal(query.condition.kind === 'and' && query.condition.parts[0].kind, 'or');
  });

  it('refuses a parameter of the wrong type with a clear error', () => {
    assert.throws(() => resolveView(SHAPE, lowStock, {qty: {a: 1}}, undefined, new Date()), {
      code: 'VIEW_QUERY_UNSUPPORTED',
    });
    assert.throws(() => resolveView(SHAPE, lowStock, {qty: 'many'}, undefined, new Date()), {
      message: 'Item.qty is compared with a value that is not a number',
    });
  });

  it('refuses an alternative of nothing, which a list of none would make', () => {
    const anyOf: ViewDefinition = {
      paramFields: ['name'],
      transform: ({name}) => {
        const names = (name ?? ['']) as string[];
        return {where: {or: names.map(each => ({name: each}))}};
      },
    };
    checkView(SHAPE, 'anyOf', anyOf);
    assert.throws(() => resolveView(SHAPE, anyOf, {name: []}, undefined, new Date()), {
      code: 'VIEW_QUERY_UNSUPPORTED',
      message: /^an empty 'or' /,
    });
  });

  it('ends every order with the id', () => {
    const ordered: ViewDefinition = {transform: () => ({order: 'qty DESC'})};
    const {query} = resolveView(SHAPE, ordered, {}, {}, new Date());
    assert.deepEqual(query.order, [
      {property: 'qty', descending: true},
      {property: 'id', descending: false},
    ]);
  });
});

function shapeOf(kinds: Record<string, PropertyKind>): EntityShape {
  const properties = Object.entries(kinds).map(([name, kind]) => [
    name,
    {kind, hidden: false, encrypted: kind === 'opaque'},
  ]);
  return {
    name: 'Item',
    ids: ['id'],
    properties: Object.fromEntries(properties),
    relations: {
      parts: {kind: 'many', from: 'id', to: 'name', target: () => SHAPE},
      amounts: {kind: 'many', from: 'id', to: 'qty', target: () => SHAPE},
      tags: 'goes through another entity',
    },
  };
}
