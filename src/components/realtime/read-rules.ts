import type {DefaultScope} from '../../core/default-scope';
import {LiveEntityError} from '../../core/errors';
import {parseOrder, parseWhere} from '../../core/filter';
import type {EntityShape} from '../../core/shape';
import {ownConversions} from '../../mixins/conversions';
import type {JugglerModelClass} from '../../mixins/juggler';
import {stepsOfReads} from '../../mixins/juggler-reads';
import type {FoundRepository} from './registry';

type Scope = Readonly<Record<string, unknown>>;
/** Juggler calls it for each query. */
type ScopeFunction = (query: unknown) => unknown;

const ADVICE = 'Put the rule into scope, a transform or a post filter of @realtime';

/**
 * Refuses repositories that read by rules which no page could keep.
 *
 * @throws LiveEntityError `VIEW_QUERY_UNSUPPORTED` (500) that says what to do
 */
export function refuseOwnRules(found: readonly FoundRepository[]): void {
  for (const {name, repository, repositoryClass} of found) {
    const [step] = ownConversions(repository);
    if (step !== undefined) {
      throw refused(`${name} cannot be live, because ${repositoryClass.name} overrides ${step}, ` +
        `which pages are made without. ${ADVICE}, or hide properties in the model`);
    }
    const scope = scopeOf(repository);
    if (typeof scope === 'function') continue;
    const further = Object.keys(scope).filter(key => scope[key] != null && !KEPT.includes(key));
    if (further.length > 0) {
      throw refused(`${name} cannot be live, because its default scope has ` +
        `'${further.join("', '")}'; views keep its where and its order alone`);
    }
  }
}

const KEPT = ['where', 'order'];

/** Why the database's log would show what reads of these repositories would not. */
export function rulesBeyondLog(found: readonly FoundRepository[]): string | undefined {
  const reasons = found.flatMap(({name, repository}) => {
    const steps = stepsOfReads(modelOf(repository));
    if (typeof scopeOf(repository) === 'function') steps.push('has a function for default scope');
    return steps.map(step => `the model ${name} ${step}, of which the log knows nothing`);
  });
  return reasons.length > 0 ? reasons.join('; ') : undefined;
}

/** @throws LiveEntityError `VIEW_QUERY_UNSUPPORTED` (500) for what `rulesBeyondLog` finds */
export function refuseRulesBeyondLog(found: readonly FoundRepository[]): void {
  const reason = rulesBeyondLog(found);
  if (reason === undefined) return;
  throw refused(`the feed 'postgres' cannot be taken, because ${reason}. ${ADVICE}, ` +
    "or set feed: 'repository'");
}

/**
 * The shape with the model's default scope. Of feeds that give hints rows are read by juggler,
 * which adds the condition itself.
 *
 * @throws LiveEntityError `VIEW_QUERY_UNSUPPORTED` (500) for a scope that views do not understand
 */
export function withDefaultScope(
  shape: EntityShape,
  {repository}: FoundRepository,
  images: 'exact' | 'hints',
): EntityShape {
  const scope = scopeOf(repository);
  if (typeof scope === 'function') return shape;
  try {
    const order = (scope.order || undefined) as DefaultScope['order'];
    // A wrong one is to be found now, not by the first view without an order.
    parseOrder(order, shape);
    const {where} = scope;
    const condition = images === 'exact' && where ? parseWhere(where, shape) : undefined;
    return {...shape, defaultScope: {order, ...(condition && {condition})}};
  } catch (error) {
    throw refused(`${shape.name} cannot be live, because of its default scope: ` +
      (error as Error).message);
  }
}

function scopeOf(repository: FoundRepository['repository']): Scope | ScopeFunction {
  return (modelOf(repository).definition.settings.scope ?? {}) as Scope | ScopeFunction;
}

function modelOf({modelClass}: FoundRepository['repository']): JugglerModelClass {
  return modelClass as unknown as JugglerModelClass;
}

function refused(message: string): LiveEntityError {
  return new LiveEntityError('VIEW_QUERY_UNSUPPORTED', message, 500);
}
