import {MetadataInspector} from '@loopback/core';
import {MODEL_KEY, MODEL_WITH_PROPERTIES_KEY, type Entity} from '@loopback/repository';
import {JSON_SCHEMA_KEY} from '@loopback/rest';

const OWN = {ownMetadataOnly: true};

/**
 * Lets LoopBack find the definition of a model that was made without `@model`. Its JSON schema,
 * which writes are checked by, would be empty: it is made of what that decorator notes.
 */
export function noteDefinition(entityClass: typeof Entity): void {
  if (!Object.hasOwn(entityClass, 'definition')) return;
  const isNoted = [MODEL_KEY, MODEL_WITH_PROPERTIES_KEY].some(key =>
    MetadataInspector.getClassMetadata<unknown>(key as never, entityClass, OWN) !== undefined);
  if (isNoted) return;
  const {key} = MODEL_WITH_PROPERTIES_KEY;
  MetadataInspector.defineMetadata(key, entityClass.definition, entityClass);
  MetadataInspector.defineMetadata(JSON_SCHEMA_KEY.key, {}, entityClass);
}
