import type {Condition, ViewQuery} from '../../core/query';
import type {EntityShape} from '../../core/shape';

/** LoopBack's where, built here with one operator for each property and object. */
export type Where = Record<string, unknown>;

/**
 * A view's condition as a where that means the same on every connector: NULL is neither equal to a
 * value nor different from one, as in SQL.
 */
export function whereOf({condition}: ViewQuery, {deletedFlag}: EntityShape): Where {
  const where = conditionOf(condition);
  if (deletedFlag === undefined) return where;
  return {and: [where, {or: [{[deletedFlag]: null}, {[deletedFlag]: false}]}]};
}

function conditionOf(condition: Condition): Where {
  switch (condition.kind) {
    case 'and':
    case 'or':
      // LoopBack's SQL connectors leave an empty list out of the statement, `or` too.
      if (condition.parts.length === 0) return {};
      return {[condition.kind]: condition.parts.map(conditionOf)};
    case 'compare':
      return comparisonOf(condition);
  }
}

function comparisonOf({
  property,
  operator,
  value,
}: Extract<Condition, {kind: 'compare'}>): Where {
  const isSomething = {[property]: {neq: null}};
  switch (operator) {
    case 'eq':
      return {[property]: value};
    case 'neq':
      return value === null ? isSomething : {and: [isSomething, {[property]: {neq: value}}]};
    case 'exists':
      return value ? isSomething : {[property]: null};
    case 'inq':
      return {[property]: {inq: (value as unknown[]).filter(item => item !== null)}};
    case 'nin': {
      const list = value as unknown[];
      if (list.length === 0) return {};
      return list.includes(null)
        ? {[property]: {inq: []}}
        : {and: [isSomething, {[property]: {nin: list}}]};
    }
    case 'nlike':
    case 'nilike':
      return {and: [isSomething, {[property]: {[operator]: value}}]};
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
    case 'between':
    case 'like':
    case 'ilike':
    case 'regexp':
      return {[property]: {[operator]: value}};
  }
}
