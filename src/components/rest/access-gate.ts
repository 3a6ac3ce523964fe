import type {Entity, Filter} from '@loopback/repository';
import type {RequestContext} from '@loopback/rest';
import {SecurityBindings, type UserProfile} from '@loopback/security';
import type {AccessAction, AccessGuard, AccessQuery, AccessRequest} from '../../core/access';
import {CRUDBlockedError} from '../../core/errors';
import type {Scope} from '../../core/scope';
import {inclusionsOf} from './relations';
import type {Row} from './types';

/**
 * Asks the access filters on behalf of one REST call: `pre` before anything is fetched, `post` on
 * every row that is answered or written, those of included relations under their own entity.
 */
export class AccessGate {
  constructor(
    private readonly guard: AccessGuard,
    private readonly context: RequestContext,
    private readonly entity: typeof Entity,
  ) {}

  /** Whether rows have to be shown to filters, so that they must be complete. */
  get seesRows(): boolean {
    return this.guard.hasPost(this.entity.modelName);
  }

  /** Runs the `pre` filters of the entity, and of those that the filter includes. */
  async enter(action: AccessAction, query: Partial<AccessQuery>, filter?: Filter): Promise<void> {
    await this.guard.before(await this.request(this.entity, action, query));
    await this.enterInclusions(this.entity, filter);
  }

  /** Runs the `post` filters on a row that is about to be written. */
  async allow(
    action: AccessAction,
    query: Partial<AccessQuery>,
    row: () => Promise<Row>,
  ): Promise<void> {
    if (!this.seesRows) return;
    await this.guard.after(await this.request(this.entity, action, query), await row());
  }

  /**
   * The filter to fetch rows with: a `post` filter judges the whole row, whatever the caller wants
   * to see of it, so its choice of fields is left for {@link show} to make.
   */
  complete(filter: Filter | undefined, entity = this.entity): Filter | undefined {
    if (!filter) return filter;
    const include = inclusionsOf(entity, filter).map(({relation, target, scope}) => ({
      relation,
      ...(scope ? {scope: this.complete(scope, target)} : {}),
    }));
    const {fields, ...rest} = filter;
    return {
      ...rest,
      ...(fields && !this.guard.hasPost(entity.modelName) ? {fields} : {}),
      ...(include.length > 0 ? {include} : {}),
    };
  }

  /** What may be seen of a row. */
  async show(row: object, filter?: Filter, entity = this.entity): Promise<Row> {
    const own = plain(row);
    const related: Row = {};
    for (const {relation, target, scope} of inclusionsOf(entity, filter)) {
      const found = own[relation];
      delete own[relation];
      if (Array.isArray(found)) {
        related[relation] = await this.showAll(found as object[], scope, target);
      } else if (found) {
        [related[relation]] = await this.showAll([found], scope, target);
      }
    }
    const id = own[entity.getIdProperties()[0]] as AccessQuery['id'];
    const shown = this.guard.hasPost(entity.modelName)
      ? cut(await this.guard.after(await this.request(entity, 'read', {id}), own), filter)
      : own;
    return {...shown, ...related};
  }

  /** What may be seen of many rows. Those that a filter refuses are left out. */
  async showAll(rows: readonly object[], filter?: Filter, entity = this.entity): Promise<Row[]> {
    const shown = await Promise.all(
      rows.map(row => this.show(row, filter, entity).catch(absentIfBlocked)),
    );
    return shown.filter(row => row !== undefined);
  }

  /**
   * What a row holds that the caller is not shown, which a replacement by somebody who could not
   * have sent it back must leave as it is.
   */
  async unseen(row: Entity): Promise<Row> {
    if (!this.seesRows) return {};
    const [shown = {}] = await this.showAll([row]);
    const held = Object.entries(row.toObject()).filter(([, value]) => value !== undefined);
    return Object.fromEntries(held.filter(([name]) => shown[name] === undefined));
  }

  /** The rows of an entity that the caller may reach; undefined for all. */
  async scopeOf(entity: typeof Entity): Promise<Scope | undefined> {
    return this.guard.scope(entity.modelName, await this.principal());
  }

  private async enterInclusions(entity: typeof Entity, filter: Filter | undefined): Promise<void> {
    for (const {relation, target, scope, isPolymorphic} of inclusionsOf(entity, filter)) {
      if (isPolymorphic) {
        const message = `'${relation}' leads to several entities: read each by its own route`;
        throw new CRUDBlockedError('pre', message);
      }
      await this.guard.beforeIncluding(await this.request(target, 'read', {}));
      await this.enterInclusions(target, scope);
    }
  }

  private async request(
    entity: typeof Entity,
    action: AccessAction,
    query: Partial<AccessQuery>,
  ): Promise<AccessRequest> {
    return {
      principal: await this.principal(),
      source: 'rest',
      context: this.context,
      action,
      query: {...query, type: entity.modelName},
    };
  }

  private principal(): Promise<UserProfile | undefined> {
    return this.context.get(SecurityBindings.USER, {optional: true});
  }
}

/** As JSON would have it, without what the model hides. */
function plain(row: object): Row {
  const {toJSON} = row as {toJSON?: () => object};
  return {...(toJSON ? toJSON.call(row) : row)};
}

function cut(row: Row, filter: Filter | undefined): Row {
  const fields = filter?.fields;
  if (!fields) return row;
  const chosen = Array.isArray(fields)
    ? (fields)
    : Object.keys(fields).filter(name => (fields as Record<string, boolean>)[name]);
  const isChosen = (name: string) =>
    chosen.length > 0
      ? chosen.includes(name)
      : (fields as Record<string, boolean>)[name] !== false;
  return Object.fromEntries(Object.entries(row).filter(([name]) => isChosen(name)));
}

/** Want of a login is the caller's to know, whatever the row. */
function absentIfBlocked(error: unknown): undefined {
  if (error instanceof CRUDBlockedError && error.statusCode !== 401) return undefined;
  throw error;
}
