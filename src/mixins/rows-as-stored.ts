import type {Options} from '@loopback/repository';
import {countOfRows, rowsOf} from './executors/postgres-reads';
import {plainValue} from './juggler';
import type {LiveEntity} from './live-entity';
import type {Condition, Row} from './plan';
import {plainWhere} from './where';

/** The rows that a where meets as they are stored, with what nobody is shown. */
export async function storedRows(
  live: LiveEntity,
  where: Condition,
  options: Options,
): Promise<Row[]> {
  const {directReads, model} = live;
  const query = {where: plainWhere(where)};
  if (!directReads) {
    return (await model.find(query, options)).map(instance => instance.toObject(true));
  }
  const rows = await rowsOf(directReads, {model, hidden: []}, query, undefined, options);
  for (const row of rows) {
    for (const name of Object.keys(row)) row[name] = plainValue(model, name, row[name]);
  }
  return rows;
}

/** How many rows a where meets. */
export async function storedCount(
  {directReads, model}: LiveEntity,
  where: Condition,
  options: Options,
): Promise<number> {
  return directReads
    ? countOfRows(directReads, model, where, options)
    : model.count(plainWhere(where), options);
}
