import {CryptoConfigurationError} from './errors';
import {scalarTypeOf} from './values';

/**
 * What two values must have in common to be found by each other: `'lowercase'`, `'trim'`, a
 * function of your own, or several of them, applied from left to right. It is applied to what is
 * stored in the index and to what is searched for; the property itself stays as it was written.
 *
 * A function gets a value of the property's type and answers one; it must always answer the same.
 */
export type Normalize = NormalizeStep | readonly NormalizeStep[];

/** One step of {@link Normalize}. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- of the property's type
export type NormalizeStep = 'lowercase' | 'trim' | ((value: any) => unknown);

/**
 * `encrypt` of a property.
 *
 * @example
 * ```ts
 * @model()
 * class Customer extends Entity {
 *   @property({
 *     type: 'string',
 *     index: {unique: true},
 *     encrypt: {searchable: true, normalize: ['trim', 'lowercase']},
 *   })
 *   email: string;
 * }
 * ```
 */
export type EncryptSetting =
  | true
  | {
      /** Can be compared by `eq`, `neq`, `inq` and `nin`, and can be unique. */
      readonly searchable?: boolean;
      readonly normalize?: Normalize;
    };

/** An encrypted property as far as it matters here, from the model's definition. */
export interface EncryptedProperty {
  readonly encrypt?: EncryptSetting;
  /** The property's type as the model says it: `'string'`, `Date`, … */
  readonly type?: unknown;
  readonly unique?: unknown;
  readonly index?: unknown;
}

/** How a property is found in spite of its encryption. */
export interface SearchableProperty {
  readonly property: string;
  /** The property that holds the blind index, which entities do not show. */
  readonly column: string;
  readonly unique: boolean;
  /** @throws `TypeError` when a step answers something that cannot be compared */
  normalize(value: unknown): unknown;
}

/**
 * The searchable ones among the properties of a model.
 *
 * @throws {@link CryptoConfigurationError} `CRYPTO_SEARCHABLE_UNSUPPORTED`,
 * `CRYPTO_UNIQUE_NEEDS_SEARCHABLE`
 */
export function searchableProperties(
  entityName: string,
  properties: Readonly<Record<string, EncryptedProperty>>,
): readonly SearchableProperty[] {
  return Object.entries(properties).flatMap(([property, definition]) => {
    const {encrypt} = definition;
    if (!encrypt) return [];
    const unique = isUnique(definition);
    if (encrypt === true || !encrypt.searchable) {
      if (unique) throw uniqueInVain(entityName, property);
      return [];
    }
    if (!scalarTypeOf(definition.type)) {
      throw unsupported(entityName, property, 'a string, number, boolean or date can be');
    }
    const column = `_${property}Index`;
    if (column in properties) {
      throw unsupported(entityName, property, `the model has a property '${column}' of its own`);
    }
    return [{property, column, unique, normalize: normalizer(entityName, property, encrypt)}];
  });
}

function isUnique({unique, index}: EncryptedProperty): boolean {
  return unique === true || (index as {unique?: unknown} | undefined)?.unique === true;
}

const STEPS: Readonly<Record<string, (value: unknown) => unknown>> = {
  lowercase: value => (typeof value === 'string' ? value.toLowerCase() : value),
  trim: value => (typeof value === 'string' ? value.trim() : value),
};

function normalizer(
  entityName: string,
  property: string,
  {normalize = []}: Exclude<EncryptSetting, true>,
): (value: unknown) => unknown {
  const steps = [normalize].flat().map(step => {
    const found = typeof step === 'function' ? step : STEPS[step];
    if (found) return found;
    const wanted = `'${Object.keys(STEPS).join(`', '`)}' or a function`;
    throw unsupported(entityName, property, `normalize takes ${wanted}`);
  });
  return value => {
    const result = steps.reduce((current, step) => step(current), value);
    if (isComparable(result)) return result;
    // The value itself is a secret.
    throw new TypeError(`'normalize' of ${entityName}.${property} must answer a value.`);
  };
}

function isComparable(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value) || value instanceof Date;
}

function unsupported(entityName: string, property: string, because: string) {
  return new CryptoConfigurationError(
    'CRYPTO_SEARCHABLE_UNSUPPORTED',
    `${entityName}.${property} cannot be searchable: ${because}.`,
  );
}

function uniqueInVain(entityName: string, property: string) {
  return new CryptoConfigurationError(
    'CRYPTO_UNIQUE_NEEDS_SEARCHABLE',
    `${entityName}.${property} is to be unique, which ciphertext always is: ` +
      `use encrypt: {searchable: true}.`,
  );
}
