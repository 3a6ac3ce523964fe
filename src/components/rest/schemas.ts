import type {Entity} from '@loopback/repository';
import {
  getModelSchemaRef,
  type ReferenceObject,
  type SchemaObject,
  type SchemasObject,
} from '@loopback/rest';
import type {EmbeddedModel} from '../../mixins/embedded/embedded-model';
import type {ControllerEntity} from './types';

/** A schema by name, with what it refers to, as LoopBack gathers them into the document. */
export type NamedSchema = ReferenceObject & {definitions: SchemasObject};

export type BodyKind = 'create' | 'replace' | 'patch';

/** Accepted in place of what the server would make. */
const VERSION_SCHEMA: SchemaObject = {
  type: 'string',
  nullable: true,
  description: 'The version that was read, unless If-Match names it.',
};
/** Without a type, so that whatever was answered can be sent back, null included. */
const SERVER_MADE: SchemaObject = {
  readOnly: true,
  description: 'Made by the server; ignored in requests.',
};

/**
 * The schema of a request's body. What the server makes is accepted and ignored, so that what was
 * read can be sent back; unknown properties are refused. A property that is not required can be
 * null, which empties it.
 */
export function bodySchema(
  {entity, behaviours, embedded}: ControllerEntity,
  kind: BodyKind,
): NamedSchema {
  const title = {create: 'New', replace: 'Full', patch: 'Partial'}[kind] + entity.modelName;
  const reference = getModelSchemaRef(entity, {title, partial: kind === 'patch'}) as NamedSchema;
  const schema = structuredClone(reference.definitions[title]) as SchemaObject;
  const properties = {...schema.properties};
  const optional = new Set(behaviours.flatMap(b => Object.keys(b.properties)));
  for (const name of optional) properties[name] = SERVER_MADE;
  delete properties._parentVersion;
  const hasVersions = behaviours.some(b => b.name === 'version');
  if (hasVersions && kind !== 'create') properties._version = VERSION_SCHEMA;
  for (const id of entity.getIdProperties()) {
    // A generated id is the database's to make; of an existing row the path names it.
    if (kind !== 'create') optional.add(id);
    else if (entity.definition.properties[id].generated) delete properties[id];
  }
  const required = schema.required?.filter(name => name in properties && !optional.has(name));
  for (const [name, property] of Object.entries(properties)) {
    if (!entity.definition.properties[name]?.required) properties[name] = orNull(property);
  }
  const children: SchemasObject = {};
  for (const model of embedded) {
    const child = childSchema(model, `${model.childName}In${entity.modelName}`);
    Object.assign(children, child.definitions);
    properties[model.name] = inParent(model, child);
  }
  const {required: _, description, ...rest} = schema;
  const body = {...rest, properties, ...(required?.length ? {required} : {})};
  const definitions = {...reference.definitions, ...children, [title]: body};
  return {...reference, definitions};
}

/** A child or children within their parent: null where there are none, as it is answered. */
function inParent({property}: EmbeddedModel, child: NamedSchema): SchemaObject | ReferenceObject {
  const [title] = child.$ref.split('/').slice(-1);
  if (property.kind === 'many') {
    return {type: 'array', nullable: true, items: {$ref: child.$ref}};
  }
  Object.assign(child.definitions[title], {nullable: true});
  return {$ref: child.$ref};
}

/** The schema of a child on its own route: with the versions that a write of it names. */
export function childBodySchema(
  entity: typeof Entity,
  model: EmbeddedModel,
  kind: 'create' | 'replace',
): NamedSchema {
  const {versioned} = model.property;
  const names: Record<string, SchemaObject> = versioned
    ? {_version: VERSION_SCHEMA, _parentVersion}
    : {};
  const title = `${kind === 'create' ? 'New' : 'Full'}${model.childName}Of${entity.modelName}`;
  return childSchema(model, title, names);
}

const _parentVersion: SchemaObject = {
  ...VERSION_SCHEMA,
  description: 'The version of the parent that was read; one suffices when both are equal.',
};

/** The schema of a child as it is sent: what the server makes of it is accepted and ignored. */
function childSchema(
  model: EmbeddedModel,
  title: string,
  versions: Record<string, SchemaObject> = {},
): NamedSchema {
  const {target, idName} = model.property;
  const reference = getModelSchemaRef(target, {title}) as NamedSchema;
  const {required, description, ...schema} = structuredClone(
    reference.definitions[title],
  ) as SchemaObject;
  const properties = {...schema.properties};
  for (const name of model.serverMade) properties[name] = SERVER_MADE;
  delete properties._parentVersion;
  Object.assign(properties, versions);
  for (const [name, property] of Object.entries(properties)) {
    if (!target.definition.properties[name]?.required) properties[name] = orNull(property);
  }
  const needed = required?.filter(name => name !== idName);
  const body = {...schema, properties, ...(needed?.length ? {required: needed} : {})};
  return {...reference, definitions: {...reference.definitions, [title]: body}};
}

/** The schema of an answered row. */
export function rowSchema(entity: typeof Entity, includeRelations = false): NamedSchema {
  const title = entity.modelName + (includeRelations ? 'WithRelations' : '');
  const reference = getModelSchemaRef(entity, {title, includeRelations}) as NamedSchema;
  const schema = structuredClone(reference.definitions[title]) as SchemaObject;
  const {_newVersion, _parentVersion, ...properties} = schema.properties ?? {};
  const definitions = {...reference.definitions, [title]: {...schema, properties}};
  return {...reference, definitions};
}

/** The schema of the id in a path. */
export function idSchema(entity: typeof Entity): SchemaObject {
  const [id, ...others] = entity.getIdProperties();
  const title = entity.modelName;
  const {definitions} = getModelSchemaRef(entity, {title}) as NamedSchema;
  const schema = (definitions[title]).properties?.[id];
  if (!schema) throw new TypeError(`${title} has no id property to name its rows by.`);
  // One of them alone would name several rows, and a write change them all.
  if (others.length > 0) {
    throw new TypeError(`${title} has several id properties, of which a path can name only one.`);
  }
  return schema;
}

function orNull(schema: SchemaObject | ReferenceObject): SchemaObject | ReferenceObject {
  if ('$ref' in schema || !('type' in schema)) return schema;
  return {...schema, nullable: true, ...(schema.enum ? {enum: [...schema.enum, null]} : {})};
}

const revisionMarks: Record<string, SchemaObject> = {
  _revision: {type: 'integer', minimum: 1},
  _validFrom: {type: 'string', format: 'date-time'},
  _validTo: {type: 'string', format: 'date-time'},
  _operation: {type: 'string', enum: ['update', 'delete', 'restore', 'revert']},
  _by: {type: 'string', nullable: true},
  _onBehalfOf: {type: 'string', nullable: true},
  _reason: {type: 'string', nullable: true},
  _requestId: {type: 'string', nullable: true},
};

/** The schema of a state that a row has had, with the write that ended it. */
export function revisionSchema(entity: typeof Entity): NamedSchema {
  const row = rowSchema(entity);
  const title = `${entity.modelName}Revision`;
  const properties = {entity: {$ref: row.$ref}, _modelId: idSchema(entity), ...revisionMarks};
  return {
    $ref: `#/components/schemas/${title}`,
    definitions: {...row.definitions, [title]: {title, type: 'object', properties}},
  };
}

/** The schema of every error. */
export function errorSchema(): NamedSchema {
  const title = 'ErrorAnswer';
  const error: SchemaObject = {
    type: 'object',
    required: ['statusCode', 'message'],
    properties: {
      statusCode: {type: 'integer'},
      name: {type: 'string'},
      message: {type: 'string'},
      code: {type: 'string'},
      details: {description: 'More about it, by code.'},
    },
  };
  const schema: SchemaObject = {title, type: 'object', required: ['error'], properties: {error}};
  return {$ref: `#/components/schemas/${title}`, definitions: {[title]: schema}};
}
