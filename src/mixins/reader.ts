import type {Entity, Fields, Filter, Options, Where} from '@loopback/repository';
import {visible} from './behaviours/soft-delete';
import type {PostgresExecutor} from './executors/postgres';
import {assertBindable} from './executors/postgres-lists';
import {countOfRows, rowById, rowsOf} from './executors/postgres-reads';
import {assertSafeFilter} from './filter-check';
import {assertOwnTransaction, plainValue, type JugglerInstance} from './juggler';
import {visibilityOf} from './options';
import type {Condition, Row} from './plan';
import {conjunction} from './planner';
import type {RepositoryHost} from './repository-host';
import {Secrets} from './secrets';
import {selected} from './selection';
import {assertPlainId, plainWhere} from './where';
import {assertSafeWhere} from './where-check';
import {bindingsIn} from './where-values';

/** What a filter may have that whole rows are read by. */
const DIRECT: ReadonlySet<string> = new Set(['where', 'order', 'limit', 'offset', 'skip']);

/** More values than this take the connector longer than it takes to read whole rows. */
const LONG = 1_000;

function isLong(where: Condition | undefined): boolean {
  return bindingsIn(where, () => false) > LONG;
}

/** What behaviours do to reads: pass deleted rows by, decrypt. Filters are copied, not changed. */
export class EntityReader<T extends Entity> {
  private readonly secrets: Secrets;

  constructor(private readonly host: RepositoryHost<T>) {
    this.secrets = new Secrets(host.live, host.surroundings);
  }

  /** The where of a read, with what the caller may see. */
  where(where: Where<T> | undefined, options: Options | undefined): Where<T> {
    return conjunction([plainWhere(where as Condition), this.guard(options)]) as Where<T>;
  }

  /** Runs a read of the repository with the filter completed, and decrypts what it answers. */
  async read<R extends T>(
    filter: Filter<T> | undefined,
    options: Options | undefined,
    run: (filter: Filter<T>) => Promise<R[]>,
  ): Promise<R[]> {
    const asked = await this.checkedFilter(filter, options);
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

  /**
   * Whole rows, straight from PostgreSQL; undefined for a filter that wants anything else, unless
   * its where is so long that juggler's connector had better not write it.
   */
  async readDirectly(
    postgres: PostgresExecutor,
    filter: Filter<T> | undefined,
    options: Options | undefined,
    page: {limit?: 1} = {},
  ): Promise<T[] | undefined> {
    const parts = Object.keys(filter ?? {});
    const isWhole = parts.every(key => DIRECT.has(key));
    if (!isWhole && !isLong(filter?.where as Condition)) return undefined;
    const {include, fields, ...asked} = (await this.checkedFilter(filter, options)) ?? {};
    const own: Row = {...asked, ...page, where: plainWhere(asked?.where as Condition)};
    const rows = await rowsOf(postgres, this.host.live, own, this.guard(options), options ?? {});
    const opened = await this.secrets.open(rows.map(row => this.entityOf(row)));
    if (isWhole) return opened;
    const related = include?.length
      ? await this.host.withRelated(opened, include, options ?? {})
      : opened;
    const relations = new Set(include?.map(i => (typeof i === 'string' ? i : i.relation)));
    return related.map(entity => selected(entity, fields, relations));
  }

  /** A row by its id, straight from PostgreSQL. */
  async readById(
    postgres: PostgresExecutor,
    id: unknown,
    options: Options | undefined,
  ): Promise<T[]> {
    const {live} = this.host;
    assertOwnTransaction(live.model, options);
    const typed = live.typedId(assertPlainId(id));
    const row = await rowById(postgres, live, typed, this.guard(options), options ?? {});
    return row ? this.secrets.open([this.entityOf(row)]) : [];
  }

  /** How many rows a where meets, straight from PostgreSQL. */
  async countDirectly(
    postgres: PostgresExecutor,
    where: Where<T> | undefined,
    options: Options | undefined,
  ): Promise<number> {
    const checked = await this.checkedWhere(where, options);
    return countOfRows(postgres, this.host.live.model, checked as Condition, options ?? {});
  }

  /** The where of a count. */
  async checkedWhere(
    where: Where<T> | undefined,
    options: Options | undefined,
  ): Promise<Where<T>> {
    const {model} = this.host.live;
    assertOwnTransaction(model, options);
    assertSafeWhere(where, model, 'read');
    this.assertRoom(where as Condition);
    return this.where(await this.secrets.where(where), options);
  }

  byId(id: unknown): Where<T> {
    return {[this.idName]: assertPlainId(id)} as Where<T>;
  }

  private async checkedFilter<F extends Filter<T> | undefined>(
    filter: F,
    options: Options | undefined,
  ): Promise<F> {
    const {model, entityClass} = this.host.live;
    assertOwnTransaction(model, options);
    assertSafeFilter(filter, model, entityClass.definition.properties);
    this.assertRoom(filter?.where as Condition);
    return this.secrets.filter(filter);
  }

  private assertRoom(where: Condition | undefined): void {
    const {model, postgres, directReads} = this.host.live;
    if (postgres) assertBindable(model, where, directReads ? 'us' : 'connector');
  }

  private guard(options: Options | undefined): Condition | undefined {
    return this.host.live.has('softDelete') ? visible(visibilityOf(options)) : undefined;
  }

  private entityOf(row: Row): T {
    const {model} = this.host.live;
    for (const name of Object.keys(row)) row[name] = plainValue(model, name, row[name]);
    // What a juggler instance is asked for when it becomes an entity.
    return this.host.toLiveEntity({toObject: () => row} as unknown as JugglerInstance);
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
