import type {juggler, Options} from '@loopback/repository';
import {inTransaction} from '../executors/in-transaction';
import type {LiveEntity} from '../live-entity';

/** The databases whose rows can be locked by `SELECT … FOR UPDATE`. */
const LOCKING: ReadonlySet<string> = new Set(['postgresql', 'mysql']);

interface SqlConnector {
  readonly name: string;
  tableEscaped(model: string): string;
  columnEscaped(model: string, property: string): string;
  getPlaceholderForValue(key: number): string;
}

/**
 * Runs work that reads a row and then writes what it has made of it. Where the database can, nobody
 * else writes the row meanwhile; elsewhere the last writer wins.
 *
 * @param work - Gets the options to call repositories with: those given, and the transaction
 */
export async function withLockedRow<R>(
  live: LiveEntity,
  id: unknown,
  options: Options,
  work: (options: Options) => Promise<R>,
): Promise<R> {
  const {model, idName} = live;
  const connector = model.dataSource.connector as unknown as SqlConnector;
  if (!LOCKING.has(connector.name)) return work(options);
  return inTransaction(model, options, async within => {
    const table = connector.tableEscaped(model.modelName);
    const column = connector.columnEscaped(model.modelName, idName);
    const is = connector.getPlaceholderForValue(1);
    const lock = `SELECT 1 FROM ${table} WHERE ${column} = ${is} FOR UPDATE`;
    const {transaction} = within;
    await (model.dataSource as juggler.DataSource).execute(lock, [live.typedId(id)], {transaction});
    return work(within);
  });
}
