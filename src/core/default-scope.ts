import type {Condition} from './query';
import type {EntityShape} from './shape';

/** What the model itself demands of every query, as LoopBack's default scope does. */
export interface DefaultScope {
  /** Absent where those who read rows add it themselves. */
  readonly condition?: Condition;
  /** LoopBack's order for queries that have none. */
  readonly order?: string | readonly string[];
}

/** A condition, and the one that every row of the entity must satisfy. */
export function withDefaultCondition(condition: Condition, {defaultScope}: EntityShape): Condition {
  const own = defaultScope?.condition;
  return own ? {kind: 'and', parts: [condition, own]} : condition;
}

/** As juggler has it: an empty list is an order, an empty text is none. */
export function orderOrDefault(order: unknown, {defaultScope}: EntityShape): unknown {
  return order || defaultScope?.order;
}
