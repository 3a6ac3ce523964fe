import type {juggler} from '@loopback/repository';
import {auditSuite} from './behaviours/audit';
import {cascadeSuite} from './behaviours/cascade';
import {checkedSuite} from './behaviours/checked';
import {compositionSuite} from './behaviours/composition';
import {cryptoSuite} from './behaviours/crypto';
import {datesSuite} from './behaviours/dates';
import {filtersSuite} from './behaviours/filters';
import {historySuite} from './behaviours/history';
import {idsSuite} from './behaviours/ids';
import {methodsSuite} from './behaviours/methods';
import {noChangeSuite} from './behaviours/no-change';
import {relationsSuite} from './behaviours/relations';
import {softDeleteSuite} from './behaviours/soft-delete';
import {transactionSuite} from './behaviours/transactions';
import {uniqueSuite} from './behaviours/unique';
import {versionSuite} from './behaviours/version';
import {wheresSuite} from './behaviours/wheres';

/** What an engine can do, and in which words. What it cannot, README's table of engines says. */
export interface BehaviourFeatures {
  /** Several writes that hold or fall together. The memory connector has none. */
  readonly transactions?: TransactionFeatures;
  /** How unique indexes work. The memory connector has none. */
  readonly unique?: UniqueFeatures;
  /** Reads a table as it is stored, past every behaviour. */
  readonly rawRows: (
    dataSource: juggler.DataSource,
    modelName: string,
  ) => Promise<Record<string, unknown>[]>;
  /** How many writers of one row are let loose at a time. */
  readonly crowd: number;
}

export interface TransactionFeatures {
  /** A connected datasource of the same settings, which knows none of the first's transactions. */
  readonly another: () => Promise<juggler.DataSource>;
  /** The statement that gives the column `name` of a model's table another type. */
  readonly retype: (modelName: string, type: string) => string;
  /** What the driver calls a value that is there already. */
  readonly duplicate: string;
  /**
   * Statements are planned once and refer to the table as it was then: PostgreSQL, where every
   * write is one named statement. Elsewhere a write is several calls within one transaction.
   */
  readonly preparedPlans: boolean;
  /** What a write in a REPEATABLE READ is refused with when its row has changed since. */
  readonly outdated: string;
}

export interface UniqueFeatures {
  /** What the driver calls a value that is there already. */
  readonly duplicate: string;
  /** Which rows a unique index of a soft-deletable model spans. */
  readonly among: 'live' | 'all';
}

export interface BehaviourTarget extends BehaviourFeatures {
  readonly dataSource: () => juggler.DataSource;
}

/** What the five behaviours promise, whatever the database. */
export function behavioursSuite(target: BehaviourTarget): void {
  describe('version', () => versionSuite(target));
  describe('audit', () => auditSuite(target));
  describe('soft delete', () => softDeleteSuite(target));
  if (target.unique) describe('unique values', () => uniqueSuite(target));
  describe('cascades', () => cascadeSuite(target));
  describe('history', () => historySuite(target));
  describe('encryption', () => cryptoSuite(target));
  describe('each method', () => methodsSuite(target));
  describe('a write that changes nothing', () => noChangeSuite(target));
  describe('a checked write of many rows', () => checkedSuite(target));
  describe('all behaviours together', () => compositionSuite(target));
  describe('a where', () => wheresSuite(target));
  describe('a filter', () => filtersSuite(target));
  describe('an id', () => idsSuite(target));
  describe('a date that is none', () => datesSuite(target));
  describe('relations', () => relationsSuite(target));
  const {transactions} = target;
  if (transactions) describe('transactions', () => transactionSuite({...target, transactions}));
}
