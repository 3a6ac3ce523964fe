import type {Entity, Filter, Inclusion, PropertyDefinition} from '@loopback/repository';
import {HttpErrors} from '@loopback/rest';
import {historyBehaviour} from '../../mixins/behaviours/history';
import {HISTORY_PROPERTIES} from '../../mixins/model-definition';
import {targetOf} from './relations';

const MAX_DEPTH = 20;
const MAX_PARTS = 1000;
const COMBINING: ReadonlySet<string> = new Set(['and', 'or', 'nor']);
const OPERATORS: ReadonlySet<string> = new Set([
  'eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'between', 'inq', 'nin', 'exists', 'like', 'nlike',
  'ilike', 'nilike', 'regexp', 'match', 'contains', 'containsAny', 'containedBy', 'overlap', 'near',
  'options', 'maxDistance', 'minDistance', 'unit',
]);

/** What can be compared and ordered by. */
interface Comparable {
  readonly modelName: string;
  readonly definition: {readonly properties: Readonly<Record<string, PropertyDefinition>>};
}

/**
 * Refuses a filter that names what the entity does not have. Connectors pass such parts by, so
 * that a misspelt condition would answer every row.
 *
 * @throws 400 `INVALID_FILTER`
 */
export function checkFilter(entity: typeof Entity, filter: Filter | undefined, depth = 0): void {
  if (!filter) return;
  if (depth > MAX_DEPTH) throw invalid(`the filter nests deeper than ${MAX_DEPTH}`);
  checkWhere(entity, filter.where);
  checkOrder(entity, filter.order);
  for (const inclusion of filter.include ?? []) {
    const {relation, scope} = inclusion as Exclude<Inclusion, string>;
    if (scope) checkFilter(targetOf(entity, relation), scope, depth + 1);
  }
}

/** Refuses a filter of past states, which have the properties of the entity and their own. */
export function checkHistoryFilter(entity: typeof Entity, filter: Filter | undefined): void {
  const {internal} = historyBehaviour;
  const properties = {...entity.definition.properties, ...internal, ...HISTORY_PROPERTIES};
  const revision = {modelName: `A revision of ${entity.modelName}`, definition: {properties}};
  checkWhere(revision, filter?.where);
  checkOrder(revision, filter?.order);
}

/** Refuses a where as {@link checkFilter} does. */
export function checkWhere(entity: Comparable, where: unknown): void {
  let parts = 0;
  const visit = (clause: unknown, depth: number) => {
    if (clause === undefined || clause === null) return;
    if (!isPlainObject(clause)) throw invalid('a condition must be an object');
    if (depth > MAX_DEPTH) throw invalid(`the where nests deeper than ${MAX_DEPTH}`);
    for (const [name, operand] of Object.entries(clause)) {
      if (++parts > MAX_PARTS) throw invalid(`the where has more than ${MAX_PARTS} parts`);
      if (COMBINING.has(name)) {
        if (!Array.isArray(operand)) throw invalid(`'${name}' takes a list of conditions`);
        for (const part of operand) visit(part, depth + 1);
      } else {
        checkOperand(entity, name, operand);
      }
    }
  };
  visit(where, 0);
}

function checkOperand(entity: Comparable, path: string, operand: unknown): void {
  const property = propertyOf(entity, path);
  const isScalar = ['string', 'number', 'boolean', 'date'].includes(typeName(property.type));
  if (!isScalar || !isPlainObject(operand)) return;
  const unknown = Object.keys(operand).find(operator => !OPERATORS.has(operator));
  if (unknown !== undefined) throw invalid(`'${path}' has no operator '${unknown}'`);
}

function checkOrder(entity: Comparable, order: unknown): void {
  for (const entry of order === undefined ? [] : [order].flat()) {
    const match = /^\s*(\S+)(\s+(ASC|DESC))?\s*$/i.exec(String(entry));
    if (!match) throw invalid(`'${String(entry)}' is not an order such as 'name ASC'`);
    propertyOf(entity, match[1]);
  }
}

function propertyOf(entity: Comparable, path: string) {
  const [name] = path.split('.', 1);
  const {properties} = entity.definition;
  if (!Object.hasOwn(properties, name)) {
    throw invalid(`${entity.modelName} has no property '${name}'`);
  }
  return properties[name];
}

function typeName(type: unknown): string {
  return (typeof type === 'function' ? type.name : String(type)).toLowerCase();
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(because: string): Error {
  return Object.assign(new HttpErrors.BadRequest(`The filter is not valid: ${because}.`), {
    code: 'INVALID_FILTER',
  });
}
