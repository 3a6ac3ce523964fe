import {MetadataInspector} from '@loopback/core';
import {
  ModelMetadataHelper,
  type ModelDefinition,
  type PropertyDefinition,
} from '@loopback/repository';
import {JSON_SCHEMA_KEY} from '@loopback/rest';

/** A model class, as far as its definition goes. */
export type WithDefinition = {definition: ModelDefinition};

/**
 * Adds a property to a model that does not have it: to its definition, and to what LoopBack makes
 * JSON schemas of, the schemas that were made before being forgotten.
 */
export function addProperty(
  target: WithDefinition,
  name: string,
  property: PropertyDefinition,
): void {
  if (name in target.definition.properties) return;
  target.definition.addProperty(name, {...property});
  const described = ModelMetadataHelper.getModelMetadata(target as never) as ModelDefinition;
  if (!described.properties) return;
  described.properties[name] = {...property};
  MetadataInspector.defineMetadata(JSON_SCHEMA_KEY.key, {}, target);
}
