import type {Entity, Fields, Filter, Options, Where} from '@loopback/repository';
import {visible} from './behaviours/soft-delete';
import type {PostgresExecutor} from './executors/postgres';
import {plainValue, type JugglerInstance} from './juggler';
import {visibilityOf} from './options';
import type {Condition} from './plan';
import {conjunction} from './planner';
import type {RepositoryHost} from './repository-host';
import {Secrets} from './secrets';
import {assertPlainId, plainWhere} from './where';

/** What behaviours do to reads: pass deleted rows by, decrypt. Filters are copied, not changed. */
export class EntityReader<T extends Entity> {
  private readonly secrets: Secrets;

  constructor(private readonly host: RepositoryHost<T>) {
    this.secrets = new Secrets(host.live, host.surroundings);
  }

  /** The where of a read, with what the caller may see. */
  where(where: Where<T> | undefined, options: Options | undefined): Where<T> {
    const guard = this.host.live.has('softDelete') ? visible(visibilityOf(options)) : undefined;
    return conjunction([plainWhere(where as Condition), guard]) as Where<T>;
  }

  /** Runs a read of the repository with the filter completed, and decrypts what it answers. */
  async read<R extends T>(
    filter: Filter<T> | undefined,
    options: Options | undefined,
    run: (filter: Filter<T>) => Promise<R[]>,
  ): Promise<R[]> {
    const asked = await this.secrets.filter(filter);
    const idIsExtra = this.secrets.lacksId(filter?.fields);
    const entities = await run({
      ...asked,
      ...(idIsExtra ? {fields: this.withId(filter?.fields)} : {}),
      where: this.where(asked?.where, options),
    });
    await this.secrets.open(entities);
    if (idIsExtra) entities.forEach(e => delete (e as Record<string, unknown>)[this.idName]);
    return entities;
  }

  /** A row by its id, straight from PostgreSQL. */
  async readById(
    postgres: PostgresExecutor,
    id: unknown,
    options: Options | undefined,
  ): Promise<T[]> {
    const {live} = this.host;
    const guard = live.has('softDelete') ? visible(visibilityOf(options)) : undefined;
    const typed = live.typedId(assertPlainId(id));
    const row = await postgres.findById(live, typed, guard, options ?? {});
    if (!row) return [];
    for (const name of Object.keys(row)) row[name] = plainValue(live.model, name, row[name]);
    // What a juggler instance is asked for when it becomes an entity.
    const instance = {toObject: () => row} as unknown as JugglerInstance;
    return this.secrets.open([this.host.toLiveEntity(instance)]);
  }

  /** The where of a count. */
  async checkedWhere(
    where: Where<T> | undefined,
    options: Options | undefined,
  ): Promise<Where<T>> {
    return this.where(await this.secrets.where(where), options);
  }

  byId(id: unknown): Where<T> {
    return {[this.idName]: id} as Where<T>;
  }

  private get idName(): string {
    return this.host.live.idName;
  }

  private withId(fields: Filter<T>['fields']): Fields<T> {
    if (Array.isArray(fields)) return [...fields, this.idName] as Fields<T>;
    const {[this.idName]: hidden, ...rest} = fields as Record<string, boolean>;
    const lists = Object.values(rest).some(Boolean);
    return (lists ? {...rest, [this.idName]: true} : rest) as Fields<T>;
  }
}
