import type {Entity, Filter, Options} from '@loopback/repository';
import type {Claim} from './crypto/property-search';
import {toStoredForm} from './crypto/values';
import type {LiveEntity} from './live-entity';
import type {Condition, Row} from './plan';
import {storedRows} from './rows-as-stored';
import type {Surroundings} from './surroundings';

/** Encrypts what goes to the database and decrypts what comes from it. */
export class Secrets {
  constructor(
    private readonly live: LiveEntity,
    private readonly surroundings: Surroundings,
  ) {}

  get none(): boolean {
    return Object.keys(this.live.encrypted).length === 0;
  }

  /** A row to be written; `id` is given for a write by id. */
  async seal(row: Row, id?: unknown): Promise<Row> {
    const codec = this.none ? undefined : await this.surroundings.codec();
    return codec ? codec.encrypt(row, {id: id == null ? undefined : this.live.typedId(id)}) : row;
  }

  /**
   * The id as the row has it, to which its ciphertext is bound. For a database whose comparison
   * lets another spelling pass for it, the row is asked.
   */
  async boundId(row: Row, id: unknown, {transaction}: Options): Promise<unknown> {
    const {live} = this;
    const seals = Object.keys(live.encrypted).some(name => (row[name] ?? null) !== null);
    if (id == null || !seals || !live.bindsIds || live.comparesIdsExactly) return id;
    const query = {where: {[live.idName]: live.typedId(id)}, limit: 1};
    const [found] = await live.model.find(query, transaction ? {transaction} : {});
    return found?.toObject(true)[live.idName] ?? id;
  }

  /** A new row with the defaults that encryption depends on: they are applied before it. */
  completed(row: Row): Row {
    if (this.none) return row;
    const {live} = this;
    const complete = {...row};
    for (const [name, property] of Object.entries(live.encrypted)) {
      if (complete[name] === undefined && property.default !== undefined) {
        complete[name] = defaultOf(property.default);
      }
    }
    // Juggler makes ids such as `defaultFn: 'uuidv4'` when it instantiates a model.
    const made = complete[live.idName] ?? new live.model({}).toObject(true)[live.idName];
    if (made !== undefined && made !== null) complete[live.idName] = made;
    return complete;
  }

  /** Rows as they are stored, in plain text, where they may claim unique values. */
  async stored(where: Condition, options: Options): Promise<Row[]> {
    if (!this.live.searchable.some(({unique}) => unique)) return [];
    const codec = await this.surroundings.codec();
    const {transaction} = options;
    const rows = await storedRows(this.live, where, transaction ? {transaction} : {});
    const opened: Row[] = [];
    for (const row of rows) opened.push(await codec!.decrypt(row, {id: row[this.live.idName]}));
    return opened;
  }

  /** What rows in plain text must have for themselves, and the database cannot see to. */
  async claims(rows: readonly Row[]): Promise<Claim[]> {
    if (!this.live.searchable.some(({unique}) => unique)) return [];
    const codec = await this.surroundings.codec();
    return codec ? (await Promise.all(rows.map(row => codec.search.claims(row)))).flat() : [];
  }

  /** The encrypted properties of a row in plain text, as reading it back will answer them. */
  shown(row: Row): Row {
    const given = Object.entries(this.live.encrypted).filter(([name]) => row[name] !== undefined);
    return Object.fromEntries(
      given.map(([name, {type}]) => [name, toStoredForm(row[name], type)]),
    );
  }

  /** Decrypts entities in place: they were made for this call and nobody else has them. */
  async open<E extends Entity>(entities: E[], idOf = (e: E): unknown => e.getId()): Promise<E[]> {
    if (this.none || entities.length === 0) return entities;
    const codec = await this.surroundings.codec();
    if (!codec) return entities;
    for (const entity of entities) {
      const row = pick(entity as unknown as Row, codec.properties);
      const opened = codec.decrypt(row, {id: idOf(entity)});
      Object.assign(entity, opened instanceof Promise ? await opened : opened);
    }
    return entities;
  }

  /**
   * A filter as the database can answer it.
   *
   * @throws `EncryptedQueryError` for what it cannot answer of ciphertext
   */
  async filter<F extends object | undefined>(filter: F): Promise<F> {
    if (this.none || !filter) return filter;
    const codec = await this.surroundings.codec();
    return codec ? codec.search.filter(filter) : filter;
  }

  /** A where as the database can answer it. */
  async where<W extends object | undefined>(where: W): Promise<W> {
    return where && (await this.filter({where})).where;
  }

  /** Whether a selection of fields leaves out the id that decryption needs. */
  lacksId(fields: Filter['fields']): boolean {
    if (this.none || !fields) return false;
    const {idName} = this.live;
    if (Array.isArray(fields)) return fields.length > 0 && !fields.includes(idName as never);
    const shown = fields as Record<string, boolean>;
    if (idName in shown) return !shown[idName];
    return Object.values(shown).some(Boolean);
  }
}

function pick(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.filter(n => row[n] !== undefined).map(n => [n, row[n]]));
}

function defaultOf(value: unknown): unknown {
  return typeof value === 'function' ? value() : value;
}
