import type {Entity, PropertyDefinition} from '@loopback/repository';
import type {UserProfile} from '@loopback/security';
import {typeNameOf, type JugglerProperty} from '../../adapters/postgres/juggler';
import {UNKNOWN, type ScopeRule} from '../../core/scope';
import type {EntityShape, PropertyKind} from '../../core/shape';
import type {Behaviour} from '../../mixins/behaviour';
import {userName} from '../../mixins/options';
import type {Assigned} from '../../mixins/plan';
import {planInsert} from '../../mixins/planner';
import {SYSTEM_USER} from '../../mixins/surroundings';
import type {Row} from '../../protocol/page';
import type {FoundRepository} from './registry';

/** The scopes that `@realtime` declares, by entity. */
export function collectScopes(found: readonly FoundRepository[]): Map<string, ScopeRule> {
  const rules = found
    .filter(({definition}) => definition.scope)
    .map(each => [each.name, ruleOf(each)] as const);
  return new Map(rules);
}

function ruleOf({repository, definition}: FoundRepository): ScopeRule {
  const {entityClass} = repository;
  const behaviours = behavioursIn(repository);
  return {
    shape: shapeOf(entityClass),
    of: who => definition.scope!(who as UserProfile),
    newRow: (data, who) => newRow(entityClass, behaviours, data, who as UserProfile),
  };
}

function behavioursIn(repository: object): readonly Behaviour[] {
  const {live} = repository as {live?: {behaviours: readonly Behaviour[]}};
  return live?.behaviours ?? [];
}

/** What is known of a new row: the model's defaults, the data, and what behaviours put there. */
function newRow(
  {modelName, definition}: typeof Entity,
  behaviours: readonly Behaviour[],
  data: Row,
  who: UserProfile,
): Row {
  const actor = userName(who) ?? SYSTEM_USER;
  const context = {entityName: modelName, actor, now: new Date(), options: {}};
  const [{data: own, assign}] = planInsert(behaviours, [data], context).rows;
  return {...mapped(definition.properties, defaultOf), ...own, ...mapped(assign, valueOf)};
}

function defaultOf({default: fixed, defaultFn}: PropertyDefinition): unknown {
  return defaultFn || typeof fixed === 'function' ? UNKNOWN : fixed;
}

function valueOf(assigned: Assigned): unknown {
  return assigned.kind === 'value' ? assigned.value : UNKNOWN;
}

function mapped<T>(values: Readonly<Record<string, T>>, map: (value: T) => unknown): Row {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}

/** An entity by its model alone, on whatever connector it is. */
function shapeOf(entityClass: typeof Entity): EntityShape {
  const {properties} = entityClass.definition;
  return {
    name: entityClass.modelName,
    ids: entityClass.getIdProperties(),
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, property]) => {
        const encrypted = Boolean(property.encrypt);
        const kind = encrypted ? 'opaque' : kindOf(property);
        return [name, {kind, encrypted, hidden: property.hidden === true}];
      }),
    ),
  };
}

/** Of columns with a type of their own, Node knows how UUIDs and texts of any length compare. */
function kindOf(property: PropertyDefinition): PropertyKind {
  const columnType = String(property.postgresql?.dataType ?? '').toLowerCase();
  switch (typeNameOf(property as JugglerProperty).toLowerCase()) {
    case 'string':
      if (columnType === 'uuid') return 'uuid';
      return /^(|text|varchar.*|character varying.*)$/.test(columnType) ? 'collated' : 'opaque';
    case 'number':
      return /^(real|float4)/.test(columnType) ? 'opaque' : 'number';
    case 'boolean':
      return 'boolean';
    case 'date':
      return 'date';
    default:
      return 'opaque';
  }
}
