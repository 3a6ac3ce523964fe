import {
  resolveType,
  type Model,
  type ModelDefinition,
  type PropertyDefinition,
} from '@loopback/repository';
import {addProperty} from '../add-property';
import {auditBehaviour} from '../behaviours/audit';
import type {MixinSettings} from '../behaviours-of';
import {EmbeddingError} from './errors';

/** A property whose value is one child, or a list of children, of another model. */
export interface EmbeddedProperty {
  readonly name: string;
  readonly kind: 'one' | 'many';
  readonly target: typeof Model & {definition: ModelDefinition};
  /** The child's own id property; a single child need not have one. */
  readonly idName: string | undefined;
  readonly versioned: boolean;
  readonly audited: boolean;
}

const VERSION_PROPERTIES = {_version: {type: 'string'}, _oldVersion: {type: 'string'}};

/** Whether a model has embedded children. */
export function embedsChildren({properties}: ModelDefinition): boolean {
  return Object.values(properties).some(({embeds}) => embeds !== undefined);
}

/**
 * The embedded properties of a model.
 *
 * @throws EmbeddingError for a declaration that cannot be kept
 */
export function embeddedProperties(parent: ModelDefinition): readonly EmbeddedProperty[] {
  return Object.entries(parent.properties)
    .filter(([, {embeds}]) => embeds !== undefined)
    .map(([name, property]) => embeddedProperty(parent.name, name, property));
}

/** The column of an embedded property: juggler takes it for plain data, without a model in it. */
export function embeddedColumn(property: PropertyDefinition): PropertyDefinition {
  const {embeds, itemType, ...column} = property;
  switch (embeds) {
    case undefined:
      return property;
    case 'one':
      return {...column, type: 'object'};
    default:
      return {...column, type: 'array', itemType: 'object'};
  }
}

function embeddedProperty(
  parent: string,
  name: string,
  property: PropertyDefinition,
): EmbeddedProperty {
  const kind = property.embeds as EmbeddedProperty['kind'];
  const declared = kind === 'one' ? property.type : property.itemType;
  const target = resolveType(declared as () => typeof Model) as EmbeddedProperty['target'];
  if (!target?.definition) {
    throw new EmbeddingError(`${parent}.${name} embeds something that is no @model().`);
  }
  const {definition} = target;
  const {VersionMixin, AuditFieldsMixin}: MixinSettings = definition.settings.mixins ?? {};
  if (VersionMixin) addProperties(target, VERSION_PROPERTIES);
  if (AuditFieldsMixin) addProperties(target, auditBehaviour.properties);
  const [idName] = definition.idProperties();
  assertEmbeddable(`${parent}.${name}`, property, definition);
  if (kind === 'many' && !idName) {
    throw new EmbeddingError(
      `${parent}.${name} embeds many of ${definition.name}, which has no id to tell them apart.`,
    );
  }
  return {
    name,
    kind,
    target,
    idName,
    versioned: '_version' in definition.properties,
    audited: '_modifiedOn' in definition.properties,
  };
}

function addProperties(
  target: EmbeddedProperty['target'],
  properties: Readonly<Record<string, PropertyDefinition>>,
): void {
  for (const [name, property] of Object.entries(properties)) {
    addProperty(target, name, property);
  }
}

function assertEmbeddable(
  place: string,
  property: PropertyDefinition,
  {name, properties, settings}: ModelDefinition,
): void {
  const {SoftDeleteMixin, HistoryMixin, CryptoMixin}: MixinSettings = settings.mixins ?? {};
  const refuse = (because: string) => {
    throw new EmbeddingError(`${place} cannot embed ${name}: ${because}.`);
  };
  const secret = Object.keys(properties).find(child => properties[child].encrypt);
  if (secret || CryptoMixin || property.encrypt) {
    refuse(
      `${secret ?? 'it'} is to be encrypted, and only properties of rows are; ` +
        'make it a property of the parent',
    );
  }
  if (SoftDeleteMixin || '_isDeleted' in properties) {
    refuse('soft delete is for rows; deleting an embedded child removes it from its parent');
  }
  if (HistoryMixin) refuse('history is kept of rows; that of the parent includes its children');
  const nested = Object.keys(properties).find(child => properties[child].embeds !== undefined);
  if (nested) refuse(`it embeds ${nested} itself`);
}
