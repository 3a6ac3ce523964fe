import type {Row} from '../protocol/page';
import {orderOrDefault, withDefaultCondition} from './default-scope';
import {LiveEntityError} from './errors';
import {parseFields, parseOrder, parseWhere, type ViewFilter} from './filter';
import {parseIncludes} from './include';
import type {Condition, ViewQuery} from './query';
import type {EntityShape, PropertyKind} from './shape';

/** What a view's `transform` is given besides its parameters. */
export interface ViewContext {
  /** The time of the call. */
  readonly now: Date;
}

/**
 * A named, parameterised part of an entity's rows.
 *
 * `paramFields` are the parameters that a client gives; others are dropped, missing ones are null.
 * `affectingFields` are further properties that decide about rows or their order. `primaryKeys`
 * are those parameters that rows share with the view by equality. The last two are optional: they
 * are derived from what `transform` returns, and when they are given they must agree with it.
 */
export interface ViewDefinition<P extends Row = Row> {
  readonly paramFields?: readonly (keyof P & string)[];
  readonly affectingFields?: readonly string[];
  readonly primaryKeys?: readonly string[];
  /** Makes the LoopBack filter of the view from its parameters. */
  transform(params: P, context: ViewContext): ViewFilter;
  /** Makes it a view that is read but not kept live. */
  readonly disableRealtime?: boolean;
}

/** A view with its parameters filled in. */
export interface ResolvedView {
  readonly query: ViewQuery;
  /** Properties that the view itself leaves in its rows; undefined for all. */
  readonly fields: readonly string[] | undefined;
  /** Rows that the view itself skips. */
  readonly base: number;
  /** Rows that the view has at most. */
  readonly cap: number;
}

/**
 * Fills in a view's parameters.
 *
 * @param scope a further where clause that every row must satisfy
 * @throws LiveEntityError `VIEW_QUERY_UNSUPPORTED` or `UNKNOWN_FIELD` when the filter that comes
 * out is not one that views understand
 */
export function resolveView(
  shape: EntityShape,
  definition: ViewDefinition,
  params: Row | undefined,
  scope: object | undefined,
  now: Date,
): ResolvedView {
  const given: Record<string, unknown> = {};
  for (const name of definition.paramFields ?? []) given[name] = ownValue(params, name) ?? null;
  const filter = asFilter(definition.transform(given, {now}));
  return {
    query: {
      entity: shape.name,
      condition: withScope(parseWhere(filter.where, shape), scope, shape),
      order: parseOrder(orderOrDefault(filter.order, shape), shape),
      ...parseIncludes(filter.include, shape),
    },
    fields: parseFields(filter.fields, shape),
    base: wholeNumber(filter.offset ?? filter.skip ?? 0, 'offset'),
    cap: filter.limit === undefined ? Number.MAX_SAFE_INTEGER : limitOf(filter.limit),
  };
}

/** The view that holds one row: what `model({type, id})` watches. */
export function resolveRow(
  shape: EntityShape,
  id: string | number,
  scope: object | undefined,
): ResolvedView {
  const [property] = shape.ids;
  const condition = parseWhere({[property]: id}, shape);
  return {
    query: {
      entity: shape.name,
      condition: withScope(condition, scope, shape),
      order: parseOrder(undefined, shape),
    },
    fields: undefined,
    base: 0,
    cap: 1,
  };
}

/**
 * Checks a declaration at start-up, by running `transform` on sample parameters.
 *
 * @throws LiveEntityError `VIEW_QUERY_UNSUPPORTED` that says what is missing or wrong
 */
export function checkView(
  {defaultScope: _, ...shape}: EntityShape,
  name: string,
  definition: ViewDefinition,
): void {
  const title = `${shape.name}.${name}`;
  const params = definition.paramFields ?? [];
  const {used, filter} = trial(title, definition);
  for (const property of definition.affectingFields ?? []) {
    if (!Object.hasOwn(shape.properties, property)) {
      throw wrong(title, `names '${property}', which ${shape.name} does not have`);
    }
  }
  const undeclared = [...used].filter(property => !params.includes(property));
  if (undeclared.length > 0) {
    throw wrong(title, `transform uses ${list(undeclared)}; add it to paramFields`);
  }
  let resolved: ResolvedView;
  try {
    const trialled = {...definition, transform: () => filter};
    resolved = resolveView(shape, trialled, {}, undefined, new Date());
  } catch (error) {
    throw wrong(title, (error as Error).message);
  }
  checkAffecting(title, definition, resolved, shape);
  checkPrimaryKeys(title, definition, resolved);
  checkWithValues(title, definition, shape);
}

/**
 * A transform can take other ways with values than without. What fails on our samples may only want
 * better ones; but a property that the entity lacks is wrong with any.
 */
function checkWithValues(title: string, definition: ViewDefinition, shape: EntityShape): void {
  const params: Record<string, unknown> = {};
  for (const name of definition.paramFields ?? []) {
    const {kind} = shape.properties[name] ?? {kind: 'opaque'};
    params[name] = SAMPLES[kind];
  }
  let filter: ViewFilter;
  try {
    filter = asFilter(definition.transform(params, {now: new Date()}));
  } catch {
    return;
  }
  try {
    resolveView(shape, {...definition, transform: () => filter}, {}, undefined, new Date());
  } catch (error) {
    if ((error as {code?: unknown}).code !== 'UNKNOWN_FIELD') return;
    throw wrong(title, `with values for its parameters: ${(error as Error).message}`);
  }
}

const SAMPLES: Readonly<Record<PropertyKind, unknown>> = {
  number: 1, double: 1, boolean: true, text: 'a', collated: 'a', opaque: 'a',
  uuid: '00000000-0000-4000-8000-000000000000',
  date: '2026-01-31T12:00:00.000Z', timestamp: '2026-01-31T12:00:00.000Z',
};

function trial(
  title: string,
  definition: ViewDefinition,
): {used: Set<string>; filter: ViewFilter} {
  const used = new Set<string>();
  const note = (name: string | symbol) => typeof name === 'string' && used.add(name);
  const params = new Proxy({} as Record<string, unknown>, {
    get: (_, name) => (note(name), null),
    has: (_, name) => (note(name), true),
  });
  try {
    return {used, filter: asFilter(definition.transform(params, {now: new Date()}))};
  } catch (error) {
    const {code, message} = error as {code?: unknown; message?: unknown};
    const isAnswer = code === 'VIEW_QUERY_UNSUPPORTED';
    throw wrong(title, `${isAnswer ? '' : 'transform fails on empty parameters: '}${message}`);
  }
}

/** @throws LiveEntityError for what would be taken for a filter without conditions */
function asFilter(answer: unknown): ViewFilter {
  const filter = answer ?? {};
  // Nobody waits for it, and Node ends a process for a promise that is refused unseen.
  if (filter instanceof Promise) filter.catch(() => undefined);
  if (typeof filter !== 'object' || Array.isArray(filter) || filter instanceof Promise) {
    throw unsupported('transform answers a filter, at once; what it needs comes as parameters');
  }
  const unknown = Object.keys(filter).filter(key => !FILTER_KEYS.includes(key));
  if (unknown.length > 0) {
    throw unsupported(`transform answers ${list(unknown)}; a filter has ${list(FILTER_KEYS)}`);
  }
  return filter;
}

const FILTER_KEYS = ['where', 'order', 'fields', 'include', 'limit', 'offset', 'skip'];

function checkAffecting(
  title: string,
  definition: ViewDefinition,
  {query}: ResolvedView,
  shape: EntityShape,
): void {
  if (!definition.affectingFields) return;
  const declared = new Set([
    ...definition.affectingFields,
    ...(definition.paramFields ?? []),
    ...shape.ids,
  ]);
  const ordering = query.order.map(key => key.property);
  const deciding = [...conditionProperties(query.condition), ...ordering];
  const missing = [...new Set(deciding)].filter(property => !declared.has(property));
  if (missing.length > 0) {
    throw wrong(title, `${list(missing)} decides about rows or order; add it to affectingFields`);
  }
}

function checkPrimaryKeys(
  title: string,
  definition: ViewDefinition,
  {query}: ResolvedView,
): void {
  if (!definition.primaryKeys) return;
  const params: readonly string[] = definition.paramFields ?? [];
  const strangers = definition.primaryKeys.filter(key => !params.includes(key));
  if (strangers.length > 0) {
    throw wrong(title, `primaryKeys names ${list(strangers)}, which is not among paramFields`);
  }
  const equal = equalityProperties(query.condition);
  const unequal = definition.primaryKeys.filter(key => !equal.has(key));
  if (unequal.length > 0) {
    throw wrong(title, `primaryKeys names ${list(unequal)}, which transform does not compare by =`);
  }
}

/** The properties that a condition compares. */
export function conditionProperties(condition: Condition): string[] {
  if (condition.kind === 'compare') return [condition.property];
  return condition.parts.flatMap(conditionProperties);
}

function equalityProperties(condition: Condition): Set<string> {
  if (condition.kind === 'and') {
    return new Set(condition.parts.flatMap(part => [...equalityProperties(part)]));
  }
  const isEqual = condition.kind === 'compare' && condition.operator === 'eq';
  return new Set(isEqual ? [condition.property] : []);
}

function withScope(
  condition: Condition,
  scope: object | undefined,
  shape: EntityShape,
): Condition {
  const own = withDefaultCondition(condition, shape);
  return scope ? {kind: 'and', parts: [own, parseWhere(scope, shape)]} : own;
}

function ownValue(params: Row | undefined, name: string): unknown {
  return params && Object.hasOwn(params, name) ? params[name] : undefined;
}

function wholeNumber(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw unsupported(`${name} must be a whole number from 0`);
}

function limitOf(value: unknown): number {
  // LoopBack takes it for no limit, which is not what it says.
  if (value === 0) throw unsupported('limit must be at least 1; leave it out for all rows');
  return wholeNumber(value, 'limit');
}

function list(names: readonly string[]): string {
  return names.map(name => `'${name}'`).join(', ');
}

function unsupported(message: string): LiveEntityError {
  return new LiveEntityError('VIEW_QUERY_UNSUPPORTED', message);
}

function wrong(title: string, message: string): LiveEntityError {
  return new LiveEntityError('VIEW_QUERY_UNSUPPORTED', `view ${title}: ${message}`, 500);
}
