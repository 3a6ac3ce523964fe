import {randomUUID} from 'node:crypto';
import type {Getter} from '@loopback/core';
import type {Count, Entity, Options, Where} from '@loopback/repository';
import {cascadeOf} from './behaviours-of';
import {BehaviourMissingError, CascadeError} from './errors';
import {inTransaction} from './executors/in-transaction';
import type {EntityClass, LiveEntity} from './live-entity';
import {DELETION, type LiveOptions} from './options';
import type {Condition, Row} from './plan';
import {conjunction} from './planner';
import type {EntityWriter, WriteTarget, Written} from './writer';

/** A repository of related rows. */
interface RelatedRepository {
  readonly entityClass: EntityClass;
  readonly live?: LiveEntity;
  deleteAll(where: Where, options?: Options): Promise<Count>;
  restoreAll?(where: Where, options?: Options): Promise<Count>;
}

export type RelatedGetter = Getter<RelatedRepository>;

/** What a cascade needs of the repository it begins at. */
export interface CascadeHost {
  readonly entityClass: EntityClass;
  readonly live: LiveEntity;
  readonly writer: Pick<EntityWriter<Entity>, 'change' | 'meant'>;
  /** The repositories of `hasMany` and `hasOne` relations, by the relation's name. */
  readonly related: ReadonlyMap<string, RelatedGetter>;
}

/** A relation that is followed, and which relations of the related rows are. */
interface Path {
  readonly name: string;
  readonly further: LiveOptions['cascade'];
}

/** More keys go into several conditions, so that no statement has too many parameters. */
const KEYS_AT_ONCE = 5_000;

/** Deletes, restores and purges rows together with those that belong to them. */
export class Cascade {
  constructor(private readonly host: CascadeHost) {}

  /** Related rows first or last, all in one transaction where the connector has one. */
  async run(
    kind: 'delete' | 'restore' | 'purge',
    target: WriteTarget,
    options: Options & LiveOptions = {},
  ): Promise<{count: number}> {
    const {live, writer} = this.host;
    const paths = this.pathsOf(options);
    const isPlain = paths.length === 0 && !(kind === 'restore' && options.batch);
    if (isPlain) return writer.change(kind, target, {}, options);
    return inTransaction(live.model, options, within => {
      if (kind === 'restore') return this.restore(target, paths, within);
      const marks = kind === 'delete' && !options.hard && live.has('softDelete');
      return marks ? this.mark(target, paths, within) : this.remove(kind, target, paths, within);
    });
  }

  /** The row first: its version decides. All get the mark of one deletion. */
  private async mark(target: WriteTarget, paths: Path[], options: Options): Promise<Written> {
    const deletion = deletionOf(options) ?? randomUUID();
    const marked = {...options, [DELETION]: deletion};
    const written = await this.host.writer.change('delete', target, {}, marked, {rows: true});
    await this.follow(paths, written.rows, marked, (related, where, within) => {
      this.mustMark(related);
      return related.deleteAll(where as Where, within);
    });
    return written;
  }

  /** Rows that refer to others go before them. */
  private async remove(
    kind: 'delete' | 'purge',
    target: WriteTarget,
    paths: Path[],
    options: Options,
  ): Promise<Written> {
    const {writer} = this.host;
    const rows = await writer.meant(kind, target, options);
    const all = {...options, hard: true, withDeleted: true};
    await this.follow(paths, rows, all, (related, where, within) =>
      related.deleteAll(where as Where, within),
    );
    return writer.change(kind, target, {}, options);
  }

  /** What the same deletion has taken away, and nothing that was deleted before it. */
  private async restore(target: WriteTarget, paths: Path[], options: Options): Promise<Written> {
    const {writer} = this.host;
    const written = await writer.change('restore', target, {}, options, {rows: true});
    const rows = [...written.rows];
    if (options.batch) {
      const where = {_deletionId: {inq: deletionsOf(rows)}};
      const others = await writer.change('restore', {where}, {}, alone(options), {rows: true});
      rows.push(...others.rows);
    }
    await this.follow(paths, rows, options, (related, where, within) => {
      this.mustMark(related);
      const together = conjunction([where, {_deletionId: {inq: deletionsOf(rows)}}]);
      return related.restoreAll!(together as Where, within);
    });
    return {...written, count: rows.length};
  }

  private async follow(
    paths: readonly Path[],
    rows: readonly Row[],
    options: Options,
    write: (related: RelatedRepository, where: Condition, options: Options) => Promise<Count>,
  ): Promise<void> {
    if (rows.length === 0) return;
    for (const {name, further} of paths) {
      const related = await this.host.related.get(name)!();
      const [from, to] = this.keysOf(name, related.entityClass);
      const keys = [...new Set(rows.map(row => row[from]))].filter(key => key != null);
      for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
        const where = {[to]: {inq: keys.slice(at, at + KEYS_AT_ONCE)}};
        await write(related, where, {...alone(options), cascade: further});
      }
    }
  }

  private pathsOf({cascade}: LiveOptions): Path[] {
    const {related, entityClass} = this.host;
    if (cascade === true) return [...related.keys()].map(name => ({name, further: true}));
    const named = cascade === false ? [] : (cascade ?? cascadeOf(this.host.constructor));
    const names = [...new Set(named.map(path => path.split('.')[0]))];
    return names.map(name => {
      if (!related.has(name)) throw new CascadeError(entityClass.modelName, name);
      const inside = named.filter(path => path.startsWith(`${name}.`));
      const further = inside.map(path => path.slice(name.length + 1));
      return {name, further: further.length ? further : undefined};
    });
  }

  /** The property that related rows refer to, and the one of theirs that does. */
  private keysOf(relation: string, target: EntityClass): [from: string, to: string] {
    const {entityClass, live} = this.host;
    const given = entityClass.definition.relations[relation] as {keyFrom?: string; keyTo?: string};
    const byName = `${entityClass.modelName}id`.toLowerCase();
    const to =
      given.keyTo ??
      Object.keys(target.definition.properties).find(
        name => name.replaceAll('_', '').toLowerCase() === byName,
      );
    if (!to) throw new CascadeError(entityClass.modelName, relation);
    return [given.keyFrom ?? live.idName, to];
  }

  /** What would be gone for good could not come back with a restore. */
  private mustMark({entityClass, live}: RelatedRepository): void {
    if (live?.has('softDelete')) return;
    throw new BehaviourMissingError(entityClass.modelName, 'softDelete');
  }
}

function deletionOf(options: LiveOptions): string | undefined {
  return options[DELETION];
}

function deletionsOf(rows: readonly Row[]): unknown[] {
  return [...new Set(rows.map(row => row._deletionId))].filter(id => id != null);
}

/** The options without what only the rows at which a call begins are meant by. */
function alone(options: Options): Options {
  const {version, versions, onWritten, batch, cascade, ...rest} = options;
  return rest;
}
