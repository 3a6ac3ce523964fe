import type {Context} from '@loopback/core';
import type {Entity, EntityCrudRepository, Options} from '@loopback/repository';
import type {RowImage} from '../../core/change';
import {LiveEntityError} from '../../core/errors';
import type {LiveHub} from '../../core/hub';
import type {EntityShape} from '../../core/shape';
import type {ViewDefinition} from '../../core/view';
import type {Row} from '../../protocol/page';
import type {RealtimeDefinition} from './types';

/** A repository as the live side uses it. */
export type LiveRepository = EntityCrudRepository<Entity, unknown>;

/** Decrypts the wanted properties of a stored row. */
export type Reveal = (row: Row, wanted: readonly string[]) => Row | Promise<Row>;

/** One entity that `@realtime` made live, with all that is known of it at start-up. */
export class RealtimeEntity {
  readonly name: string;
  private readonly always: readonly string[];
  private readonly visible: readonly string[];

  constructor(
    readonly repositoryKey: string,
    readonly entityClass: typeof Entity,
    readonly definition: RealtimeDefinition<object>,
    readonly views: ReadonlyMap<string, ViewDefinition>,
    readonly shape: EntityShape,
    readonly hub: LiveHub,
    private readonly reveal: Reveal | undefined,
  ) {
    this.name = shape.name;
    this.visible = Object.keys(entityClass.definition.properties).filter(
      name => Object.hasOwn(shape.properties, name) && !shape.properties[name].hidden,
    );
    this.always = [...shape.ids, ...(shape.versionProperty ? [shape.versionProperty] : [])];
  }

  /** @throws LiveEntityError `UNKNOWN_VIEW` (404) */
  view(name: string): ViewDefinition {
    const view = this.views.get(name);
    if (view) return view;
    throw new LiveEntityError('UNKNOWN_VIEW', `${this.name} has no view '${name}'`, 404);
  }

  /** A repository of the given context, so that it knows the user of the call. */
  repositoryIn(context: Context): Promise<LiveRepository> {
    return context.get<LiveRepository>(this.repositoryKey);
  }

  /**
   * The properties to send: those asked for, or all that are not hidden, always with the ids and
   * the version. Of a view that shows some properties only, nobody gets others.
   *
   * @throws LiveEntityError `UNKNOWN_FIELD` for one that the entity lacks or hides
   */
  fieldsFor(
    asked: readonly string[] | undefined,
    shown?: readonly string[],
  ): readonly string[] | undefined {
    for (const name of [...(asked ?? []), ...(shown ?? [])]) this.checkField(name);
    const wanted = asked && shown ? asked.filter(name => shown.includes(name)) : (asked ?? shown);
    return wanted && [...new Set([...this.always, ...wanted])].sort();
  }

  /** @throws LiveEntityError `UNKNOWN_FIELD` */
  checkField(name: string): void {
    if (!this.visible.includes(name)) {
      throw new LiveEntityError('UNKNOWN_FIELD', `${this.name} has no property '${name}'`);
    }
  }

  /** A stored row in plain text, without what is hidden. */
  revealed(image: RowImage, fields: readonly string[] | undefined): Row | Promise<Row> {
    const wanted = fields ?? this.visible;
    const row = this.reveal ? this.reveal(image.values, wanted) : image.values;
    return row instanceof Promise ? row.then(plain => pick(plain, wanted)) : pick(row, wanted);
  }

  /** An entity as a repository answers it, as it travels. */
  plainOf(entity: Entity): Row {
    return pick(JSON.parse(JSON.stringify(entity)) as Row, this.visible);
  }

  project(row: Row, fields: readonly string[] | undefined): Row {
    return fields ? pick(row, fields) : row;
  }

  /** The version among the values that a write gave a row, where the entity has versions. */
  versionIn(stamp: Row): Row {
    const {versionProperty: name} = this.shape;
    return name !== undefined && typeof stamp[name] === 'string' ? {[name]: stamp[name]} : {};
  }

  /**
   * @throws LiveEntityError `BAD_REQUEST` when the id is not of the property's type, or rows have
   * an id of several properties, of which one alone would mean several rows
   */
  idOf(id: unknown): string | number {
    const [property, ...others] = this.shape.ids;
    if (others.length > 0) {
      const names = this.shape.ids.join(', ');
      throw new LiveEntityError('BAD_REQUEST', `${this.name} has an id of several properties ` +
        `(${names}), so no call can name a row of it; its views can be watched`);
    }
    const {kind} = this.shape.properties[property];
    const isNumeric = kind === 'number' || kind === 'double';
    // Rounded to what JavaScript has, a longer one would be another row's.
    if (isNumeric && /^-?\d+$/.test(String(id)) && Number.isSafeInteger(Number(id))) {
      return Number(id);
    }
    if (!isNumeric && typeof id === 'string' && id !== '') return id;
    throw new LiveEntityError('BAD_REQUEST', `that is not an id of ${this.name}`);
  }
}

/** Options of a write over the socket. */
export function writeOptions(version: string | null | undefined, requestId: string): Options {
  return version === undefined ? {requestId} : {requestId, version};
}

function pick(row: Row, names: readonly string[]): Row {
  const picked: Record<string, unknown> = {};
  for (const name of names) if (Object.hasOwn(row, name)) picked[name] = row[name];
  return picked;
}
