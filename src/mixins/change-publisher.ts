import type {Options} from '@loopback/repository';
import type {WrittenRow} from './plan';

/**
 * Told of every row that a repository has written, in the stored form (ciphertext included) and by
 * property name. Where the write was part of a transaction, `options.transaction` is it: what is
 * told is not committed yet.
 */
export interface ChangePublisher {
  rowsWritten(
    entityName: string,
    rows: readonly WrittenRow[],
    options: Options,
  ): void | Promise<void>;
}
