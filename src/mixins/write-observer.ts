import type {Options} from '@loopback/repository';
import type {WriteResult, WrittenRow} from './plan';

/**
 * How the rows of a write were learnt: answered by the very statement, or read before and after it,
 * when other writes may have got in between. `ids` are those that the write was of, whether there
 * was a row or not; absent for a write of whatever meets a condition.
 */
export type Learnt =
  | {readonly from: 'statement'}
  | {readonly from: 'reads'; readonly ids?: readonly unknown[]};

/** One write from its beginning to its end, which is told by exactly one of the calls. */
export interface ObservedWrite {
  wrote(rows: readonly WrittenRow[], learnt: Learnt): void;
  /** It is not known which rows were written, if any. */
  inDoubt(): void;
  wroteNothing(): void;
}

/** Told of every write of a juggler model's rows that this process makes. */
export interface WriteObserver {
  /** @param transaction - LoopBack's, if the write is part of one: it counts once that commits */
  begins(transaction: object | undefined): ObservedWrite;
}

const observers = new WeakMap<object, WriteObserver>();

/** The observer of a juggler model, if there is one. */
export function observerOf(model: object): WriteObserver | undefined {
  return observers.get(model);
}

/** Sets the observer of a juggler model, or takes it away. */
export function setObserver(model: object, observer: WriteObserver | undefined): void {
  if (observer) observers.set(model, observer);
  else observers.delete(model);
}

/** Runs one statement that answers the rows it wrote, and tells the observer. */
export async function observedStatement(
  observer: WriteObserver,
  {transaction}: Options,
  run: () => Promise<WriteResult>,
): Promise<WriteResult> {
  const write = observer.begins(transaction);
  try {
    const result = await run();
    write.wrote(result.rows, {from: 'statement'});
    return result;
  } catch (error) {
    if (wasRefused(error)) write.wroteNothing();
    else write.inDoubt();
    throw error;
  }
}

/** Classes of SQLSTATE that leave open what became of a statement: the connection, the server. */
const IN_DOUBT = /^(08|57P|58|XX)/;

/** Whether the database, or we before it, refused a statement as a whole. */
export function wasRefused(error: unknown): boolean {
  const {code, statusCode} = (error ?? {}) as {code?: unknown; statusCode?: unknown};
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return true;
  if (typeof code !== 'string') return false;
  return code.startsWith('ER_') || (/^[0-9A-Z]{5}$/.test(code) && !IN_DOUBT.test(code));
}
