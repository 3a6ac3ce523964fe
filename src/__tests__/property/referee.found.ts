import type {Texts, Tree} from '../support/every-type';

/** What the property test has found once, shrunk; it is tried first ever since. */
export const FOUND: {
  readonly matches: [Texts[], Tree[]][];
  readonly orders: [Texts[], string[][]][];
} = {
  matches: [
    // NaN is null in JSON, and not NULL.
    [[{single: 'NaN'}], [single({single: {gt: 0}}, 'single')]],
    // A buffer is a value, and no object of operators.
    [[{bytes: '\\x00ff'}, {}], [single({bytes: Buffer.from([0, 255])}, 'bytes')]],
    // An empty list of lists.
    [
      [{words: '{a}'}, {}],
      [single({words: {inq: []}}, 'words'), single({words: {nin: []}}, 'words')],
    ],
  ],
  orders: [
    [[{single: 'NaN'}, {single: null}], [['single DESC']]],
    // So is JSON's own null.
    [[{data: 'null'}, {data: '{"a":1}'}, {data: null}], [['data ASC']]],
  ],
};

function single(where: object, property: string): Tree {
  return {where, leaves: [{where, property, mustDecide: false}]};
}
