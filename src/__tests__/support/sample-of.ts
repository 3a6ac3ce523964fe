import type {OpenApiSpec, ReferenceObject, SchemaObject} from '@loopback/rest';

type Schema = SchemaObject | ReferenceObject;

/** A body as a tool makes it from a schema of the document: everything that may be sent. */
export function sampleOf(schema: Schema, document: OpenApiSpec): unknown {
  if ('$ref' in schema) {
    const name = schema.$ref.split('/').slice(-1)[0];
    return sampleOf(document.components!.schemas![name], document);
  }
  const {type, items, properties = {}, format, minLength = 1} = schema;
  switch (type) {
    case 'object': {
      const sent = Object.entries(properties).filter(([, p]) => !('readOnly' in p && p.readOnly));
      return Object.fromEntries(sent.map(([name, p]) => [name, sampleOf(p, document)]));
    }
    case 'array':
      return items ? [sampleOf(items, document)] : [];
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'string':
      return format === 'date-time' ? '2026-05-01T12:00:00.000Z' : 'x'.repeat(minLength);
    default:
      return 'anything';
  }
}

/** The schema of the JSON body of one operation. */
export function bodyOf(document: OpenApiSpec, verb: string, path: string): Schema {
  return document.paths[path][verb].requestBody.content['application/json'].schema;
}
