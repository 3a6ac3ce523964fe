import {getJsonSchema, validateValueAgainstSchema, type SchemaObject} from '@loopback/rest';
import {LiveEntityError} from '../../core/errors';
import type {Row} from '../../protocol/page';
import type {RealtimeEntity} from './realtime-entity';

/** Properties that the behaviours make; what a client sends for them is left out of a write. */
const SERVER_MADE: ReadonlySet<string> = new Set([
  '_version', '_oldVersion', '_newVersion', '_parentVersion',
  '_type', '_createdBy', '_createdOn', '_modifiedBy', '_modifiedOn',
  '_isDeleted', '_deletedBy', '_deletedOn',
]);

/** Checks what a client wants to write against the entity's JSON schema, as REST does. */
export class RowValidator {
  private readonly schemas = new Map<string, SchemaObject>();
  private readonly compiled = new WeakMap();

  /**
   * Answers a copy of what may be written.
   *
   * @param extent `whole` for a new row, `part` for a change of some properties
   * @throws LiveEntityError `VALIDATION_FAILED` (422) with the failing properties in `details`
   */
  async check(entity: RealtimeEntity, value: unknown, extent: 'whole' | 'part'): Promise<Row> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new LiveEntityError('VALIDATION_FAILED', `a ${entity.name} is an object`, 422);
    }
    const data: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(value)) {
      if (!SERVER_MADE.has(name)) Object.defineProperty(data, name, plainProperty(item));
    }
    if (extent === 'part') refuseIds(entity, data);
    // JSON schema has no null for an optional property; clearing one is a valid change.
    const checked = extent === 'part' ? withoutNulls(entity, data) : data;
    await this.validate(entity, checked, extent);
    return data;
  }

  private async validate(
    entity: RealtimeEntity,
    data: Row,
    extent: 'whole' | 'part',
  ): Promise<void> {
    try {
      await validateValueAgainstSchema(data, this.schemaOf(entity, extent), {}, {
        compiledSchemaCache: this.compiled,
        coerceTypes: false,
      });
    } catch (error) {
      const problems = (error as {details?: {path: string; message: string}[]}).details ?? [];
      const text = problems.map(({path, message}) => `${path.replace(/^\//, '')} ${message}`.trim());
      throw new LiveEntityError(
        'VALIDATION_FAILED',
        `the ${entity.name} is not valid: ${text.join('; ') || (error as Error).message}`,
        422,
        {problems: problems.map(({path, message}) => ({path, message}))},
      );
    }
  }

  private schemaOf(entity: RealtimeEntity, extent: 'whole' | 'part'): SchemaObject {
    const key = `${entity.name} ${extent}`;
    let schema = this.schemas.get(key);
    if (!schema) {
      const {definition} = entity.entityClass;
      const serverMade = Object.keys(definition.properties).filter(name => SERVER_MADE.has(name));
      schema = getJsonSchema(entity.entityClass, {
        partial: extent === 'part',
        exclude: serverMade as never[],
      }) as SchemaObject;
      this.schemas.set(key, schema);
    }
    return schema;
  }
}

function plainProperty(value: unknown): PropertyDescriptor {
  return {value, enumerable: true, configurable: true, writable: true};
}

function refuseIds(entity: RealtimeEntity, data: Record<string, unknown>): void {
  const id = entity.shape.ids.find(name => Object.hasOwn(data, name));
  if (id) throw new LiveEntityError('VALIDATION_FAILED', `${id} cannot be changed`, 422);
}

function withoutNulls(entity: RealtimeEntity, data: Row): Row {
  const {properties} = entity.entityClass.definition;
  const isCleared = ([name, value]: [string, unknown]) =>
    value === null && Object.hasOwn(properties, name) && !properties[name].required;
  return Object.fromEntries(Object.entries(data).filter(entry => !isCleared(entry)));
}
