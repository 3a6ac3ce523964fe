import type {Options} from '@loopback/repository';
import type {JugglerModelClass} from '../juggler';

/** Runs the work in the caller's transaction, or in one of its own where the connector has them. */
export async function inTransaction<R>(
  model: JugglerModelClass,
  options: Options,
  work: (options: Options) => Promise<R>,
): Promise<R> {
  const {dataSource} = model;
  const able = typeof (dataSource.connector as {beginTransaction?: unknown})?.beginTransaction;
  if (options.transaction || able !== 'function') return work(options);
  const transaction = await dataSource.beginTransaction({});
  try {
    const result = await work({...options, transaction});
    await transaction.commit();
    return result;
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}
