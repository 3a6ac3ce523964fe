import assert from 'node:assert/strict';
import type {BehaviourName, ChangeKind, ChangeRequest} from '../../../mixins/behaviour';
import {VersionRequiredError} from '../../../mixins/errors';
import type {LiveOptions} from '../../../mixins/options';
import type {ChangePlan, Row} from '../../../mixins/plan';
import {behavioursNamed, conjunction, planChange, planInsert} from '../../../mixins/planner';

const ALL: BehaviourName[] = ['version', 'audit', 'softDelete', 'history', 'crypto'];
const NOW = new Date('2026-01-01T00:00:00Z');
const LIVE = {or: [{_isDeleted: false}, {_isDeleted: null}]};
const BY_ALICE = {
  _modifiedBy: {kind: 'value', value: 'alice'},
  _modifiedOn: {kind: 'value', value: NOW},
};

describe('write planner', () => {
  it('plans the same whatever the order of the names', () => {
    const options = {bumpVersion: false};
    const request = givenRequest('update', {input: {_version: 'v1'}, options});
    const plans = [ALL, [...ALL].reverse()].map(names =>
      planChange(behavioursNamed(new Set(names)), request, {name: 'x'}, {id: 1}),
    );
    assert.deepEqual(plans[0], plans[1]);
  });

  it('plans a write without behaviours as it is', () => {
    const plan = planChange([], givenRequest('update'), {name: 'x'}, {id: 1});
    assert.deepEqual(plan, {
      kind: 'change',
      single: true,
      where: {id: 1},
      revision: undefined,
      data: {name: 'x'},
      unlessSame: false,
      replace: false,
      keep: [],
      assign: {},
    });
  });

  it('merges what every behaviour adds to an update', () => {
    const plan = givenPlan(ALL, 'update', {input: {_version: 'v1', _newVersion: 'v2'}});
    const another = {or: [{_oldVersion: null}, {_oldVersion: {neq: 'v2'}}]};
    const checked = {and: [{_version: 'v1'}, another]};
    assert.deepEqual(plan.where, {and: [{id: 1}, LIVE, checked]});
    assert.deepEqual(plan.assign, {
      _version: {kind: 'value', value: 'v2'},
      _oldVersion: {kind: 'previous', property: '_version'},
      ...BY_ALICE,
      _revision: {kind: 'nextRevision'},
      _validFrom: {kind: 'stateBegins'},
    });
    assert.equal(plan.revision?.operation, 'update');
  });

  it('looks for a version in the history only where the caller has named it', () => {
    const unused = (names: BehaviourName[], input: Row) => {
      const plan = givenPlan(names, 'update', {input: {_version: 'v1', ...input}});
      return plan.kind === 'change' ? [plan.unused, JSON.stringify(plan.where)] : [];
    };
    const [none, plainly] = unused(ALL, {});
    assert.equal(none, undefined);
    assert.ok(!plainly!.includes('_oldVersion'));
    assert.equal(unused(ALL, {_newVersion: 'v2'})[0], 'v2');
    assert.equal(unused(['version'], {_newVersion: 'v2'})[0], undefined);
  });

  it('drops what only behaviours write from the data', () => {
    const counters = {_revision: 9, _validFrom: NOW};
    const forged = {_version: 'v1', _isDeleted: true, _createdBy: 'me', ...counters};
    const plan = givenPlan(ALL, 'replace', {input: forged, data: {...forged, name: 'x'}});
    assert.deepEqual(plan.data, {name: 'x'});
    const behaviours = behavioursNamed(new Set(ALL));
    const insert = planInsert(behaviours, [{...forged, name: 'x'}], givenContext());
    assert.deepEqual(insert.rows[0].data, {name: 'x'});
  });

  it('keeps what a replace must not empty', () => {
    const {keep, replace} = givenPlan(ALL, 'replace', {input: {_version: 'v1'}});
    assert.ok(replace);
    for (const name of ['_createdBy', '_createdOn', '_type', '_isDeleted', '_version']) {
      assert.ok(keep.includes(name), name);
    }
  });

  it('gives rows of a bulk write versions of their own and checks none', () => {
    const plan = givenPlan(['version'], 'update', {single: false, id: undefined});
    assert.deepEqual(plan.assign._version, {kind: 'uuid'});
    assert.deepEqual(plan.where, {id: 1});
  });

  const fates: [BehaviourName[], ChangeKind, LiveOptions, 'change' | 'remove', object?][] = [
    [['softDelete'], 'delete', {}, 'change', LIVE],
    [['softDelete'], 'delete', {withDeleted: true}, 'change', LIVE],
    [['softDelete'], 'delete', {hard: true}, 'remove', LIVE],
    [['softDelete'], 'delete', {hard: true, withDeleted: true}, 'remove'],
    [['softDelete'], 'delete', {hard: true, onlyDeleted: true}, 'remove', {_isDeleted: true}],
    [['softDelete'], 'purge', {}, 'remove', {_isDeleted: true}],
    [['softDelete'], 'restore', {}, 'change', {_isDeleted: true}],
    [['softDelete'], 'update', {withDeleted: true}, 'change'],
    [['history'], 'delete', {}, 'remove'],
  ];
  for (const [names, kind, options, fate, guard] of fates) {
    it(`${kind} with ${names.join()} and ${JSON.stringify(options)} is a ${fate}`, () => {
      const plan = givenPlan(names, kind, {options});
      assert.equal(plan.kind, fate);
      assert.deepEqual(plan.where, guard ? {and: [{id: 1}, guard]} : {id: 1});
    });
  }

  it('leaves a row as it is that has the data already, unless a new version is asked for', () => {
    const unlessSame = (names: BehaviourName[], kind: ChangeKind, given = {}) =>
      givenPlan(names, kind, {options: {version: 'v1'}, ...given}).unlessSame;
    for (const kind of ['update', 'replace'] as const) {
      for (const name of ALL.slice(0, 2)) assert.equal(unlessSame([name], kind), true);
      assert.equal(unlessSame(['softDelete', 'crypto'], kind), false);
      assert.equal(unlessSame(ALL, kind, {input: {_newVersion: 'v2'}}), false);
      assert.equal(unlessSame(ALL, kind, {options: {version: 'v1', bumpVersion: true}}), false);
      assert.equal(unlessSame(['version'], kind, {options: {bumpVersion: false}}), false);
      assert.equal(unlessSame(ALL, kind, {sealed: true}), false);
    }
    for (const kind of ['delete', 'restore'] as const) assert.equal(unlessSame(ALL, kind), false);
  });

  it('notes who ended a state and why', () => {
    const options = {onBehalfOf: 'carol', reason: 'typo', requestId: 'r1'};
    const plan = givenPlan(['history'], 'delete', {options});
    assert.deepEqual(plan.revision, {operation: 'delete', by: 'alice', ...options});
  });

  const needed: [ChangeKind, boolean][] =
    [['update', true], ['replace', true], ['delete', true], ['restore', false], ['purge', false]];
  for (const [kind, needs] of needed) {
    it(`${kind} by id ${needs ? 'needs' : 'does not need'} a version`, () => {
      const plan = () => givenPlan(['version'], kind);
      if (needs) assert.throws(plan, VersionRequiredError);
      else assert.doesNotThrow(plan);
    });
  }

  it('combines conditions without merging their keys', () => {
    const or = {or: [{a: 1}]};
    assert.deepEqual(conjunction([{t: 1, ...or}, undefined, {}, or]), {and: [{t: 1, ...or}, or]});
    assert.deepEqual(conjunction([undefined, {}]), {});
    assert.deepEqual(conjunction([or]), or);
  });
});

function givenContext() {
  return {entityName: 'Product', actor: 'alice', now: NOW, options: {}};
}

function givenRequest(kind: ChangeKind, given: Partial<ChangeRequest> = {}): ChangeRequest {
  return {...givenContext(), kind, single: true, id: 1, input: {}, ...given};
}

function givenPlan(
  names: BehaviourName[],
  kind: ChangeKind,
  {data = {}, ...given}: Partial<ChangeRequest> & {data?: Row} = {},
): AnyPlan {
  const behaviours = behavioursNamed(new Set(names));
  return planChange(behaviours, givenRequest(kind, given), data, {id: 1}) as AnyPlan;
}

/** A change or a removal; the latter has no data. */
type AnyPlan = Omit<ChangePlan, 'kind'> & {kind: 'change' | 'remove'};
