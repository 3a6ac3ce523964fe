import fc from 'fast-check';

/** Values that programs stumble over. */
const NASTY: readonly unknown[] = [
  null, true, 0, -1, 1.5, 1e308, 2 ** 53, -(2 ** 63), '', ' ', '\u0000', 'a\u0000b', '\ud800',
  '\u202e', '%', '__proto__', 'constructor', 'hasOwnProperty', 'toString', "'; DROP TABLE product",
  '9'.repeat(400), 'x'.repeat(20_000), [], {}, [[]], [null], {a: undefined}, {length: 1e9},
  {neq: null}, {regexp: '(a+)+$'}, {inq: []}, {and: []}, {or: [{}]}, {like: '%'}, {toJSON: 1},
  JSON.parse('{"__proto__": {"polluted": true}}'), JSON.parse('{"constructor": {"prototype": 1}}'),
  deep(20), deep(200), Array.from({length: 3000}, (_, i) => i),
  new Date(0).toISOString(), 'NaN', 'Infinity', '1e999', {$ne: 1}, {then: 'x'}, {catch: {}},
];

/** Anything that JSON can say, odd values more often than by chance. */
export const nasty: fc.Arbitrary<unknown> = fc.oneof(
  {weight: 3, arbitrary: fc.constantFrom(...NASTY)},
  {weight: 1, arbitrary: fc.jsonValue({maxDepth: 4})},
  {weight: 1, arbitrary: fc.string({unit: 'binary', maxLength: 50})},
  {weight: 1, arbitrary: fc.double()},
);

/** A well-formed value of which some parts became something else, went missing or are too many. */
export function mutated(whole: object): fc.Arbitrary<unknown> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(3), nasty), {maxLength: 3});
  return changes.map(list => {
    let value: unknown = structuredClone(whole);
    for (const [place, kind, put] of list) {
      value = changed(value, place, kind, structuredClone(put));
    }
    return value;
  });
}

/** Changes the part with this number, counted from the outside and round again. */
function changed(value: unknown, place: number, kind: number, put: unknown): unknown {
  const spots: [Record<string, unknown>, string][] = [];
  const open: unknown[] = [value];
  for (let item = open.pop(); item !== undefined && spots.length < 500; item = open.pop()) {
    if (typeof item !== 'object' || item === null) continue;
    for (const name of Object.keys(item)) {
      spots.push([item as Record<string, unknown>, name]);
      open.push((item as Record<string, unknown>)[name]);
    }
  }
  if (spots.length === 0 || place % (spots.length + 1) === spots.length) return put;
  const [holder, name] = spots[place % (spots.length + 1)];
  if (kind === 0) delete holder[name];
  else if (kind === 1) holder[`${name}x`] = put;
  else holder[name] = put;
  return value;
}

function deep(levels: number): object {
  let value: object = {};
  for (let i = 0; i < levels; i++) value = i % 2 ? [value] : {a: value};
  return value;
}
