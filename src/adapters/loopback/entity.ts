import type {juggler} from '@loopback/repository';
import type {EntityShape, PropertyKind, PropertyShape} from '../../core/shape';
import type {JugglerModelClass, JugglerProperty} from '../../mixins/juggler';

/** The entity of a repository, as its juggler model defines it. */
export interface LoopbackEntity {
  readonly shape: EntityShape;
  readonly model: JugglerModelClass;
}

/** The parts of a data source's connector that are looked at here. */
interface Connector {
  readonly name?: string;
  readonly beginTransaction?: unknown;
  readonly multiInsertSupported?: boolean;
}

export function connectorOf({dataSource}: JugglerModelClass): Connector {
  return ((dataSource as juggler.DataSource).connector ?? {}) as Connector;
}

/** Whether reads can be made at one snapshot, and a statement that fails has written nothing. */
export function hasTransactions(model: JugglerModelClass): boolean {
  return typeof connectorOf(model).beginTransaction === 'function';
}

/** Learns what the core must know of an entity from its model, whatever the connector. */
export function describeEntity(model: JugglerModelClass): LoopbackEntity {
  const {properties: given, settings} = model.definition;
  const hiddenNames = (settings.hiddenProperties ?? []) as readonly string[];
  const properties: Record<string, PropertyShape> = {};
  for (const [name, property] of Object.entries(given)) {
    const encrypted = Boolean(property.encrypt);
    properties[name] = {
      kind: encrypted ? 'opaque' : kindOf(property, model),
      hidden: hiddenNames.includes(name) || property.hidden === true,
      encrypted,
    };
  }
  const ids = Object.keys(given)
    .filter(name => given[name].id)
    .sort((a, b) => Number(given[a].id) - Number(given[b].id));
  const shape: EntityShape = {
    name: model.modelName,
    ids,
    properties,
    ...('_isDeleted' in given && {deletedFlag: '_isDeleted'}),
    ...('_version' in given && {versionProperty: '_version'}),
  };
  return {shape, model};
}

/** What rounds a value differently in a column than Node does. */
const FLOATS = /float|real|double/i;

/**
 * How Node may compare a property of which only the model is known. How texts compare is known of
 * PostgreSQL alone, and there only whether they are equal.
 */
function kindOf(property: JugglerProperty, model: JugglerModelClass): PropertyKind {
  const connector = connectorOf(model).name ?? '';
  const column = (property[connector] ?? {}) as {readonly dataType?: string};
  const {dataType = ''} = column;
  switch (property.type as unknown) {
    case Number:
      return FLOATS.test(dataType) ? 'opaque' : 'number';
    case Boolean:
      return 'boolean';
    case Date:
      return dataType === '' ? 'date' : 'opaque';
    case String:
      return connector === 'postgresql' && /^(|text|varchar)$/.test(dataType)
        ? 'collated'
        : 'opaque';
    default:
      return 'opaque';
  }
}
