import {createHash} from 'node:crypto';
import {HistoryNameTakenError, UnusableNameError} from './errors';
import type {JugglerModelClass} from './juggler';

/** In bytes: PostgreSQL cuts longer names, MySQL and MariaDB refuse those of more than 64. */
const LONGEST = 63;
const HASH = 8;

/**
 * The name of what belongs to a table: where the whole does not fit, its beginning and a hash, so
 * that it is another than the table's own and than that of another table which begins like it.
 */
export function identifier(stem: string, suffix: string): string {
  if (fits(stem + suffix)) return stem + suffix;
  const hash = createHash('sha256').update(stem).digest('hex').slice(0, HASH);
  const room = LONGEST - Buffer.byteLength(`_${hash}${suffix}`);
  let cut = '';
  for (const character of stem) {
    if (Buffer.byteLength(cut + character) > room) break;
    cut += character;
  }
  return `${cut}_${hash}${suffix}`;
}

export function fits(name: string): boolean {
  return Buffer.byteLength(name) <= LONGEST;
}

interface NamingConnector {
  table(model: string): string;
  column(model: string, property: string): string;
}

/**
 * Refuses names with which LoopBack's SQL connectors cannot make a statement: they write `?` where
 * a value goes, and count them.
 */
export function assertUsableNames({modelName, dataSource, definition}: JugglerModelClass): void {
  const connector = dataSource.connector as Partial<NamingConnector> | undefined;
  if (typeof connector?.table !== 'function' || typeof connector.column !== 'function') return;
  const columns = Object.keys(definition.properties).map(p => connector.column!(modelName, p));
  const unusable = [connector.table(modelName), ...columns].find(name => name?.includes('?'));
  if (unusable !== undefined) throw new UnusableNameError(modelName, unusable);
}

/** Refuses a model of the application's own under the name of an entity's history. */
export function assertIsHistory(entityName: string, model: JugglerModelClass): void {
  if ('_historyId' in model.definition.properties) return;
  throw new HistoryNameTakenError(entityName, model.modelName);
}
