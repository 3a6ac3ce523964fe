import type {juggler} from '@loopback/repository';
import {auditSuite} from './behaviours/audit';
import {compositionSuite} from './behaviours/composition';
import {cryptoSuite} from './behaviours/crypto';
import {historySuite} from './behaviours/history';
import {softDeleteSuite} from './behaviours/soft-delete';
import {transactionSuite} from './behaviours/transactions';
import {versionSuite} from './behaviours/version';

/** What a kind of datasource can do, beyond what all can. */
export interface BehaviourFeatures {
  readonly transactions: boolean;
  /** Reads a table as it is stored, past every behaviour. */
  readonly rawRows: (
    dataSource: juggler.DataSource,
    modelName: string,
  ) => Promise<Record<string, unknown>[]>;
  /** How many writers of one row are let loose at a time. */
  readonly crowd: number;
}

export interface BehaviourTarget extends BehaviourFeatures {
  readonly dataSource: () => juggler.DataSource;
}

/** What the five behaviours promise, whatever the database. */
export function behavioursSuite(target: BehaviourTarget): void {
  describe('version', () => versionSuite(target));
  describe('audit', () => auditSuite(target));
  describe('soft delete', () => softDeleteSuite(target));
  describe('history', () => historySuite(target));
  describe('encryption', () => cryptoSuite(target));
  describe('all behaviours together', () => compositionSuite(target));
  if (target.transactions) describe('transactions', () => transactionSuite(target));
}
