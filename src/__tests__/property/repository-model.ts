import type {BehaviourName} from '../../mixins/behaviour';
import type {CallOptions, Condition, Data, Named, NewRow, Write} from './repository-model.steps';

/** A state of a row. Versions are numbers here; which text each has, the test finds out. */
export interface State {
  readonly id: string;
  readonly name: string | null;
  readonly qty: number | null;
  readonly tags: readonly string[] | null;
  readonly secret: string | null;
  readonly version: number;
  readonly oldVersion: number | null;
  readonly created: Stamp;
  readonly modified: Stamp;
  readonly deleted: Stamp | null;
  readonly revision: number;
  /** The step at which it began. */
  readonly since: number;
}

/** Who and when, in steps. */
export interface Stamp {
  readonly by: string;
  readonly at: number;
}

/** A state that has ended, and the write that ended it. */
export interface Ended {
  readonly state: State;
  readonly until: number;
  readonly operation: 'update' | 'delete' | 'restore' | 'revert';
  readonly by: string;
  readonly reason: string | null;
  readonly onBehalfOf: string | null;
}

/** What a call answers: the error's code or a count; rows are compared apart from it. */
export interface Outcome {
  readonly error?: string;
  readonly count?: number;
}

/** Data that a row may hold, all of it. */
type Whole = Pick<State, 'name' | 'qty' | 'tags' | 'secret'>;

class Refusal extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** What should happen, said as plainly as possible: maps in memory, no database, no plans. */
export class RepositoryModel {
  rows = new Map<string, State>();
  ended: readonly Ended[] = [];
  step = 0;
  private versions = 0;

  constructor(private readonly behaviours: ReadonlySet<BehaviourName>) {}

  /** @param momentOf - The step after which a moment was taken, counted back from the last */
  write(write: Write, momentOf: (back: number) => number): Outcome {
    const before = this.saved();
    try {
      const count = this.perform(write, momentOf);
      return count === undefined ? {} : {count};
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.restore(before);
      return {error: error.code};
    }
  }

  saved() {
    return {rows: new Map(this.rows), ended: this.ended};
  }

  restore({rows, ended}: {rows: Map<string, State>; ended: readonly Ended[]}): void {
    this.rows = new Map(rows);
    this.ended = ended;
  }

  has(name: BehaviourName): boolean {
    return this.behaviours.has(name);
  }

  /** Rows that a read sees, by id. */
  seen(where: Condition, see: CallOptions['see']): State[] {
    return sorted([...this.rows.values()]).filter(r => meets(r, where) && this.sees(r, see));
  }

  historyOf(id: string): Ended[] {
    return this.ended
      .filter(e => e.state.id === id)
      .sort((a, b) => a.state.revision - b.state.revision);
  }

  /** Rows as they were after a step. */
  asOf(step: number, where: Condition, see: CallOptions['see']): State[] {
    const past = this.ended.filter(e => e.state.since <= step && step < e.until).map(e => e.state);
    const present = [...this.rows.values()].filter(r => r.since <= step);
    return sorted([...past, ...present]).filter(r => meets(r, where) && this.sees(r, see));
  }

  /** A state by its number; 0 means the present one, which only those see who see the row. */
  stateOf(id: string, revision: number, see: CallOptions['see']): State | undefined {
    const past = this.ended.find(e => e.state.id === id && e.state.revision === revision)?.state;
    const now = this.rows.get(id);
    const isMeant = now && (revision === 0 || now.revision === revision);
    return past ?? (isMeant && this.sees(now, see) ? now : undefined);
  }

  private perform(write: Write, momentOf: (back: number) => number): number | undefined {
    switch (write.do) {
      case 'create':
      case 'createAll':
        write.rows.forEach(row => this.insert(row, write.options));
        return write.rows.length;
      case 'updateById':
      case 'update':
        return this.one(write, write.options.see, row => this.set(row, write.data, write));
      case 'replaceById':
      case 'save':
        return this.one(write, write.options.see, row =>
          this.set(row, {...EMPTY, ...write.data}, write),
        );
      case 'updateAll':
        if (this.encrypts(write.data)) throw new Refusal('ENCRYPTION_NEEDS_ID');
        return this.many(write.where, write.options.see, row => this.set(row, write.data, write));
      case 'deleteById':
      case 'delete':
        return this.one(write, this.seesOfDelete(write), row => this.remove(row, write));
      case 'deleteAll':
        return this.many(write.where, this.seesOfDelete(write), row => this.remove(row, write));
      case 'restoreById':
        this.need('softDelete');
        return this.one(write, 'onlyDeleted', row => this.bringBack(row, write.options), false);
      case 'restoreAll':
        this.need('softDelete');
        return this.many(write.where, 'onlyDeleted', row => this.bringBack(row, write.options));
      case 'purge':
        this.need('softDelete');
        return this.many(write.where, 'onlyDeleted', row => this.end(row, 'delete', write.options));
      case 'revertTo': {
        this.need('history');
        const past = this.stateOf(write.id, write.revision, write.options.see);
        if (!past) throw new Refusal('ENTITY_NOT_FOUND');
        return this.one(write, write.options.see, row =>
          this.set(row, wholeOf(past), write, 'revert'),
        );
      }
      case 'pruneHistory':
        return this.prune(
          write.keepLast,
          write.olderThan === undefined ? undefined : momentOf(write.olderThan),
        );
      case 'redactHistory':
        return this.redact(write.id, write.fields);
    }
  }

  private insert(row: NewRow, {by}: CallOptions): void {
    if (this.rows.has(row.id)) throw new Refusal('DUPLICATE');
    const stamp = this.stamp(by);
    const last = Math.max(0, ...this.historyOf(row.id).map(e => e.state.revision));
    this.rows.set(row.id, {
      ...EMPTY,
      ...row,
      version: ++this.versions,
      oldVersion: null,
      created: stamp,
      modified: stamp,
      deleted: null,
      revision: last + 1,
      since: this.step,
    });
  }

  private one(
    {id, version, options}: {id: string; version: Named; options: CallOptions},
    see: CallOptions['see'],
    change: (row: State) => void,
    needsVersion = true,
  ): undefined {
    const unnamed = version === 'none';
    if (this.has('version') && unnamed && needsVersion && options.bump !== false) {
      throw new Refusal('VERSION_REQUIRED');
    }
    const row = this.rows.get(id);
    if (!row || !this.sees(row, see)) throw new Refusal('ENTITY_NOT_FOUND');
    if (this.has('version') && version === 'stale') throw new Refusal('VERSION_CONFLICT');
    change(row);
    return undefined;
  }

  private many(where: Condition, see: CallOptions['see'], change: (row: State) => void): number {
    const rows = this.seen(where, see);
    rows.forEach(change);
    return rows.length;
  }

  /** A write that leaves all data as it is leaves everything as it is. */
  private set(
    row: State,
    data: Partial<Whole>,
    {options}: {options: CallOptions},
    operation: Ended['operation'] = 'update',
  ): void {
    const same = JSON.stringify(wholeOf({...row, ...data})) === JSON.stringify(wholeOf(row));
    if (same && !this.encrypts(data) && options.bump !== true) return;
    this.next(row, data, operation, options);
  }

  private remove(row: State, {options, hard}: {options: CallOptions; hard: boolean}): void {
    if (hard || !this.has('softDelete')) return this.end(row, 'delete', options);
    this.next(row, {deleted: this.stamp(options.by)}, 'delete', options);
  }

  private bringBack(row: State, options: CallOptions): void {
    this.next(row, {deleted: null}, 'restore', options);
  }

  private next(
    row: State,
    change: Partial<State>,
    operation: Ended['operation'],
    options: CallOptions,
  ): void {
    this.end(row, operation, options);
    const bumps = options.bump !== false;
    this.rows.set(row.id, {
      ...row,
      ...change,
      ...(bumps && {version: ++this.versions, oldVersion: row.version}),
      modified: this.stamp(options.by),
      revision: row.revision + 1,
      since: this.step,
    });
  }

  private end(state: State, operation: Ended['operation'], options: CallOptions): void {
    this.rows.delete(state.id);
    if (!this.has('history')) return;
    const {by} = this.stamp(options.by);
    const {reason = null, onBehalfOf = null} = options;
    const ended = {state, until: this.step, operation, by, reason, onBehalfOf};
    this.ended = [...this.ended, ended];
  }

  private prune(keepLast: number | undefined, olderThan: number | undefined): number {
    this.need('history');
    const kept = this.ended.filter(({state, until}) => {
      const newer = this.historyOf(state.id).filter(e => e.state.revision > state.revision).length;
      const surplus = keepLast === undefined || newer >= keepLast;
      return !(surplus && (olderThan === undefined || until <= olderThan));
    });
    const count = this.ended.length - kept.length;
    this.ended = kept;
    return count;
  }

  private redact(id: string, fields: readonly (keyof Data)[]): number {
    this.need('history');
    const emptied = Object.fromEntries(fields.map(field => [field, null]));
    this.ended = this.ended.map(e =>
      e.state.id === id ? {...e, state: {...e.state, ...emptied}} : e,
    );
    return this.historyOf(id).length;
  }

  private sees(row: State, see: CallOptions['see']): boolean {
    if (!this.has('softDelete') || see === 'withDeleted') return true;
    return (row.deleted !== null) === (see === 'onlyDeleted');
  }

  private seesOfDelete({hard, options}: {hard: boolean; options: CallOptions}): CallOptions['see'] {
    return hard ? options.see : 'live';
  }

  private encrypts({secret = null}: Partial<Whole>): boolean {
    return this.has('crypto') && secret !== null;
  }

  private stamp(by = 'system'): Stamp {
    return {by, at: this.step};
  }

  private need(name: BehaviourName): void {
    if (!this.has(name)) throw new Refusal('BEHAVIOUR_MISSING');
  }
}

const EMPTY: Whole = {name: null, qty: null, tags: null, secret: null};

export function wholeOf({name, qty, tags, secret}: Whole): Whole {
  return {name, qty, tags, secret};
}

function meets(row: State, where: Condition): boolean {
  if ('all' in where) return true;
  if ('ids' in where) return where.ids.includes(row.id);
  if ('name' in where) return row.name === where.name;
  if ('qtyAbove' in where) return row.qty !== null && row.qty > where.qtyAbove;
  const [name, qty] = where.either;
  return row.name === name || row.qty === qty;
}

function sorted(rows: State[]): State[] {
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}
