import assert from 'node:assert/strict';
import {juggler} from '@loopback/repository';
import fc from 'fast-check';
import {rowForInsert, type JugglerModelClass} from '../../mixins/juggler';
import {plainRow} from '../../mixins/plain-rows';
import type {Row} from '../../mixins/plan';

const PROPERTIES = {
  id: {type: 'string', id: true},
  name: {type: 'string', required: true},
  qty: {type: 'number'},
  price: {type: 'number', required: true},
  sold: {type: 'boolean', default: false},
  label: {type: 'string', default: 'new'},
  due: {type: 'date'},
  _type: {type: 'string'},
  _createdOn: {type: 'date'},
} as const;

describe('new rows made without juggler', () => {
  it('are what juggler makes, or are left to it', async () => {
    const model = givenModel();
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(anyRow(), anyAssigned(), async (row, assigned) => {
        const made = plainRow(model, {...row}, {...assigned});
        if (!made) return;
        plain++;
        const expected = await rowForInsert(model, {...row}, {...assigned}, {});
        assert.deepEqual(made.values, expected.values);
        assert.deepEqual(made.instance.toObject(), defined(expected.instance.toObject(true)));
        const names = Object.keys(made.instance.toObject());
        assert.deepEqual(names, Object.keys(PROPERTIES).filter(name => names.includes(name)));
      }),
      {numRuns: 2_000},
    );
    assert.ok(plain > 200, `${plain} rows were made`);
  });

  it('are made of what most rows have, and of a date as JSON has it', () => {
    const row = {id: 'a', name: 'Desk', price: 5, due: '2026-01-01T00:00:00.000Z', qty: null};
    const made = plainRow(givenModel(), row, {_type: 'Item', _createdOn: undefined});
    const defaults = {sold: false, label: 'new'};
    const given = {...row, due: new Date(row.due), _type: 'Item'};
    assert.deepEqual(made?.values, {...given, ...defaults});
  });

  it('may leave an id to the database', () => {
    const model = givenModel({...PROPERTIES, id: {type: 'number', id: true, generated: true}});
    assert.ok(plainRow(model, {name: 'Desk', price: 5}, {}));
    assert.equal(plainRow(model, {id: 5, name: 'Desk', price: 5}, {}), undefined);
  });

  it('are left to juggler where a step is inherited', () => {
    const dataSource = new juggler.DataSource({connector: 'memory'});
    const base = dataSource.createModel('Base', PROPERTIES, {strict: true});
    assign(base.prototype, 'isValid', () => false);
    const model = dataSource.createModel('Item', PROPERTIES, {strict: true, base: 'Base'});
    assert.equal(plainRow(model as unknown as JugglerModelClass, {...USUAL}, {}), undefined);
  });

  it('are left to juggler where a behaviour gives a date that is none', () => {
    const broken = {_createdOn: new Date(NaN)};
    assert.equal(plainRow(givenModel(), {...USUAL}, broken), undefined);
  });

  it('share no date with their caller', () => {
    const due = new Date();
    const made = plainRow(givenModel(), {...USUAL, due}, {});
    assert.notEqual(made?.values.due, due);
  });

  it('show what the database has added, in the order of the model', () => {
    const {instance} = plainRow(givenModel(), {name: 'Desk', price: 5}, {})!;
    instance.__data.id = 'made';
    assert.deepEqual(Object.entries(instance.toObject())[0], ['id', 'made']);
  });

  for (const [what, change] of Object.entries({
    'has a setter': model => assign(model, 'setter', {name: () => undefined}),
    'has a getter': model => assign(model, 'getter', {name: () => 'x'}),
    'has a hook before a validation': model => assign(model, 'beforeValidate', () => undefined),
    'has a hook after a new instance': model => assign(model, 'afterInitialize', () => undefined),
    'validates more than presence': model => call(model, 'validatesLengthOf', 'name', {min: 9}),
    'validates under a condition': model =>
      call(model, 'validatesPresenceOf', 'qty', {if: () => true}),
    'validates in a way of its own': model => assign(model.prototype, 'isValid', () => true),
    'has other steps of an instance': model => assign(model.prototype, 'setAttributes', () => 1),
    'has a way of its own to apply properties': model =>
      assign(model, 'applyProperties', () => undefined),
    'has a way of its own to the database': model => assign(model, '_forDB', (row: Row) => row),
    'wants a text to be a date': model => call(model, 'validatesDateOf', 'name'),
    'sets values of every row': model => assign(model.settings, 'properties', {qty: 3}),
    'has a default scope': model => assign(model.settings, 'scope', {where: {qty: 3}}),
    'is open': model => assign(model.settings, 'strict', false),
    'ignores what it does not know': model => assign(model.settings, 'strict', 'filter'),
    'stores null for nothing': model => assign(model.settings, 'persistUndefinedAsNull', true),
    'has a default that is made': model =>
      assign(model.definition.properties.qty, 'default', () => 7),
    'has a default of another type': model =>
      assign(model.definition.properties.qty, 'default', '7'),
    'has a default for reads alone': model =>
      assign(model.definition.properties.sold, 'applyDefaultOnWrites', false),
    'has a date for a default': model =>
      assign(model.definition.properties.due, 'default', '2026-01-01'),
    'makes values': model => assign(model.definition.properties.qty, 'defaultFn', 'now'),
    'has another type': model => assign(model.definition.properties.name, 'type', Array),
  } as Record<string, (model: JugglerModelClass) => unknown>)) {
    it(`are left to juggler where the model ${what}`, () => {
      const model = givenModel();
      assert.ok(plainRow(model, {...USUAL}, {}), 'made before');
      change(model);
      assert.equal(plainRow(model, {...USUAL}, {}), undefined);
    });
  }
});

const USUAL: Row = {id: 'a', name: 'Desk', price: 5};

function givenModel(properties: object = PROPERTIES): JugglerModelClass {
  const dataSource = new juggler.DataSource({connector: 'memory'});
  const model = dataSource.createModel('Item', {...properties}, {strict: true});
  return model as unknown as JugglerModelClass;
}

function anyRow(): fc.Arbitrary<Row> {
  const few = <T>(...values: T[]) => fc.constantFrom(...values);
  const usual = fc.record(
    {
      id: fc.string(),
      name: fc.string(),
      qty: fc.oneof(fc.double(), few<unknown>(null, 3)),
      price: fc.integer(),
      sold: fc.boolean(),
      due: fc.oneof(fc.date(), few<unknown>('2026-01-01', 'no date', null)),
    },
    {requiredKeys: []},
  );
  const odd = fc.dictionary(
    few(...Object.keys(PROPERTIES), 'unknown', 'constructor', 'toString'),
    fc.oneof(fc.anything(), few<unknown>('5', 'true', '', undefined, NaN, 0, new Date(NaN))),
    {maxKeys: 2},
  );
  const asPlain = fc.record({name: fc.string({minLength: 1}), price: fc.integer()});
  return fc.tuple(usual, few(true, true, false), asPlain, fc.oneof(fc.constant({}), odd)).map(
    ([row, complete, needed, more]) => ({...row, ...(complete ? needed : {}), ...more}),
  );
}

/** What behaviours assign has its type. */
function anyAssigned(): fc.Arbitrary<Row> {
  const date = fc.date({noInvalidDate: true});
  return fc.record({_type: fc.string(), _createdOn: date}, {requiredKeys: []});
}

function defined(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
}

function assign(target: object, name: string, value: unknown): void {
  (target as Row)[name] = value;
}

function call(target: object, method: string, ...args: unknown[]): void {
  (target as Record<string, (...args: unknown[]) => unknown>)[method](...args);
}
