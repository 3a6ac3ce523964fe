import {orderOrDefault, withDefaultCondition} from './default-scope';
import {parseFields, parseOrder, parseWhere, unsupported, type ViewFilter} from './filter';
import type {Condition, Include, ViewQuery} from './query';
import type {EntityShape, PropertyKind, Relation} from './shape';

const MAX_DEPTH = 3;

/** Kinds whose values are equal exactly when their texts are. */
const LINKING: ReadonlySet<PropertyKind> =
  new Set<PropertyKind>(['number', 'uuid', 'text', 'collated']);

/**
 * Reads what a LoopBack filter includes: relations by name, each with a scope of its own.
 *
 * @throws LiveEntityError `VIEW_QUERY_UNSUPPORTED` for what cannot be kept live exactly, and why
 */
export function parseIncludes(
  include: unknown,
  shape: EntityShape,
  depth = 1,
): Pick<ViewQuery, 'includes'> {
  if (include === undefined || include === null) return {};
  if (!Array.isArray(include)) throw unsupported('include must be a list');
  if (include.length === 0) return {};
  if (depth > MAX_DEPTH) throw unsupported(`includes nest deeper than ${MAX_DEPTH}`);
  const includes = include.map(each => {
    const {relation, scope} =
      typeof each === 'string' ? {relation: each, scope: undefined} : (each as Given);
    return parseInclude(relation, scope ?? {}, shape, depth);
  });
  const names = includes.map(({relation}) => relation);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw unsupported(`'${twice}' is included twice`);
  return {includes};
}

interface Given {
  readonly relation: string;
  readonly scope?: ViewFilter;
}

function parseInclude(
  name: string,
  scope: ViewFilter,
  shape: EntityShape,
  depth: number,
): Include {
  const {kind, from, to, target} = relationOf(name, shape);
  const other = target();
  const place = `${shape.name}.${name}`;
  const has = (property: keyof ViewFilter) => scope[property] !== undefined;
  if (has('limit') || has('offset') || has('skip')) {
    throw unsupported(`the scope of ${place} has a limit or offset; a view includes all or none`);
  }
  const [fromShape, toShape] = [shape.properties[from], other.properties[to]];
  if (fromShape?.kind !== toShape?.kind || !LINKING.has(fromShape.kind)) {
    throw unsupported(
      `${place} links ${shape.name}.${from} with ${other.name}.${to}, which a view cannot follow: ` +
        'both must be texts, whole numbers or UUIDs of the same type',
    );
  }
  const query: ViewQuery = {
    entity: other.name,
    condition: withDefaultCondition(parseWhere(scope.where, other), other),
    order: parseOrder(orderOrDefault(scope.order, other), other),
    ...parseIncludes(scope.include, other, depth + 1),
  };
  return {relation: name, kind, from, to, query, fields: parseFields(scope.fields, other)};
}

function relationOf(name: string, shape: EntityShape): Relation {
  const {relations = {}} = shape;
  const known = Object.hasOwn(relations, name) ? relations[name] : undefined;
  if (known === undefined) throw unsupported(`${shape.name} has no relation '${name}'`);
  if (typeof known === 'string') throw unsupported(`${shape.name}.${name} ${known}`);
  return known;
}

/** Adds to each included entity the condition that its rows must satisfy for somebody to see. */
export function restrictIncludes(
  query: ViewQuery,
  conditionOf: (entity: string) => Condition | undefined,
): ViewQuery {
  if (!query.includes) return query;
  const includes = query.includes.map(include => {
    const inner = restrictIncludes(include.query, conditionOf);
    const further = conditionOf(inner.entity);
    if (!further) return {...include, query: inner};
    const condition: Condition = {kind: 'and', parts: [inner.condition, further]};
    return {...include, query: {...inner, condition}};
  });
  return {...query, includes};
}

/** The entities that a query includes, at any depth. */
export function includedEntities(query: ViewQuery): string[] {
  const includes = query.includes ?? [];
  return includes.flatMap(each => [each.query.entity, ...includedEntities(each.query)]);
}
