import type {JugglerModelClass} from '../../mixins/juggler';
import type {WrittenRow} from '../../mixins/plan';
import {wasRefused, type Learnt, type WriteObserver} from '../../mixins/write-observer';
import {hasTransactions, connectorOf} from './entity';
import type {Where} from './where';

type Row = Record<string, unknown>;
type Options = Row & {readonly transaction?: object};

/** Rows of one write that are read; past them, all that is said is that there were many. */
const MOST_ROWS = 1000;

type Static = (this: unknown, ...args: unknown[]) => Promise<unknown>;
type Statics = Record<string, Static>;

/** A write as it was called: which rows it is of, as far as its arguments tell. */
interface Call {
  readonly where?: Where;
  readonly options: Options;
  /** The ids of the rows that its answer says it made. */
  madeBy?(answer: unknown): unknown[];
}

/**
 * Observes the writes of a juggler model: those of LoopBack's own repositories, which all end here.
 * Reads the rows before and after each write, in its transaction where it has one. Answers the
 * function that ends it.
 */
export function observeModel(model: JugglerModelClass, observer: WriteObserver): () => void {
  const statics = model as unknown as Statics;
  const idName = model.definition.idName();
  const idOf = (row: unknown) => (row as Row | null)?.[idName];
  const byId = (id: unknown, options: unknown): Call => ({
    where: {[idName]: id},
    options: (options ?? {}) as Options,
  });
  const calls: Record<string, (args: unknown[]) => Call | undefined> = {
    // Juggler makes of a list one call for each.
    create: ([data, options]) =>
      Array.isArray(data)
        ? undefined
        : {options: (options ?? {}) as Options, madeBy: answer => [idOf(answer)]},
    createAll: ([, options]) =>
      connectorOf(model).multiInsertSupported
        ? {options: (options ?? {}) as Options, madeBy: answer => (answer as Row[]).map(idOf)}
        : undefined,
    updateAll: ([where, , options]) => ({
      where: (where ?? {}) as Where,
      options: (options ?? {}) as Options,
    }),
    replaceById: ([id, , options]) => byId(id, options),
    deleteAll: ([where, options]) => ({
      where: (where ?? {}) as Where,
      options: (options ?? {}) as Options,
    }),
    deleteById: ([id, options]) => byId(id, options),
  };
  const known = new Map(Object.keys(calls).map(name => [
    name,
    {original: statics[name], own: Object.getOwnPropertyDescriptor(model, name)},
  ]));
  for (const [name, callOf] of Object.entries(calls)) {
    const {original} = known.get(name)!;
    const value = function observed(this: unknown, ...args: unknown[]) {
      const callback = typeof args.at(-1) === 'function' ? (args.pop() as Callback) : undefined;
      const call = callOf(args);
      const run = () => original.apply(this, args);
      const done = call ? new WatchedCall(model, call, observer).run(run) : run();
      if (!callback) return done;
      done.then(answer => callback(null, answer), callback);
      return undefined;
    };
    Object.defineProperty(model, name, {value, configurable: true, writable: true});
  }
  return () => {
    for (const [name, {own}] of known) {
      delete statics[name];
      if (own) Object.defineProperty(model, name, own);
    }
  };
}

type Callback = (error: unknown, answer?: unknown) => void;

class WatchedCall {
  private readonly idName: string;

  constructor(
    private readonly model: JugglerModelClass,
    private readonly call: Call,
    private readonly observer: WriteObserver,
  ) {
    this.idName = model.definition.idName();
  }

  async run<R>(write: () => Promise<R>): Promise<R> {
    const {transaction} = this.call.options;
    const observed = this.observer.begins(transaction);
    const before = await this.rowsBefore();
    let answer: R;
    try {
      answer = await write();
    } catch (error) {
      // Several statements that a connector makes without a transaction can have been done in part.
      const isWhole = hasTransactions(this.model) && !transaction;
      if (isWhole && wasRefused(error)) observed.wroteNothing();
      else observed.inDoubt();
      throw error;
    }
    const learnt = before && (await this.learnt(before, answer));
    if (learnt) observed.wrote(learnt.rows, learnt);
    else observed.inDoubt();
    return answer;
  }

  /** Undefined where it is not known: too many, or they could not be read. */
  private async rowsBefore(): Promise<readonly Row[] | undefined> {
    return this.call.where ? this.find(this.call.where) : [];
  }

  private async learnt(
    before: readonly Row[],
    answer: unknown,
  ): Promise<(Learnt & {readonly rows: readonly WrittenRow[]}) | undefined> {
    const made = this.call.madeBy?.(answer);
    const ids = made ?? before.map(row => row[this.idName]);
    if (ids.length > MOST_ROWS) return undefined;
    const count = (answer as {count?: number} | undefined)?.count;
    if (!made && typeof count === 'number' && count !== before.length) return undefined;
    const after = ids.length === 0 ? [] : await this.find({[this.idName]: {inq: ids}});
    if (!after) return undefined;
    const named = made ?? this.idInWhere();
    const rows = paired(before, after, this.idName);
    return {from: 'reads', rows, ...(named && {ids: named})};
  }

  private async find(where: Where): Promise<readonly Row[] | undefined> {
    const {transaction} = this.call.options;
    const filter = {where: copyOf(where), limit: MOST_ROWS + 1};
    try {
      const found = await this.model.find(filter, transaction ? {transaction} : {});
      if (found.length > MOST_ROWS) return undefined;
      return found.map(instance => instance.toObject(true));
    } catch {
      // The write itself is not to fail because of it.
      return undefined;
    }
  }

  private idInWhere(): unknown[] | undefined {
    const id = idIn(this.call.where ?? {}, this.idName);
    return id === undefined ? undefined : [id];
  }
}

/** Juggler coerces the values of a where in place. */
function copyOf(where: Where): Where {
  return Object.fromEntries(Object.entries(where).map(([name, value]) => [name, copied(value)]));
}

function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  const isPlain = value !== null && typeof value === 'object' && value.constructor === Object;
  return isPlain ? copyOf(value as Where) : value;
}

/** The id that a where demands. */
function idIn(where: Where, idName: string): unknown {
  const id = where[idName];
  if (id !== undefined && (typeof id !== 'object' || id === null)) return id;
  const parts = Array.isArray(where.and) ? (where.and as Where[]) : [];
  return parts.map(part => idIn(part, idName)).find(each => each !== undefined);
}

function paired(before: readonly Row[], after: readonly Row[], idName: string): WrittenRow[] {
  const byId = new Map<string, {before?: Row; after?: Row}>();
  for (const row of before) byId.set(String(row[idName]), {before: row});
  for (const row of after) {
    const key = String(row[idName]);
    byId.set(key, {...byId.get(key), after: row});
  }
  return [...byId.values()];
}
