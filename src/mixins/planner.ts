import type {Behaviour, BehaviourName, ChangeRequest, WriteContext} from './behaviour';
import {auditBehaviour} from './behaviours/audit';
import {cryptoBehaviour} from './behaviours/crypto';
import {historyBehaviour} from './behaviours/history';
import {softDeleteBehaviour} from './behaviours/soft-delete';
import {namedVersion, versionBehaviour} from './behaviours/version';
import type {Assignments, ChangePlan, Condition, InsertPlan, RemovePlan, Row} from './plan';

/** All behaviours in the order in which they are merged, whatever the order of the decorators. */
const MERGE_ORDER: readonly Behaviour[] = [
  softDeleteBehaviour,
  versionBehaviour,
  auditBehaviour,
  historyBehaviour,
  cryptoBehaviour,
];

/** The behaviours with these names, in merge order. */
export function behavioursNamed(names: ReadonlySet<BehaviourName>): readonly Behaviour[] {
  return MERGE_ORDER.filter(behaviour => names.has(behaviour.name));
}

/** Plans new rows from the caller's data. */
export function planInsert(
  behaviours: readonly Behaviour[],
  inputs: readonly Row[],
  context: WriteContext,
): InsertPlan {
  return {
    kind: 'insert',
    empty: ownedProperties(behaviours),
    rows: inputs.map(input => ({
      data: without(input, ownedProperties(behaviours)),
      assign: merged(behaviours, behaviour => behaviour.insert?.(input, context)),
    })),
  };
}

/**
 * Plans a write of existing rows.
 *
 * @param data - The caller's data, encrypted where it has to be
 * @param where - Which rows the caller means; behaviours add their own conditions
 */
export function planChange(
  behaviours: readonly Behaviour[],
  request: ChangeRequest,
  data: Row,
  where: Condition,
): ChangePlan | RemovePlan {
  const {kind, single} = request;
  const scope = {
    single,
    where: conjunction([where, ...behaviours.map(b => b.condition?.(request))]),
    ...(request.checked && {checked: request.checked}),
    revision: behaviours.find(b => b.revision)?.revision?.(request),
  };
  if (removes(behaviours, request)) return {kind: 'remove', ...scope};
  const assign = merged(behaviours, behaviour => behaviour.change?.(request));
  const unused = '_version' in assign && scope.revision ? namedVersion(request) : undefined;
  return {
    kind: 'change',
    ...scope,
    ...(unused !== undefined && {unused}),
    data: without(data, ownedProperties(behaviours)),
    unlessSame: mayChangeNothing(request) && Object.keys(assign).length > 0,
    replace: kind === 'replace',
    keep: [...behaviours.flatMap(b => b.kept), ...(request.kept ?? [])],
    assign,
  };
}

/**
 * Whether a write that leaves the data as it is must leave versions, stamps and the history alone
 * too. One that asks for a new version is a change by itself.
 */
function mayChangeNothing({kind, input, options, sealed}: ChangeRequest): boolean {
  if (sealed || (kind !== 'update' && kind !== 'replace')) return false;
  return options.bumpVersion !== true && (input._newVersion ?? undefined) === undefined;
}

/** `{and: […]}` of what is there, never a merge of keys: a caller's `or` must survive. */
export function conjunction(conditions: readonly (Condition | undefined)[]): Condition {
  const present = conditions.filter(
    (condition): condition is Condition => !!condition && Object.keys(condition).length > 0,
  );
  return present.length > 1 ? {and: present} : (present[0] ?? {});
}

function removes(behaviours: readonly Behaviour[], {kind, options}: ChangeRequest): boolean {
  if (kind === 'purge') return true;
  return kind === 'delete' && (!!options.hard || !behaviours.includes(softDeleteBehaviour));
}

const owned = new WeakMap<readonly Behaviour[], ReadonlySet<string>>();

/** What only behaviours write; computed once for each repository's behaviours. */
function ownedProperties(behaviours: readonly Behaviour[]): ReadonlySet<string> {
  let names = owned.get(behaviours);
  if (!names) {
    names = new Set(behaviours.flatMap(b => Object.keys({...b.properties, ...b.internal})));
    owned.set(behaviours, names);
  }
  return names;
}

function without(row: Row, names: ReadonlySet<string>): Row {
  const rest: Row = {};
  for (const name of Object.keys(row)) if (!names.has(name)) rest[name] = row[name];
  return rest;
}

function merged(
  behaviours: readonly Behaviour[],
  contribution: (behaviour: Behaviour) => Assignments | undefined,
): Assignments {
  return Object.assign({}, ...behaviours.map(contribution));
}
