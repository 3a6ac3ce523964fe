import type {Options} from '@loopback/repository';
import type {JugglerModelClass} from '../juggler';
import type {WritePlan, WriteResult} from '../plan';

/** The models that a plan writes to. */
export interface PlanTarget {
  readonly model: JugglerModelClass;
  /** Present when states are kept. */
  readonly history?: JugglerModelClass;
}

/** Runs a write plan, whole or not at all. */
export interface Executor {
  /**
   * @param wanted - `'rows'`: answer each row before and after the write; `'count'`: only how many,
   * though an insert always answers what it stored
   */
  run(
    plan: WritePlan,
    target: PlanTarget,
    options: Options,
    wanted: 'count' | 'rows',
  ): Promise<WriteResult>;
}
