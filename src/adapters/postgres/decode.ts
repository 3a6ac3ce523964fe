import {isDeepStrictEqual} from 'node:util';
import {types} from 'pg';
import type {RowImage} from '../../core/change';
import {keyOf, type Row, type RowKey} from '../../protocol/page';
import {
  itemTypeNameOf,
  typeNameOf,
  type JugglerModel,
  type JugglerProperty,
  type PostgresConnector,
} from './juggler';
import type {Tuple} from './pgoutput';

/** Makes a property's value, ready for JSON, from the server's text of its column. */
export type Decoder = (text: string) => unknown;

/** How to make a row image from a tuple: which position becomes which property, and how. */
export interface RowPlan {
  readonly ids: readonly string[];
  readonly properties: readonly PlannedProperty[];
}

export interface PlannedProperty {
  readonly name: string;
  /** The column's place in the tuple, or -1 where the tuple lacks it. */
  readonly position: number;
  readonly decode: Decoder;
}

/**
 * A row as its tuple, decoded when first asked. Most rows of a busy table concern no window; those
 * that do are often asked for a few properties before they are asked for all.
 */
export class TupleImage implements RowImage {
  private cachedKey: RowKey | undefined;
  private cachedValues: Row | undefined;
  private cachedRaw: Readonly<Record<string, string | null>> | undefined;

  constructor(
    private readonly plan: RowPlan,
    private readonly tuple: Tuple,
  ) {}

  get key(): RowKey {
    return (this.cachedKey ??= keyOf(this.exactIds(), this.plan.ids));
  }

  get values(): Row {
    return (this.cachedValues ??= this.decodeAll());
  }

  get raw(): Readonly<Record<string, string | null>> {
    if (this.cachedRaw === undefined) {
      const raw: Record<string, string | null> = {};
      for (const {name, position} of this.plan.properties) {
        const text = this.tuple[position];
        if (text !== undefined) raw[name] = text;
      }
      this.cachedRaw = raw;
    }
    return this.cachedRaw;
  }

  /** Rounded to what JavaScript has, a long number would be the key of several rows. */
  private exactIds(): Row {
    const {values, plan: {ids}} = this;
    const rounded = ids.filter(name => isRounded(values[name]));
    if (rounded.length === 0) return values;
    const {raw} = this;
    return {...values, ...Object.fromEntries(rounded.map(name => [name, raw[name]]))};
  }

  private decodeAll(): Row {
    const values: Record<string, unknown> = {};
    for (const {name, position, decode} of this.plan.properties) {
      const text = this.tuple[position];
      if (text === null) values[name] = null;
      else if (text !== undefined) {
        const value = decode(text);
        if (value !== undefined) values[name] = value;
      }
    }
    return values;
  }
}

function isRounded(value: unknown): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** The driver's parser of a type, as the application may have set it. */
function parserOf(oid: number): (text: string) => unknown {
  return types.getTypeParser(oid) as (text: string) => unknown;
}

const NO_TYPE = 0;
const OID = {
  bool: 16, int8: 20, int2: 21, int4: 23, oid: 26, json: 114, float4: 700, float8: 701,
  timestamptz: 1184, jsonb: 3802,
} as const;

const INTEGERS: ReadonlySet<number> = new Set([OID.int2, OID.int4, OID.oid]);
const FLOATS: ReadonlySet<number> = new Set([OID.float4, OID.float8]);
const JSONS: ReadonlySet<number> = new Set([OID.json, OID.jsonb]);
const PLAIN_TYPES: ReadonlySet<string> = new Set(['String', 'Number', 'Date', 'Text']);

/**
 * Chooses how to read a column so that the value equals what a repository's `findById` answers, in
 * JSON. The frequent pairs of property and column type have a direct way; every other goes through
 * the driver, the connector and the model, as in the repository.
 */
export function decoderFor(
  model: JugglerModel,
  name: string,
  baseOid: number,
  connector: PostgresConnector,
): Decoder {
  const property = model.definition.properties[name];
  // What is encrypted stays as it is stored: text.
  if (property.encrypt) return text => text;
  if (property.persistDefaultValues === false) return throughModel(model, name, baseOid, connector);
  const type = typeNameOf(property);
  if (property.id) return idDecoder(type, baseOid) ?? throughModel(model, name, baseOid, connector);
  if (PLAIN_TYPES.has(type)) return driverDecoder(baseOid);
  if (type === 'Boolean') {
    return baseOid === OID.bool
      ? text => text === 't'
      : throughConnector(property, baseOid, connector);
  }
  if (JSONS.has(baseOid) && !isCustomised(baseOid)) {
    return jsonDecoder(property, throughModel(model, name, baseOid, connector));
  }
  return throughModel(model, name, baseOid, connector);
}

/** Reading an id, the juggler converts it to the property's type; elsewhere it does not. */
function idDecoder(type: string, baseOid: number): Decoder | undefined {
  const parsed = driverDecoder(baseOid);
  if (type === 'Number' && (INTEGERS.has(baseOid) || FLOATS.has(baseOid))) return parsed;
  if (type === 'String' && hasNoParser(baseOid)) return parsed;
  return undefined;
}

/** What the driver makes of the text, as JSON. */
function driverDecoder(baseOid: number): Decoder {
  if (hasNoParser(baseOid)) return text => text;
  if (isCustomised(baseOid)) return asJson(parserOf(baseOid));
  if (INTEGERS.has(baseOid)) return Number;
  if (FLOATS.has(baseOid)) return finiteNumber;
  if (baseOid === OID.bool) return text => text === 't';
  if (baseOid === OID.timestamptz) return isoDate;
  return asJson(parserOf(baseOid));
}

const parseTimestamptz = asJson(parserOf(OID.timestamptz));

/** `2026-01-31 12:00:00.123456+00` is an ISO date but for punctuation and the last digits. */
function isoDate(text: string): unknown {
  if (text.length < 22 || text.length > 29 || text[10] !== ' ' || !text.endsWith('+00')) {
    return parseTimestamptz(text);
  }
  const fraction = text.length === 22 ? '000' : text.slice(20, -3).padEnd(3, '0').slice(0, 3);
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction}Z`;
}

/** JSON has no NaN and no infinity. */
function finiteNumber(text: string): number | null {
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** An object or list of plain items stays as it is; a scalar or a typed list is the model's. */
function jsonDecoder(property: JugglerProperty, otherwise: Decoder): Decoder {
  const type = typeNameOf(property);
  if (type === 'Object' || type === 'Any' || type === 'JSON') {
    return text => (isStructure(text) ? JSON.parse(text) : otherwise(text));
  }
  const wanted = type === 'Array' ? JSON_TYPES[itemTypeNameOf(property) ?? ''] : undefined;
  if (wanted === undefined) return otherwise;
  return text => {
    const list: unknown = JSON.parse(text);
    const isPlain = (item: unknown) => item !== null && typeof item === wanted;
    return Array.isArray(list) && list.every(isPlain) ? list : otherwise(text);
  };
}

const JSON_TYPES: Readonly<Record<string, string | undefined>> = {
  String: 'string', Number: 'number', Boolean: 'boolean', Object: 'object',
};

function isStructure(text: string): boolean {
  return text[0] === '{' || text[0] === '[';
}

function throughConnector(
  property: JugglerProperty,
  baseOid: number,
  connector: PostgresConnector,
): Decoder {
  const parse = parserOf(baseOid);
  return asJson(text => connector.fromColumnValue(property, parse(text)));
}

function throughModel(
  model: JugglerModel,
  name: string,
  baseOid: number,
  connector: PostgresConnector,
): Decoder {
  const property = model.definition.properties[name];
  const parse = parserOf(baseOid);
  const options = {fields: [name], applySetters: false, applyDefaultValues: false, persisted: true};
  return asJson(text => {
    const value = connector.fromColumnValue(property, parse(text));
    return new model({[name]: value}, options).toObject()[name];
  });
}

function asJson(read: (text: string) => unknown): Decoder {
  return text => {
    const value = read(text);
    return value === undefined ? undefined : JSON.parse(JSON.stringify(value) ?? 'null');
  };
}

function hasNoParser(oid: number): boolean {
  return parserOf(oid) === parserOf(NO_TYPE);
}

/** A text of each type that has a direct way, and what the driver makes of it out of the box. */
const SAMPLES: Readonly<Record<number, {text: string; value: unknown}>> = {
  [OID.bool]: {text: 't', value: true},
  [OID.int2]: {text: '12', value: 12},
  [OID.int4]: {text: '12', value: 12},
  [OID.oid]: {text: '12', value: 12},
  [OID.float4]: {text: '0.5', value: 0.5},
  [OID.float8]: {text: '0.5', value: 0.5},
  [OID.timestamptz]: {text: '2026-01-31 12:00:00+00', value: new Date('2026-01-31T12:00:00Z')},
  [OID.json]: {text: '{"a":1.5}', value: {a: 1.5}},
  [OID.jsonb]: {text: '{"a":1.5}', value: {a: 1.5}},
};

/** Applications may set the driver's parsers; a repository's answers follow, so must ours. */
function isCustomised(oid: number): boolean {
  const sample = SAMPLES[oid];
  if (sample === undefined) return false;
  return !isDeepStrictEqual(parserOf(oid)(sample.text), sample.value);
}
