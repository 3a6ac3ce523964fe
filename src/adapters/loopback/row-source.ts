import type {RowImage} from '../../core/change';
import type {Judgement, RowSource, SnapshotRows} from '../../core/ports';
import type {ViewQuery} from '../../core/query';
import {rolledBack} from '../../mixins/executors/in-transaction';
import type {Row} from '../../protocol/page';
import {hasTransactions, type LoopbackEntity} from './entity';
import {imageOf} from './image';
import {whereOf, type Where} from './where';

interface Found {
  readonly rows: readonly Row[];
  readonly total?: number;
}

/**
 * Reads rows for windows through the data source, on any connector. What is read is the state at
 * one moment, rows and count together, so it can be shown as it is.
 */
export class LoopbackRowSource implements RowSource {
  constructor(private readonly entities: ReadonlyMap<string, LoopbackEntity>) {}

  async read(query: ViewQuery, limit: number, count: boolean): Promise<SnapshotRows> {
    const entity = this.entities.get(query.entity);
    if (!entity) throw new TypeError(`there is no live entity ${query.entity}`);
    const {rows, total} = await find(query, entity, limit, count);
    const images: RowImage[] = rows.map(row => imageOf(row, entity.shape));
    return {rows: images, ...(count && {total}), sees: () => true};
  }

  /** Windows that are read anew never ask. */
  judge(): Promise<readonly Judgement[]> {
    return Promise.reject(new Error('hints are not judged: their windows are read anew'));
  }
}

async function find(
  query: ViewQuery,
  {shape, model}: LoopbackEntity,
  limit: number,
  count: boolean,
): Promise<Found> {
  const where = () => whereOf(query, shape);
  const order = query.order.map(key => `${key.property} ${key.descending ? 'DESC' : 'ASC'}`);
  const page = async (most: number | undefined, options = {}) => {
    const filter = {where: where(), order, ...(most !== undefined && {limit: most})};
    return (await model.find(filter, options)).map(instance => instance.toObject(true));
  };
  if (!count) return {rows: await page(limit)};
  if (!hasTransactions(model)) {
    // Without snapshots, one call that finds all is the only one that counts what it shows.
    const all = await page(undefined);
    return {rows: all.slice(0, limit), total: all.length};
  }
  const rows = await page(limit);
  if (rows.length < limit) return {rows, total: rows.length};
  const isolationLevel = 'REPEATABLE READ';
  const transaction = await model.dataSource.beginTransaction({isolationLevel} as object);
  try {
    const options = {transaction};
    return {rows: await page(limit, options), total: await model.count(where() as Where, options)};
  } finally {
    await rolledBack(transaction);
  }
}
