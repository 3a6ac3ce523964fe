import assert from 'node:assert/strict';
import fc from 'fast-check';
import {audienceOf} from '../../../core/audience';

interface Person {
  readonly id: string;
  readonly role?: string;
  readonly level: number;
}

const ADA: Person = {id: 'ada', role: 'buyer', level: 5};
const BEN: Person = {id: 'ben', role: 'buyer', level: 9};

describe('an audience', () => {
  it('leaves of a person what its rule looked at', () => {
    const {principal} = audienceOf(({role}) => String(role), ADA);
    assert.deepEqual(principal, {role: 'buyer'});
  });

  it('is one for those of whom the rule saw the same', () => {
    const rule = ({role}: Person) => String(role);
    assert.equal(audienceOf(rule, ADA).key, audienceOf(rule, BEN).key);
  });

  it('is another for those of whom the rule saw more than it said', () => {
    const rule = ({level}: Person) => (level > 3 ? 'high' : 'low');
    assert.notEqual(audienceOf(rule, ADA).key, audienceOf(rule, BEN).key);
  });

  it('knows all of a person whose rule copied all', () => {
    assert.deepEqual(audienceOf(who => JSON.stringify(who), ADA).principal, ADA);
    assert.deepEqual(audienceOf(who => ({...who}).id, ADA).principal, ADA);
  });

  it('tells nobody from somebody of whom nothing was looked at', () => {
    const [nobody, somebody] = [audienceOf(() => 'all', undefined), audienceOf(() => 'all', ADA)];
    assert.equal(nobody.principal, undefined);
    assert.deepEqual(somebody.principal, {});
    assert.notEqual(nobody.key, somebody.key);
  });

  it('tells what is absent from what is undefined by name alone', () => {
    const rule = (who: Person) => ('role' in who ? String(who.role) : 'none');
    const {id, level} = ADA;
    assert.notEqual(audienceOf(rule, {id, level}).key, audienceOf(rule, ADA).key);
  });

  it('tells apart what JSON would not', () => {
    class Role {
      constructor(private readonly name: string) {}
      toJSON(): string {
        return 'a role';
      }
      get shown(): string {
        return this.name;
      }
    }
    const rule = (who: {groups: unknown}) => `some ${typeof who.groups}`;
    const pairs: [unknown, unknown][] = [
      [new Set(['a']), new Set(['b'])], [new Map([['a', 1]]), new Map([['a', 2]])],
      [new Set(), {}], [NaN, null], [5n, 6n], [/a/, /b/], [/a/, '/a/'], [undefined, null],
      [new Role('a'), new Role('b')], [() => 'a', () => 'b'], [new Date(5), new Date(5).toJSON()],
      [Buffer.from('a'), Buffer.from('b')], [{a: undefined}, {}], [[undefined], [null]],
    ];
    for (const [a, b] of pairs) {
      const [x, y] = [a, b].map(groups => audienceOf(rule, {groups}).key);
      assert.notEqual(x, y, `${typeof a}: ${String(a)}`);
    }
  });

  it('is one for those who are the same, whatever they are made of', () => {
    class Person {
      constructor(readonly groups: Set<string>, readonly since: Date) {}
      isIn(group: string): boolean {
        return this.groups.has(group);
      }
    }
    const rule = (who: Person) => `${who.isIn('staff')} ${who.since.getFullYear()}`;
    const [a, b] = [1, 2].map(() => new Person(new Set(['staff']), new Date(5)));
    assert.equal(audienceOf(rule, a).key, audienceOf(rule, b).key);
    const circle: Record<string, unknown> = {};
    circle.itself = circle;
    assert.equal(audienceOf(who => String(typeof who.itself), circle).key.includes('circle'), true);
  });

  it('has equal keys only for equal principals, whatever the rule looks at', () => {
    const person = fc.record({
      id: fc.string(), role: fc.option(fc.string(), {nil: undefined}), level: fc.integer(),
    });
    const looks = fc.subarray<keyof Person>(['id', 'role', 'level']);
    fc.assert(fc.property(person, person, looks, (a, b, names) => {
      const rule = (who: Person) => `seen ${names.map(name => typeof who[name]).join()}`;
      const [x, y] = [audienceOf(rule, a), audienceOf(rule, b)];
      if (x.key === y.key) assert.deepEqual(x.principal, y.principal);
    }));
  });
});
