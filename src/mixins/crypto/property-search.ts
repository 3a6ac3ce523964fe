import {BlindIndex} from './blind-index';
import {checkEncryptedQuery, translatedWhere, type QueryRules} from './encrypted-query';
import type {IndexKeys} from './index-keys';
import type {DataCipherKey} from './keys';
import {searchableProperties, type EncryptedProperty, type SearchableProperty} from './searchable';

type Row = Record<string, unknown>;

/** A value that no other row may have. */
export interface Claim {
  readonly property: string;
  readonly column: string;
  /** Its indexes, by every key that a row may be indexed with. */
  readonly indexes: readonly string[];
  /** Names the value for all processes, so that one of them at a time claims it. */
  readonly lock: string;
}

/**
 * Looks for rows by the encrypted properties of one model: keeps the blind indexes of the
 * searchable ones, and says of queries what they may ask.
 *
 * Like a codec, it answers at once while its keys are at hand, and with a promise otherwise.
 */
export class PropertySearch {
  readonly properties: readonly SearchableProperty[];
  private readonly rules: QueryRules;
  private readonly indexes: ReadonlyMap<string, BlindIndex>;

  /** @throws `CryptoConfigurationError` for a property that cannot be searchable or unique */
  constructor(
    entityName: string,
    properties: Readonly<Record<string, EncryptedProperty>>,
    private readonly keys: IndexKeys,
  ) {
    this.properties = searchableProperties(entityName, properties);
    this.rules = {
      entityName,
      encrypted: new Set(Object.keys(properties)),
      searchable: new Map(this.properties.map(({property, column}) => [property, column])),
    };
    this.indexes = new Map(
      this.properties.map(searchable => {
        const {property} = searchable;
        return [property, new BlindIndex(entityName, searchable, properties[property].type)];
      }),
    );
  }

  /** Fetches the keys, so that a missing one is found at start-up. */
  async ready(): Promise<void> {
    if (this.properties.length) await this.keys.all();
  }

  /** The row without values for index columns: only this class makes them. */
  withoutIndexes(row: Readonly<Row>): Readonly<Row> {
    if (!this.properties.some(({column}) => column in row)) return row;
    const columns = new Set(this.properties.map(({column}) => column));
    return Object.fromEntries(Object.entries(row).filter(([name]) => !columns.has(name)));
  }

  /** The row with null for each searchable property that it lacks. */
  complete(row: Readonly<Row>): Row {
    const empty = this.properties.map(({property}) => [property, null]);
    return {...Object.fromEntries(empty), ...row};
  }

  /** Index columns of the searchable properties that a row in plain text has; null stays null. */
  indexesFor(row: Readonly<Row>): Row | Promise<Row> {
    const given = this.properties.filter(({property}) => row[property] !== undefined);
    if (given.length === 0) return {};
    const keys = this.keys.atHand();
    const make = ([key]: readonly DataCipherKey[]): Row =>
      Object.fromEntries(
        given.map(({property, column}) => {
          const value = row[property];
          return [column, value === null ? null : this.indexes.get(property)!.of(value, key)];
        }),
      );
    return keys ? make(keys) : this.keys.all().then(make);
  }

  /**
   * What has to be looked for before a row is written, because a unique index compares only what
   * one key has made. Nothing while there is one key.
   */
  async claims(row: Readonly<Row>): Promise<Claim[]> {
    const unique = this.properties.filter(({property, unique: is}) => is && row[property] != null);
    if (unique.length === 0) return [];
    const keys = await this.keys.all();
    if (keys.length === 1) return [];
    return unique.map(({property, column}) => {
      const index = this.indexes.get(property)!;
      const indexes = keys.map(key => index.of(row[property], key));
      // Every process has the same keys, though not always the same one first.
      return {property, column, indexes, lock: [...indexes].sort()[0]};
    });
  }

  /**
   * The filter as the database can answer it: comparisons of searchable properties are on their
   * index columns, for each key that a row may be indexed with.
   *
   * @throws `EncryptedQueryError`
   */
  filter<F extends object | undefined>(filter: F): F | Promise<F> {
    if (!checkEncryptedQuery(this.rules, filter)) return filter;
    const translate = (keys: readonly DataCipherKey[]) => this.translated(filter!, keys) as F;
    const keys = this.keys.atHand();
    return keys ? translate(keys) : this.keys.all().then(translate);
  }

  /**
   * As {@link filter}, for who cannot wait: with the keys that were there when they were last asked
   * for. Call {@link ready} before.
   */
  filterNow<F extends object>(filter: F): F {
    if (!checkEncryptedQuery(this.rules, filter)) return filter;
    return this.translated(filter, this.keys.latest() ?? []) as F;
  }

  private translated(filter: object, keys: readonly DataCipherKey[]): object {
    const {where} = filter as {where: object};
    const indexesOf = (property: string, value: unknown) => {
      const index = this.indexes.get(property)!;
      return keys.map(key => index.of(value, key));
    };
    return {...filter, where: translatedWhere(this.rules, where, indexesOf)};
  }
}
