import {randomUUID} from 'node:crypto';
import {isDeepStrictEqual} from 'node:util';
import type {Model, PropertyDefinition} from '@loopback/repository';
import {getJsonSchema, validateValueAgainstSchema, type SchemaObject} from '@loopback/rest';
import type {WriteContext} from '../behaviour';
import {auditBehaviour} from '../behaviours/audit';
import {versionBehaviour} from '../behaviours/version';
import type {Row} from '../plan';
import type {EmbeddedProperty} from './definition';
import {EmbeddedValidationError} from './errors';

/** What the server makes of a write of a child. */
export interface ChildStamp {
  /** The version that parent and child get; absent when a write leaves versions alone. */
  readonly version: string | undefined;
  readonly context: WriteContext;
}

/** One embedded property: how its children are checked, stamped, stored and read. */
export class EmbeddedModel {
  private readonly made: ReadonlySet<string>;
  private readonly compiled = new WeakMap();
  private schemaOnce?: SchemaObject;

  constructor(readonly property: EmbeddedProperty) {
    const {versioned, audited} = property;
    this.made = new Set([
      ...(versioned ? Object.keys(versionBehaviour.properties) : []),
      ...(audited ? Object.keys(auditBehaviour.properties) : []),
    ]);
  }

  get name(): string {
    return this.property.name;
  }

  get childName(): string {
    return this.property.target.modelName;
  }

  /** The children in a value of the property, one by one. */
  childrenOf(value: unknown): Row[] {
    if (value === undefined || value === null) return [];
    return (this.property.kind === 'one' ? [value] : value) as Row[];
  }

  /** The reverse of {@link childrenOf}, as it is stored. */
  valueOf(children: readonly Row[]): unknown {
    return this.property.kind === 'one' ? (children[0] ?? null) : children;
  }

  /** A stored value with instances of the child's model in it, dates and all. */
  hydrated(value: unknown): unknown {
    if (value === undefined || value === null || typeof value !== 'object') return value;
    const {kind} = this.property;
    if (kind === 'many' && !Array.isArray(value)) return value;
    return kind === 'one' ? this.instance(value as Row) : this.childrenOf(value).map(c =>
      this.instance(c),
    );
  }

  /** The reverse of {@link hydrated}. */
  plainValue(value: unknown): unknown {
    return this.valueOf(this.childrenOf(value).map(plain));
  }

  instance(child: Row): Model {
    if (child instanceof this.property.target) return child;
    const {properties} = this.property.target.definition;
    const values = {...child};
    for (const [name, v] of Object.entries(values)) {
      if (typeof v === 'string' && isDate(properties[name])) values[name] = new Date(v);
    }
    return new this.property.target(values);
  }

  /** The properties of a child that the server makes; the version, above all, is to be named. */
  get serverMade(): ReadonlySet<string> {
    return this.made;
  }

  /** What a client may say of a child; what the server makes is ignored. */
  writable(data: Row): Row {
    const own = Object.entries(data).filter(([name, v]) => v !== undefined && !this.made.has(name));
    return plain(Object.fromEntries(own));
  }

  /**
   * Whether everything that is said of a child is so already, whatever was stamped on it. What is
   * left out may be what the sender was never shown.
   */
  isSame(child: Row, stored: Row): boolean {
    const present = plain(stored);
    return Object.entries(this.writable(child)).every(([name, value]) =>
      isDeepStrictEqual(value ?? null, present[name] ?? null),
    );
  }

  /**
   * A complete new child: with defaults, an id where one can be made, checked and stamped.
   *
   * @throws EmbeddedValidationError
   */
  async fresh(data: Row, stamp: ChildStamp): Promise<Row> {
    const child = this.withDefaults(this.writable(data));
    await this.check(child);
    return {...child, ...this.stamped(undefined, stamp)};
  }

  /**
   * A child after a write.
   *
   * @param data - The whole child, without what the server makes
   * @throws EmbeddedValidationError
   */
  async changed(before: Row, data: Row, stamp: ChildStamp): Promise<Row> {
    await this.check(data);
    const kept = Object.entries(before).filter(([name]) => this.made.has(name));
    return {...data, ...Object.fromEntries(kept), ...this.stamped(before, stamp)};
  }

  /** @throws EmbeddedValidationError naming what does not meet the child's model */
  async check(child: Row): Promise<void> {
    try {
      await validateValueAgainstSchema(withoutNulls(child), this.schema(), {}, {
        compiledSchemaCache: this.compiled,
        coerceTypes: false,
      });
    } catch (error) {
      const {details} = error as {details?: {path: string; message: string; info?: Row}[]};
      if (!details) throw error;
      throw new EmbeddedValidationError(
        this.childName,
        details.map(({path, message, info}) => ({
          path: `/${this.name}${path}${info?.additionalProperty ? `/${info.additionalProperty}` : ''}`,
          message,
        })),
      );
    }
  }

  private stamped(before: Row | undefined, {version, context}: ChildStamp): Row {
    const {versioned, audited, target} = this.property;
    const {actor, now} = context;
    return plain({
      ...(audited && !before
        ? {_type: target.modelName, _createdBy: actor, _createdOn: now}
        : {}),
      ...(audited ? {_modifiedBy: actor, _modifiedOn: now} : {}),
      ...(versioned && version !== undefined
        ? {_version: version, ...(before ? {_oldVersion: before._version ?? null} : {})}
        : {}),
    });
  }

  private withDefaults(data: Row): Row {
    const child = {...data};
    const {properties} = this.property.target.definition;
    for (const [name, property] of Object.entries(properties)) {
      if (child[name] !== undefined) continue;
      const value = defaultOf(property) ?? (property.id ? this.madeId(property) : undefined);
      if (value !== undefined) child[name] = value;
    }
    return plain(child);
  }

  /** In a list, children need ids; a number is the application's to choose. */
  private madeId({type}: PropertyDefinition): string | undefined {
    const isText = type === String || type === 'string';
    return this.property.kind === 'many' && isText ? randomUUID() : undefined;
  }

  private schema(): SchemaObject {
    const exclude = [...this.made] as never[];
    this.schemaOnce ??= getJsonSchema(this.property.target, {exclude}) as SchemaObject;
    return this.schemaOnce;
  }
}

function defaultOf(property: PropertyDefinition): unknown {
  if (property.default !== undefined) {
    return typeof property.default === 'function' ? property.default() : property.default;
  }
  switch (property.defaultFn) {
    case 'guid':
    case 'uuid':
    case 'uuidv4':
      return randomUUID();
    case 'now':
      return new Date();
    default:
      return undefined;
  }
}

function isDate(property: PropertyDefinition | undefined): boolean {
  const type = property?.type;
  return type === Date || (typeof type === 'string' && /^date/i.test(type));
}

/** As JSON stores it: dates as text, nothing undefined, no instances of classes. */
function plain(row: Row): Row {
  // A copy without its class: that would leave out what the model hides.
  return JSON.parse(JSON.stringify({...row})) as Row;
}

/** JSON schema has no null for a property that is not required; such a one is empty. */
function withoutNulls(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, v]) => v !== null));
}
