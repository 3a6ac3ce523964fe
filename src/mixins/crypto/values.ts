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

/** A date that came as text (from JSON) becomes the Date that reading it back should answer. */
export function toStoredForm(value: unknown, type: unknown): unknown {
  if (typeof value !== 'string' || !isDateType(type)) return value;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? value : date;
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

function isDateType(type: unknown): boolean {
  return type === Date || (typeof type === 'string' && /^date/i.test(type));
}
