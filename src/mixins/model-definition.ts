import {
  ModelDefinition,
  type juggler,
  type Model,
  type PropertyDefinition,
} from '@loopback/repository';
import {addProperty, type WithDefinition} from './add-property';
import type {Behaviour, BehaviourName} from './behaviour';
import {MIXIN_NAMES} from './behaviours-of';
import {versionBehaviour} from './behaviours/version';
import {
  asCiphertext,
  indexesOfCiphertext,
  namesOfBlindIndexes,
  searchColumns,
} from './encrypted-columns';
import {embeddedColumn} from './embedded/definition';
import {fits, identifier} from './identifiers';
import type {JugglerModelClass} from './juggler';
import {hasPartialIndexes, uniqueAmongLive} from './live-unique';
import type {Row} from './plan';

/** Adds what the behaviours need to the entity's definition, where the model does not have it. */
export function addProperties(entity: WithDefinition, behaviours: readonly Behaviour[]): void {
  for (const {properties} of behaviours) {
    for (const [name, property] of Object.entries(properties)) {
      addProperty(entity, name, property);
    }
  }
}

/**
 * The definition of what is stored: without properties that are input only, with the columns that
 * the entity hides, and with text columns for what is encrypted.
 */
export function storedDefinition(
  definition: ModelDefinition,
  behaviours: readonly Behaviour[],
  dataSource: juggler.DataSource,
): ModelDefinition {
  // Another repository of the entity may have made it versioned.
  const versions = '_version' in definition.properties ? versionBehaviour.inputOnly : [];
  const inputOnly = new Set([...behaviours.flatMap(b => b.inputOnly), ...versions]);
  const added = new Set(behaviours.flatMap(b => Object.keys(b.properties)));
  const encrypts = behaviours.some(b => b.name === 'crypto');
  const stored = new ModelDefinition({
    name: definition.name,
    settings: {
      ...settingsForJuggler(definition),
      ...(encrypts ? {indexes: indexesOfCiphertext(definition)} : {}),
    },
    relations: definition.relations,
  });
  for (const [name, property] of Object.entries(definition.properties)) {
    if (inputOnly.has(name)) continue;
    const column = added.has(name) ? withMilliseconds(property) : embeddedColumn(property);
    stored.addProperty(name, encrypts && property.encrypt ? asCiphertext(property) : column);
  }
  for (const {internal} of behaviours) {
    for (const [name, property] of Object.entries(internal)) {
      stored.addProperty(name, withMilliseconds(property));
    }
  }
  if (encrypts) {
    const columns = Object.entries(searchColumns(definition));
    for (const [name, column] of columns) stored.addProperty(name, column);
  }
  if (has(behaviours, 'softDelete') && hasPartialIndexes(dataSource)) {
    uniqueAmongLive(stored, new Set(encrypts ? namesOfBlindIndexes(definition) : []));
  }
  return stored;
}

/** MySQL and MariaDB keep whole seconds unless told otherwise, and several writes fit in one. */
function withMilliseconds(property: PropertyDefinition): PropertyDefinition {
  if (property.type !== 'date' && property.type !== Date) return property;
  return {...property, mysql: {dataType: 'datetime', dataPrecision: 3, ...property.mysql}};
}

/** Juggler has mixins of its own under the same setting, and refuses names it does not know. */
function settingsForJuggler({settings}: ModelDefinition): ModelDefinition['settings'] {
  if (!settings.mixins) return settings;
  const foreign = Object.entries(settings.mixins).filter(([name]) => !(name in MIXIN_NAMES));
  return {...settings, mixins: Object.fromEntries(foreign)};
}

/** A class-like holder of another definition, for `definePersistedModel`, which reads only that. */
export function withDefinition(definition: ModelDefinition): typeof Model {
  return {definition, name: definition.name} as unknown as typeof Model;
}

/** Completes a juggler model that a repository without the behaviours has defined before. */
export function completeStoredModel(model: JugglerModelClass, stored: ModelDefinition): void {
  for (const [name, property] of Object.entries(stored.properties)) {
    const defined = model.definition.properties[name];
    if (defined?.index && !property.index) delete defined.index;
    const holdsPlaintext = property.ciphertext && !defined?.ciphertext;
    if (defined && !holdsPlaintext && !defined.embeds) continue;
    dropDateRule(model, name);
    model.dataSource.defineProperty(model.modelName, name, {...property});
  }
  const {indexes} = stored.settings;
  if (indexes) Object.assign(model.settings, {indexes});
}

/** Juggler keeps the rule of the type that a property had before, and ciphertext is no date. */
function dropDateRule({validations}: JugglerModelClass, name: string): void {
  if (!validations || !Object.hasOwn(validations, name)) return;
  validations[name] = validations[name].filter(({validation}) => validation !== 'date');
}

/** The history's own properties, beside those that it copies from the entity. */
export const HISTORY_PROPERTIES = {
  _historyId: {type: 'number', id: true, generated: true},
  _modelId: {type: 'string'},
  _validTo: {type: 'date'},
  _operation: {type: 'string'},
  _by: {type: 'string'},
  _onBehalfOf: {type: 'string'},
  _reason: {type: 'string'},
  _requestId: {type: 'string'},
} as const satisfies Record<string, PropertyDefinition>;

/**
 * The definition of the table that keeps the states which rows had: every stored property of the
 * entity as it was, free of keys, defaults and constraints, and what ended the state.
 */
export function historyDefinition(stored: ModelDefinition, idName: string): ModelDefinition {
  const history = new ModelDefinition({
    name: `${stored.name}History`,
    settings: {...historySettings(stored), strict: stored.settings.strict ?? true},
  });
  for (const [name, property] of Object.entries(stored.properties)) {
    history.addProperty(name, unconstrained(property));
  }
  for (const [name, property] of Object.entries(HISTORY_PROPERTIES)) {
    history.addProperty(name, withMilliseconds({...property}));
  }
  const id = stored.properties[idName];
  history.addProperty('_modelId', unnamed(unconstrained(id)));
  return history;
}

/** A property with the type of another and a column of its own. */
function unnamed(property: PropertyDefinition): PropertyDefinition {
  const free = {...property};
  for (const name of COLUMN_NAMES) delete free[name];
  for (const [key, v] of Object.entries(free)) {
    if (v === null || typeof v !== 'object' || Array.isArray(v)) continue;
    const rest = {...(v as Row)};
    for (const name of COLUMN_NAMES) delete rest[name];
    free[key] = rest;
  }
  return free;
}

const COLUMN_NAMES = ['name', 'column', 'columnName', 'fieldName'];

/** Where the entity lives in a schema of its own, its history lives beside it. */
function historySettings({settings, name}: ModelDefinition): Record<string, unknown> {
  const index = identifier(name.toLowerCase(), '_history_states');
  const own = Object.entries(settings).filter(
    ([, v]) => v !== null && typeof v === 'object' && PLACES.some(place => place in v),
  );
  const tables = Object.fromEntries(own.map(([key, v]) => [key, historyPlace(v)]));
  // By default the connectors make a table's name of the model's.
  const byDefault: Row = fits(`${name}History`)
    ? {}
    : {
        postgresql: {table: identifier(name.toLowerCase(), 'history')},
        mysql: {table: identifier(name, 'History')},
      };
  for (const key of Object.keys(byDefault)) {
    tables[key] = {...(byDefault[key] as object), ...tables[key]};
  }
  return {...tables, indexes: {[index]: {keys: {_modelId: 1, _revision: 1}}}};
}

const PLACES = ['schema', 'table', 'tableName'];

function historyPlace({table, tableName, ...others}: Row): object {
  const name = (table || tableName) as string | undefined;
  return {...others, ...(name ? {table: identifier(name, '_history')} : {})};
}

const CONSTRAINTS = [
  'id',
  'generated',
  'required',
  'unique',
  'index',
  'default',
  'defaultFn',
  'useDefaultIdType',
  'autoIncrement',
];

function unconstrained(property: PropertyDefinition): PropertyDefinition {
  const free = {...property};
  for (const constraint of CONSTRAINTS) delete free[constraint];
  for (const [key, v] of Object.entries(free)) {
    if (v !== null && typeof v === 'object' && 'dataType' in v) {
      const {defaultFn, dbDefault, nullable, extension, ...rest} = v;
      free[key] = rest;
    }
  }
  return free;
}

/** Whether ids are made by the application, so that a row's id is known before it is written. */
export function idIsMadeByApplication(id: PropertyDefinition): boolean {
  return !id.generated && !id.autoIncrement && !id.postgresql?.defaultFn;
}

export function has(behaviours: readonly Behaviour[], name: BehaviourName): boolean {
  return behaviours.some(b => b.name === name);
}
