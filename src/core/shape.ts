import type {DefaultScope} from './default-scope';

/**
 * How a property's values compare in Node.
 *
 * - `number`: as decimals of any length, exactly.
 * - `double`: as floating-point numbers of eight bytes.
 * - `text`: by code point, which is what the database does under the collations C and POSIX.
 * - `collated`: equal by code point, ordered only by the database.
 * - `boolean`, `uuid`: exact.
 * - `date`: a moment, to the microsecond.
 * - `timestamp`: a date or a date and time without a zone, which the driver reads as local time.
 * - `opaque`: only the database can compare it (JSON, arrays, bytes, ciphertext, …).
 */
export type PropertyKind =
  | 'number'
  | 'double'
  | 'text'
  | 'collated'
  | 'boolean'
  | 'uuid'
  | 'date'
  | 'timestamp'
  | 'opaque';

export interface PropertyShape {
  readonly kind: PropertyKind;
  /** Never sent to a client. */
  readonly hidden: boolean;
  /** Stored as ciphertext; decrypted for those who may read it, never compared. */
  readonly encrypted: boolean;
}

/** How rows of one entity lead to rows of another: those whose `to` equals their own `from`. */
export interface Relation {
  readonly kind: 'many' | 'one';
  readonly from: string;
  readonly to: string;
  /** The other entity; its relations can lead back here. */
  target(): EntityShape;
}

/** What the core knows of an entity. */
export interface EntityShape {
  readonly name: string;
  readonly ids: readonly string[];
  readonly properties: Readonly<Record<string, PropertyShape>>;
  /** Property that is true for soft-deleted rows, where the entity has that behaviour. */
  readonly deletedFlag?: string;
  /** Property that holds the row's version, where the entity has that behaviour. */
  readonly versionProperty?: string;
  readonly defaultScope?: DefaultScope;
  /** By name; a text says why a view cannot include it. */
  readonly relations?: Readonly<Record<string, Relation | string>>;
}
