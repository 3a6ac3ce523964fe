import type {EntityRepository} from './types';

/** What a data source's connector can tell apart in a where; the rest it would pass by. */
export interface Engine {
  /** Whether it looks into JSON: `{'meta.size': 4}`. */
  readonly readsKeys: boolean;
  /** Whether it keeps properties that a model with `strict: false` does not name. */
  readonly isOpen: boolean;
}

interface Connector {
  readonly name?: string;
  getTypes?(): string[];
}

/** Connectors of SQL share one builder of conditions; only PostgreSQL's has more. */
export function engineOf({dataSource}: Pick<EntityRepository, 'dataSource'>): Engine {
  const connector = dataSource?.connector as Connector | undefined;
  const isSql = Boolean(connector?.getTypes?.().includes('sql'));
  return {readsKeys: !isSql || connector?.name === 'postgresql', isOpen: !isSql};
}
