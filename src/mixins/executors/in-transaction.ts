import type {juggler, Options} from '@loopback/repository';
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
  let result: R;
  try {
    result = await work({...options, transaction});
  } catch (error) {
    await rolledBack(transaction);
    throw error;
  }
  // One that fails has ended the transaction.
  await transaction.commit();
  return result;
}

/** Ends a transaction of which nothing shall stay. Why it ends counts, not how that went. */
export async function rolledBack(transaction: juggler.Transaction): Promise<void> {
  try {
    await transaction.rollback();
  } catch {
    // With the connection it is gone all the same.
  }
}
