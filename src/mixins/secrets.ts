import type {Entity, Filter} from '@loopback/repository';
import type {LiveEntity} from './live-entity';
import type {Row} from './plan';
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
    const codec = await this.surroundings.codec();
    if (!codec || !codec.properties.some(name => row[name] != null)) return row;
    return codec.encrypt(row, {id: id === undefined ? undefined : this.live.typedId(id)});
  }

  /** New rows: defaults that encryption depends on are applied before it. */
  async sealNew(row: Row): Promise<Row> {
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
    return this.seal(complete, made ?? undefined);
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

  /** Refuses what a database cannot answer of ciphertext. */
  async checkQuery(filter: object | undefined): Promise<void> {
    if (this.none || !filter) return;
    (await this.surroundings.codec())?.checkQuery(filter);
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
