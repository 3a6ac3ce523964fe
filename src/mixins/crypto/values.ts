/**
 * A value as bytes, the first of which says its type, so that a value comes back as what it was
 * whatever the column and the model say by then.
 */
const TAG = {
  string: 0x73,
  number: 0x6e,
  true: 0x74,
  false: 0x66,
  date: 0x64,
  bytes: 0x78,
  json: 0x6a,
};

export type ScalarType = 'string' | 'number' | 'boolean' | 'date';

const SCALARS: readonly string[] = ['string', 'number', 'boolean', 'date'] satisfies ScalarType[];

/** The type of a property as a model may say it, `'string'` or `String`, if it is of a scalar. */
export function scalarTypeOf(type: unknown): ScalarType | undefined {
  const name = (typeof type === 'function' ? type.name : String(type)).toLowerCase();
  return SCALARS.includes(name) ? (name as ScalarType) : undefined;
}

/**
 * A value as its property types it, as juggler would make it of what came as JSON: a date that is a
 * text becomes a Date. What does not fit stays as it is.
 */
export function toStoredForm(value: unknown, type: unknown): unknown {
  switch (scalarTypeOf(type)) {
    case 'string':
      return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
    case 'number':
      return isNumeric(value) ? Number(value) : value;
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value;
    case 'date': {
      const date = typeof value === 'string' ? new Date(value) : undefined;
      return date && !Number.isNaN(date.getTime()) ? date : value;
    }
    case undefined:
      return value;
  }
}

/** A value as its property types it, from a column that holds every type as text. */
export function fromPlainText(value: unknown, type: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (!isJsonType(type)) return toStoredForm(value, type);
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function isJsonType(type: unknown): boolean {
  if (scalarTypeOf(type)) return false;
  return typeof type === 'function' || type === 'object' || type === 'array';
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
}

/** Undefined when the value cannot be encoded: a function, symbol, bigint, or a cyclic object. */
export function valueToBytes(value: unknown): Buffer | undefined {
  switch (typeof value) {
    case 'string':
      return text(TAG.string, value);
    case 'number':
      return double(TAG.number, value);
    case 'boolean':
      return Buffer.of(value ? TAG.true : TAG.false);
    case 'object':
      if (value instanceof Date) return double(TAG.date, value.getTime());
      if (value instanceof Uint8Array) return Buffer.concat([Buffer.of(TAG.bytes), value]);
      return json(value);
    default:
      return undefined;
  }
}

/** The reverse of {@link valueToBytes}. */
export function valueFromBytes(bytes: Buffer): unknown {
  switch (bytes[0]) {
    case TAG.string:
      return bytes.toString('utf8', 1);
    case TAG.number:
      return bytes.readDoubleBE(1);
    case TAG.true:
      return true;
    case TAG.false:
      return false;
    case TAG.date:
      return new Date(bytes.readDoubleBE(1));
    case TAG.bytes:
      return Buffer.from(bytes.subarray(1));
    case TAG.json:
      return JSON.parse(bytes.toString('utf8', 1)) as unknown;
    default:
      // Only whoever holds the key can have written it, so it is a newer version of us.
      throw new TypeError(`Unknown type of an encrypted value: ${bytes[0]}`);
  }
}

function text(tag: number, value: string): Buffer {
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(value));
  bytes[0] = tag;
  bytes.write(value, 1);
  return bytes;
}

function double(tag: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(9);
  bytes[0] = tag;
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function json(value: unknown): Buffer | undefined {
  try {
    const encoded = JSON.stringify(value) as string | undefined;
    return encoded === undefined ? undefined : text(TAG.json, encoded);
  } catch {
    return undefined;
  }
}
