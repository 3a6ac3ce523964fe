import {DefaultCrudRepository, Entity, juggler, ModelDefinition} from '@loopback/repository';
import * as fc from 'fast-check';
import type {TestDatabase} from './databases';

/** A row with a column of every type, each value as the text that PostgreSQL reads. */
export type Texts = Readonly<Record<string, string | null>>;

class Every extends Entity {}
Every.definition = new ModelDefinition({
  name: 'Every',
  properties: {
    id: {type: 'number', id: true},
    small: {type: 'number'},
    big: {type: 'number'},
    exact: {type: 'number'},
    single: {type: 'number'},
    double: {type: 'number'},
    flag: {type: 'boolean'},
    name: {type: 'string'},
    brief: {type: 'string'},
    german: {type: 'string'},
    code: {type: 'string'},
    mood: {type: 'string'},
    ref: {type: 'string'},
    moment: {type: 'date'},
    local: {type: 'date'},
    day: {type: 'date'},
    clock: {type: 'string'},
    data: {type: 'any'},
    words: {type: 'array', itemType: 'string'},
    bytes: {type: 'buffer'},
  },
});

const TABLE = `
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'Happy');
  CREATE TABLE every (
    id int PRIMARY KEY, small int, big bigint, exact numeric, single real, double double precision,
    flag boolean, name text COLLATE "C", brief varchar(40) COLLATE "C",
    german text COLLATE "de-x-icu", code char(4), mood mood, ref uuid, moment timestamptz,
    local timestamp, day date, clock time, data jsonb, words text[], bytes bytea)`;

/** Makes the table and a repository of it. */
export async function givenEveryType(database: TestDatabase): Promise<{
  dataSource: juggler.DataSource;
  repository: DefaultCrudRepository<Every, number>;
}> {
  await database.query(TABLE);
  const dataSource = new juggler.DataSource({connector: 'postgresql', ...database.config});
  return {dataSource, repository: new DefaultCrudRepository<Every, number>(Every, dataSource)};
}

/** Replaces the table's rows; ids are their places. */
export async function fill(database: TestDatabase, rows: readonly Texts[]): Promise<void> {
  const withIds = JSON.stringify(rows.map((row, id) => {
    const data: unknown = row.data == null ? null : JSON.parse(row.data);
    return {...row, id, data};
  }));
  await database.query('DELETE FROM every');
  await database.query(
    'INSERT INTO every SELECT * FROM jsonb_populate_recordset(NULL::every, $1::jsonb)', [withIds]);
}

const NAMES = [
  '', 'a', 'A', 'ab', 'a_b', 'a%b', 'a\\b', 'ä', 'Ä', 'I', 'i', 'ı', 'İ', 'ß', 'Z', 'z', 'é',
  'e\u0301', '🧰', '🧰x', '\uffee', '\ue000', '10', '9', ' a', 'a ', 'a\nb',
];
const DECIMALS = [
  '0', '-0', '1', '1.0', '-1.5', '0.1', '0.10', '0.3', '0.30000000000000004', '9007199254740993',
  '9007199254740992', '123456789012345678901234567890.12', '123456789012345678901234567890.120',
  '123456789012345678901234567890.121', '1e20', '0.000001', '1e-7',
];
const ODD_NUMBERS = ['NaN', 'Infinity', '-Infinity'];
const MOMENTS = [
  '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.123Z',
  '2026-01-01T00:00:00.123456Z', '2026-06-01T12:00:00+02:00', '1969-12-31T23:59:59.999999Z',
  '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z',
];
const ODD_MOMENTS = [
  'infinity', '-infinity', '0044-03-15 12:00:00+00 BC', '12026-01-01 00:00:00+00',
];
const UUIDS = ['6f9619ff-8b86-4d01-b42d-00cf4fc964ff', '00000000-0000-4000-8000-000000000000'];
const MOODS = ['sad', 'ok', 'Happy'];

const from = (...values: readonly (string | number | boolean)[]) => fc.constantFrom(...values);
const someText = () => fc.oneof(
  {weight: 3, arbitrary: fc.constantFrom(...NAMES)},
  {weight: 1, arbitrary: fc.string({unit: 'binary', maxLength: 5}).filter(isStorable)},
  {weight: 1, arbitrary: fc.string({unit: 'grapheme', maxLength: 5}).filter(isStorable)},
);
const someWhole = (bits: bigint) => fc.oneof(
  fc.bigInt(-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n).map(String),
  fc.constantFrom('0', '1', '-1', '2'),
);
const someDecimal = () => fc.oneof(
  fc.constantFrom(...DECIMALS),
  fc.tuple(fc.bigInt(-(10n ** 25n), 10n ** 25n), fc.nat(30))
    .map(([digits, scale]) => asDecimal(digits, scale)),
);
const someDouble = () => fc.oneof(
  fc.constantFrom(...DECIMALS),
  fc.double({noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300}).map(String),
);
const someMoment = () => fc.oneof(
  fc.constantFrom(...MOMENTS),
  fc.date({min: new Date('0001-01-02'), max: new Date('9999-01-01'), noInvalidDate: true})
    .map(date => date.toISOString()),
);

interface Column {
  /** Texts that the column can hold. */
  readonly held: fc.Arbitrary<string>;
  /** What a where clause can compare it with. */
  readonly operand: fc.Arbitrary<unknown>;
  /** Operators on which Node has to decide by itself, whatever the values. */
  readonly decided: 'all' | 'equality' | 'none';
  readonly takesPatterns?: boolean;
}

/** The columns but for the id, with values at the edges of their types. */
export const COLUMNS: Readonly<Record<string, Column>> = {
  small: {held: someWhole(32n), operand: fc.oneof(someWhole(32n), from(0, 1, 2.5, -1)),
    decided: 'all'},
  big: {held: someWhole(64n), operand: fc.oneof(someWhole(64n), from(0, 0.5, '1e3')),
    decided: 'all'},
  exact: {held: fc.oneof(someDecimal(), from(...ODD_NUMBERS) as fc.Arbitrary<string>),
    operand: someDecimal(), decided: 'all'},
  single: {
    held: from(...ODD_NUMBERS, '-0', '0.1', '1', '16777217') as fc.Arbitrary<string>,
    operand: from(0, 0.1, 1, 16777216), decided: 'none',
  },
  double: {held: fc.oneof(someDouble(), from(...ODD_NUMBERS) as fc.Arbitrary<string>),
    operand: someDouble(), decided: 'all'},
  flag: {held: from('true', 'false') as fc.Arbitrary<string>, operand: from(true, false),
    decided: 'all'},
  name: {held: someText(), operand: someText(), decided: 'all', takesPatterns: true},
  brief: {held: someText(), operand: someText(), decided: 'all', takesPatterns: true},
  german: {held: someText(), operand: someText(), decided: 'equality', takesPatterns: true},
  code: {held: from('', 'x', 'x ', 'y', 'ab') as fc.Arbitrary<string>,
    operand: from('x', 'x ', 'y', 'abcde'), decided: 'none'},
  mood: {held: from(...MOODS) as fc.Arbitrary<string>, operand: from(...MOODS),
    decided: 'equality', takesPatterns: true},
  ref: {held: fc.oneof(fc.constantFrom(...UUIDS), fc.uuid()),
    operand: fc.oneof(fc.constantFrom(...UUIDS, UUIDS[0].toUpperCase()), fc.uuid()),
    decided: 'all'},
  moment: {held: fc.oneof({weight: 9, arbitrary: someMoment()},
    {weight: 1, arbitrary: fc.constantFrom(...ODD_MOMENTS)}),
  operand: someMoment(), decided: 'all'},
  local: {held: someMoment(), operand: someMoment(), decided: 'all'},
  day: {held: someMoment().map(text => text.slice(0, 10)), operand: someMoment(), decided: 'all'},
  clock: {held: from('00:00:00', '12:30:00.123456', '24:00:00') as fc.Arbitrary<string>,
    operand: from('00:00:00', '12:30'), decided: 'none'},
  data: {held: from('1', '1.0', '"a"', '[1,2]', '{"a":1}', 'null') as fc.Arbitrary<string>,
    operand: from(1, '"a"'), decided: 'none'},
  words: {held: from('{}', '{a}', '{a,NULL}', '{"a b"}') as fc.Arbitrary<string>,
    operand: fc.constantFrom(['a'], [], ['a', 'b']), decided: 'none'},
  bytes: {held: from('\\x', '\\x00ff') as fc.Arbitrary<string>,
    operand: fc.constant(Buffer.from([0, 255])), decided: 'none'},
};

/** One comparison, and whether Node must not ask about it. */
export interface Leaf {
  readonly where: object;
  readonly property: string;
  readonly mustDecide: boolean;
}

export function someRow(): fc.Arbitrary<Texts> {
  const columns = Object.entries(COLUMNS).map(([name, {held}]) =>
    [name, fc.option(held, {freq: 6})]);
  return fc.record(Object.fromEntries(columns) as Record<string, fc.Arbitrary<string | null>>);
}

export function someLeaf(): fc.Arbitrary<Leaf> {
  return fc.oneof(...Object.entries(COLUMNS).map(([name, column]) => leafOf(name, column)));
}

function leafOf(property: string, column: Column): fc.Arbitrary<Leaf> {
  const operand = fc.option(column.operand, {freq: 8});
  const leaf = (operator: string, value: unknown, isEquality: boolean): Leaf => {
    const mustDecide = column.decided === 'all' || (column.decided === 'equality' && isEquality);
    return {where: {[property]: {[operator]: value}}, property, mustDecide};
  };
  const list = fc.array(operand, {maxLength: 4});
  return fc.oneof(
    operand.map(value => ({...leaf('eq', value, true), where: {[property]: value}})),
    operand.map(value => leaf('neq', value, true)),
    fc.tuple(fc.constantFrom('gt', 'gte', 'lt', 'lte'), operand)
      .map(([operator, value]) => leaf(operator, value, false)),
    fc.tuple(operand, operand).map(value => leaf('between', value, false)),
    fc.tuple(fc.constantFrom('inq', 'nin'), list)
      .map(([operator, value]) => leaf(operator, value, true)),
    fc.boolean().map(value => leaf('exists', value, true)),
    ...(column.takesPatterns ? [patterns(property, leaf)] : []),
  ).map(each => ({...each, mustDecide: each.mustDecide && !asksByNature(each.where)}));
}

function patterns(
  property: string,
  leaf: (operator: string, value: unknown, isEquality: boolean) => Leaf,
): fc.Arbitrary<Leaf> {
  const piece = fc.constantFrom('%', '_', 'a', 'A', 'b', '\\%', '\\_', '\\\\', 'ä', '🧰', 'i', 'I');
  const pattern = fc.array(piece, {maxLength: 5}).map(pieces => pieces.join(''));
  const expression = fc.constantFrom<string | RegExp>(
    '^a', 'b$', '^ab$', 'a', '', '^$', 'a.b', '[ab]', '/^A/i', /^A/i, /a/);
  return fc.oneof(
    fc.tuple(fc.constantFrom('like', 'nlike', 'ilike', 'nilike'), pattern)
      .map(([operator, value]) => leaf(operator, value, true)),
    expression.map(value => leaf('regexp', value, true)),
  );
}

/** Case beyond ASCII and regular expressions are the database's to judge. */
function asksByNature(where: object): boolean {
  const [condition] = Object.values(where) as unknown[];
  const operator = Object.keys((condition ?? {}) as object)[0];
  return operator === 'ilike' || operator === 'nilike' || operator === 'regexp';
}

/** A where of several comparisons, nested. */
export interface Tree {
  readonly where: object;
  readonly leaves: readonly Leaf[];
}

export function someTree(): fc.Arbitrary<Tree> {
  const combine = (kind: 'and' | 'or') => (parts: readonly Tree[]): Tree => ({
    where: {[kind]: parts.map(({where}) => where)},
    leaves: parts.flatMap(({leaves}) => leaves),
  });
  const {tree} = fc.letrec<{tree: Tree}>(tie => ({
    tree: fc.oneof({maxDepth: 2, depthSize: 'small'},
      someLeaf().map(leaf => ({where: leaf.where, leaves: [leaf]})),
      fc.array(tie('tree'), {maxLength: 3}).map(combine('and')),
      fc.array(tie('tree'), {minLength: 1, maxLength: 3}).map(combine('or'))),
  }));
  return tree;
}

export function someOrder(): fc.Arbitrary<string[]> {
  return fc.uniqueArray(
    fc.tuple(fc.constantFrom(...Object.keys(COLUMNS)), fc.constantFrom('ASC', 'DESC')),
    {selector: ([name]) => name, maxLength: 3},
  ).map(keys => keys.map(key => key.join(' ')));
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && Buffer.from(text).toString() === text;
}

function asDecimal(digits: bigint, scale: number): string {
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  const sign = digits < 0n ? '-' : '';
  return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}
