import type {Options} from '@loopback/repository';
import {visible} from './behaviours/soft-delete';
import type {Claim} from './crypto/property-search';
import {indexName} from './encrypted-columns';
import {inTransaction} from './executors/in-transaction';
import {param, sql} from './executors/sql';
import type {LiveEntity} from './live-entity';
import type {Condition} from './plan';
import {conjunction} from './planner';
import {storedCount} from './rows-as-stored';

/**
 * Runs a write that claims unique values while their indexes are moved from one key to another.
 *
 * The unique index sees what was written with one key; so one writer of a value at a time looks
 * whether another row has it under another key. PostgreSQL gives the lock that this takes; other
 * engines have none that fits, and two processes that take different keys for the current one could
 * both store a value if they did so at the same moment.
 *
 * @param own - The rows that the write is about, which may have the values
 * @throws the error of a unique index, as the connector would
 */
export function claiming<R>(
  live: LiveEntity,
  claims: readonly Claim[],
  own: Condition | undefined,
  options: Options,
  write: (options: Options) => Promise<R>,
): Promise<R> {
  if (claims.length === 0) return write(options);
  return inTransaction(live.model, options, async within => {
    await lockValues(live, claims, within);
    for (const claim of claims) {
      if (await isTaken(live, claim, own, within)) throw uniqueViolation(live, claim);
    }
    return write(within);
  });
}

/** In one order, so that writers of several values cannot wait for each other. */
async function lockValues(
  {postgres}: LiveEntity,
  claims: readonly Claim[],
  options: Options,
): Promise<void> {
  if (!postgres) return;
  const names = param(claims.map(({lock}) => lock).sort(), '::text[]');
  const lock = 'pg_advisory_xact_lock(hashtextextended(name, 0))';
  await postgres.query(sql`SELECT ${lock} FROM unnest(${names}) AS name`, options);
}

async function isTaken(
  live: LiveEntity,
  {column, indexes}: Claim,
  own: Condition | undefined,
  options: Options,
): Promise<boolean> {
  const {model, idName} = live;
  const holders = conjunction([
    {[column]: {inq: [...indexes]}},
    live.has('softDelete') ? visible('live') : undefined,
  ]);
  const found = await model.find({where: holders}, options);
  if (!own || found.length === 0) return found.length > 0;
  const ids = found.map(instance => instance.toObject(true)[idName]);
  const mine = await storedCount(live, {and: [own, {[idName]: {inq: ids}}]}, options);
  return mine < ids.length;
}

function uniqueViolation(live: LiveEntity, {property}: Claim): Error {
  const searched = live.searchable.find(each => each.property === property)!;
  const constraint = indexName(live.entityClass.definition, searched);
  const message = `duplicate key value violates unique constraint "${constraint}"`;
  const code = live.postgres ? '23505' : 'ER_DUP_ENTRY';
  return Object.assign(new Error(message), {code, constraint});
}
