import fc from 'fast-check';

/** What a caller can put into a row. */
export interface Data {
  readonly name?: string;
  readonly qty?: number | null;
  readonly tags?: readonly string[] | null;
  readonly secret?: string | null;
}

export type Condition =
  | {readonly all: true}
  | {readonly ids: readonly string[]}
  | {readonly name: string}
  | {readonly qtyAbove: number}
  | {readonly either: readonly [string, number]};

/** Options of a call, in the words of the model. */
export interface CallOptions {
  readonly by?: 'alice' | 'bob';
  readonly reason?: string;
  readonly onBehalfOf?: string;
  readonly bump?: boolean;
  readonly see: 'live' | 'withDeleted' | 'onlyDeleted';
}

/** Which version a write names, and where. */
export type Named = 'none' | 'stale' | 'current in data' | 'current in options';

interface Called {
  readonly options: CallOptions;
}

interface OfOne extends Called {
  readonly id: string;
  readonly version: Named;
}

export type Write =
  | (Called & {readonly do: 'create' | 'createAll'; readonly rows: readonly NewRow[]})
  | (OfOne & {
      readonly do: 'updateById' | 'update' | 'replaceById' | 'save';
      readonly data: Data;
    })
  | (Called & {readonly do: 'updateAll'; readonly data: Data; readonly where: Condition})
  | (OfOne & {readonly do: 'deleteById' | 'delete'; readonly hard: boolean})
  | (Called & {readonly do: 'deleteAll'; readonly where: Condition; readonly hard: boolean})
  | (OfOne & {readonly do: 'restoreById'})
  | (Called & {readonly do: 'restoreAll' | 'purge'; readonly where: Condition})
  | (OfOne & {readonly do: 'revertTo'; readonly revision: number})
  | {readonly do: 'pruneHistory'; readonly keepLast?: number; readonly olderThan?: number}
  | {readonly do: 'redactHistory'; readonly id: string; readonly fields: readonly (keyof Data)[]};

export interface NewRow extends Data {
  readonly id: string;
  readonly name: string;
}

export type Step =
  | Write
  | {
      readonly do: 'look';
      readonly id: string;
      readonly where: Condition;
      readonly see: CallOptions['see'];
      /** A moment that has passed, counted back from the last one. */
      readonly moment: number;
      readonly revisions: readonly [number, number];
    }
  | {readonly do: 'transaction'; readonly writes: readonly Write[]; readonly commits: boolean};

const IDS = ['a', 'b', 'c'];
const NAMES = ['one', 'two', 'three'];

/** Plain objects, which print as what they are. */
const record: typeof fc.record = (model: object, constraints: object = {}) =>
  fc.record(model, {...constraints, noNullPrototype: true}) as never;

const id = fc.constantFrom(...IDS);
const name = fc.constantFrom(...NAMES);
const qty = fc.constantFrom(0, 1, 2.5);
const version = fc.oneof(
  {weight: 5, arbitrary: fc.constantFrom<Named>('current in data', 'current in options')},
  {weight: 1, arbitrary: fc.constantFrom<Named>('stale', 'none')},
);
const see = fc.oneof(
  {weight: 4, arbitrary: fc.constant<CallOptions['see']>('live')},
  {weight: 1, arbitrary: fc.constantFrom<CallOptions['see']>('withDeleted', 'onlyDeleted')},
);

const rest = {
  qty: fc.option(qty),
  tags: fc.option(fc.subarray(['x', 'y', 'z'])),
  secret: fc.option(fc.constantFrom('s1', 's2', '')),
};
const newRow: fc.Arbitrary<NewRow> = record({id, name, ...rest}, {requiredKeys: ['id', 'name']});
const patch: fc.Arbitrary<Data> = fc
  .record({name, ...rest}, {requiredKeys: []})
  .filter(data => Object.keys(data).length > 0);
const whole: fc.Arbitrary<Data> = record({name, ...rest}, {requiredKeys: ['name']});

const where: fc.Arbitrary<Condition> = fc.oneof(
  fc.constant<Condition>({all: true}),
  record({ids: fc.subarray(IDS)}),
  record({name}),
  record({qtyAbove: qty}),
  record({either: fc.tuple(name, qty)}),
);

const options: fc.Arbitrary<CallOptions> = record(
  {
    see,
    by: fc.constantFrom('alice', 'bob'),
    reason: fc.constant('a reason'),
    onBehalfOf: fc.constant('carol'),
    bump: fc.boolean(),
  },
  {requiredKeys: ['see']},
);

const hard = fc.oneof(
  {weight: 3, arbitrary: fc.constant(false)},
  {weight: 1, arbitrary: fc.constant(true)},
);
const ofOne = {id, version, options};
const method = <const D extends string>(...names: D[]) => fc.constantFrom(...names);

const write: fc.Arbitrary<Write> = fc.oneof(
  {
    weight: 3,
    arbitrary: record({
      do: fc.constant('create' as const),
      rows: fc.array(newRow, {minLength: 1, maxLength: 1}),
      options,
    }),
  },
  record({
    do: fc.constant('createAll' as const),
    rows: fc.array(newRow, {maxLength: 3}),
    options,
  }),
  {weight: 5, arbitrary: record({do: method('updateById', 'update'), data: patch, ...ofOne})},
  {weight: 2, arbitrary: record({do: method('replaceById', 'save'), data: whole, ...ofOne})},
  {weight: 2, arbitrary: record({do: method('updateAll'), data: patch, where, options})},
  {weight: 2, arbitrary: record({do: method('deleteById', 'delete'), hard, ...ofOne})},
  record({do: method('deleteAll'), where, hard, options}),
  {weight: 2, arbitrary: record({do: method('restoreById'), ...ofOne})},
  record({do: method('restoreAll', 'purge'), where, options}),
  record({do: method('revertTo'), revision: fc.integer({min: 1, max: 4}), ...ofOne}),
);

const tending: fc.Arbitrary<Write> = fc.oneof(
  record({do: method('pruneHistory'), keepLast: fc.nat(2)}),
  record({do: method('pruneHistory'), olderThan: fc.nat(3)}),
  record({
    do: method('redactHistory'),
    id,
    fields: fc.subarray<keyof Data>(['qty', 'tags', 'secret'], {minLength: 1}),
  }),
);

/** Sequences of calls. Those in a transaction are only made where there are transactions. */
export function steps(transactions: boolean): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    {weight: 12, arbitrary: write},
    {weight: 1, arbitrary: tending},
    {
      weight: 3,
      arbitrary: record({
        do: method('look'),
        id,
        where,
        see,
        moment: fc.nat(4),
        revisions: fc.tuple(fc.nat(4), fc.nat(4)),
      }),
    },
    {
      weight: transactions ? 3 : 0,
      arbitrary: record({
        do: method('transaction'),
        writes: fc.array(write, {minLength: 1, maxLength: 4}),
        commits: fc.boolean(),
      }),
    },
  );
  return fc.array(step, {minLength: 1, maxLength: 25, size: 'max'});
}
