import type {ModelDefinition} from '@loopback/repository';
import type {BehaviourName} from './behaviour';
import {assertIsHistory, assertUsableNames} from './identifiers';
import type {JugglerModelClass} from './juggler';
import {LiveEntity, type EntityClass} from './live-entity';
import {
  addProperties,
  completeStoredModel,
  has,
  historyDefinition,
  storedDefinition,
} from './model-definition';
import {behavioursNamed} from './planner';

type Definer = (definition: ModelDefinition) => unknown;

/** What repositories of one entity share, by the juggler model and the behaviours. */
const liveEntities = new WeakMap<object, Map<string, LiveEntity>>();

/** The shared part of a repository; completes the models of entity and history on first use. */
export function liveEntityOf(
  entityClass: EntityClass,
  modelClass: unknown,
  names: Set<BehaviourName>,
  define: Definer,
): LiveEntity {
  const model = modelClass as JugglerModelClass;
  const behaviours = behavioursNamed(names);
  const key = behaviours.map(b => b.name).join();
  const known = liveEntities.get(model) ?? new Map<string, LiveEntity>();
  liveEntities.set(model, known);
  let live = known.get(key);
  if (!live) {
    addProperties(entityClass, behaviours);
    const stored = storedDefinition(entityClass.definition, behaviours, model.dataSource);
    completeStoredModel(model, stored);
    assertUsableNames(model);
    const history = has(behaviours, 'history') ? historyModel(model, stored, define) : undefined;
    live = new LiveEntity(entityClass, behaviours, model, history);
    known.set(key, live);
    shareHiddenColumns([...known.values()]);
  }
  return live;
}

/** Repositories of one entity with different behaviours share its juggler model. */
function shareHiddenColumns(all: readonly LiveEntity[]): void {
  const hidden = [...new Set(all.flatMap(live => live.internal))];
  for (const live of all) live.hidden = hidden;
}

function historyModel(
  {dataSource, definition}: JugglerModelClass,
  stored: ModelDefinition,
  define: Definer,
): JugglerModelClass {
  const history = historyDefinition(stored, definition.idName());
  const known = dataSource.getModel(history.name) as unknown as JugglerModelClass | undefined;
  if (known) assertIsHistory(definition.name, known);
  return known ?? (define(history) as JugglerModelClass);
}
