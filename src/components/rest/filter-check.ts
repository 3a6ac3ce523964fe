import type {Entity, Filter, Inclusion, PropertyDefinition} from '@loopback/repository';
import {HttpErrors} from '@loopback/rest';
import {historyBehaviour} from '../../mixins/behaviours/history';
import {HISTORY_PROPERTIES} from '../../mixins/model-definition';
import {hiddenProperties} from './hidden';
import {targetOf} from './relations';

const MAX_DEPTH = 20;
const MAX_PARTS = 1000;
const COMBINING: ReadonlySet<string> = new Set(['and', 'or']);
const OPERATORS: ReadonlySet<string> = new Set([
  'eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'between', 'inq', 'nin', 'exists', 'like', 'nlike',
  'ilike', 'nilike', 'regexp', 'match', 'contains', 'containsAny', 'containedBy', 'overlap', 'near',
  'options', 'maxDistance', 'minDistance', 'unit',
]);

const SCALARS: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'date']);
/** Compare with values of the property's type. */
const COMPARING: ReadonlySet<string> = new Set([
  'eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'between', 'inq', 'nin',
]);
const LISTS: ReadonlySet<string> = new Set(['between', 'inq', 'nin']);
/** A key within a JSON property. Connectors take a question mark for a parameter of theirs. */
const KEY = /^[\p{L}\p{N}_$@:/ -]+$/u;

/** What can be compared and ordered by. */
interface Comparable {
  readonly modelName: string;
  readonly properties: Readonly<Record<string, PropertyDefinition>>;
}

/**
 * Refuses a filter that names what the entity does not have. Connectors pass such parts by, so
 * that a misspelt condition would answer every row. What the model hides counts as absent: a
 * comparison would tell its value, letter by letter.
 *
 * @throws 400 `INVALID_FILTER`
 */
export function checkFilter(entity: typeof Entity, filter: Filter | undefined, depth = 0): void {
  if (!filter) return;
  if (depth > MAX_DEPTH) throw invalid(`the filter nests deeper than ${MAX_DEPTH}`);
  checkWhere(entity, filter.where);
  checkOrder(comparable(entity), filter.order);
  checkPage(filter);
  for (const inclusion of filter.include ?? []) {
    const {relation, scope} = inclusion as Exclude<Inclusion, string>;
    if (scope) checkFilter(targetOf(entity, relation), scope, depth + 1);
  }
}

/** Refuses a filter of past states, which have the properties of the entity and their own. */
export function checkHistoryFilter(entity: typeof Entity, filter: Filter | undefined): void {
  const {internal} = historyBehaviour;
  const properties = {...comparable(entity).properties, ...internal, ...HISTORY_PROPERTIES};
  const revision = {modelName: `A revision of ${entity.modelName}`, properties};
  checkConditions(revision, filter?.where);
  checkOrder(revision, filter?.order);
  checkPage(filter ?? {});
}

/** Refuses a where as {@link checkFilter} does. */
export function checkWhere(entity: typeof Entity, where: unknown): void {
  checkConditions(comparable(entity), where);
}

/** Refuses a where of a write of many, where an empty `and` means that conditions have got lost. */
export function checkWhereOfWrite(entity: typeof Entity, where: unknown): void {
  checkConditions(comparable(entity), where, ['and', 'or']);
}

function comparable(entity: typeof Entity): Comparable {
  const hidden = hiddenProperties(entity);
  const shown = Object.entries(entity.definition.properties).filter(([name]) => !hidden.has(name));
  return {modelName: entity.modelName, properties: Object.fromEntries(shown)};
}

function checkConditions(
  entity: Comparable,
  where: unknown,
  neverEmpty: readonly string[] = ['or'],
): void {
  let parts = 0;
  const visit = (clause: unknown, depth: number) => {
    if (depth === 0 && (clause === undefined || clause === null)) return;
    if (!isPlainObject(clause)) throw invalid('a condition must be an object');
    if (depth > MAX_DEPTH) throw invalid(`the where nests deeper than ${MAX_DEPTH}`);
    for (const [name, operand] of Object.entries(clause)) {
      if (++parts > MAX_PARTS) throw invalid(`the where has more than ${MAX_PARTS} parts`);
      if (COMBINING.has(name)) {
        if (!Array.isArray(operand)) throw invalid(`'${name}' takes a list of conditions`);
        // Connectors leave an empty list out, whatever it should mean.
        const isLost = operand.length === 0 && neverEmpty.includes(name);
        if (isLost) throw invalid(`'${name}' has no conditions`);
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
  if (!isPlainObject(operand)) return checkMoment(path, property, operand);
  if (!isScalar(property)) return;
  const operators = Object.entries(operand);
  const unknown = operators.find(([operator]) => !OPERATORS.has(operator));
  if (unknown) throw invalid(`'${path}' has no operator '${unknown[0]}'`);
  // Connectors write statements of these that the database cannot read.
  if (operators.length === 0) throw invalid(`'${path}' is compared with nothing`);
  for (const [operator, value] of operators) {
    checkValue(path, operator, value);
    if (COMPARING.has(operator)) checkMoment(path, property, value);
  }
}

function checkValue(path: string, operator: string, value: unknown): void {
  const isList = Array.isArray(value);
  if (LISTS.has(operator)) {
    if (!isList) throw invalid(`'${operator}' of '${path}' takes a list`);
    if (operator === 'between' && value.length !== 2) {
      throw invalid(`'between' of '${path}' takes two values`);
    }
  }
  if (isPlainObject(value)) throw invalid(`'${operator}' of '${path}' takes a value`);
}

/** Juggler answers a text that is no date as a fault of the server. */
function checkMoment(path: string, property: PropertyDefinition, value: unknown): void {
  if (typeOf(property) !== 'date' || value === null) return;
  for (const moment of [value].flat()) {
    const isMoment = !Number.isNaN(new Date(moment as string).getTime());
    if (!isMoment) throw invalid(`'${path}' is compared with what is no date`);
  }
}

function checkOrder(entity: Comparable, order: unknown): void {
  for (const entry of order === undefined ? [] : [order].flat()) {
    const match = /^\s*(\S+)(\s+(ASC|DESC))?\s*$/i.exec(String(entry));
    if (!match) throw invalid(`'${String(entry)}' is not an order such as 'name ASC'`);
    propertyOf(entity, match[1]);
  }
}

/** A number that is too large for the database becomes a word of SQL on its way there. */
function checkPage({limit, offset, skip}: Filter): void {
  for (const [name, given] of Object.entries({limit, offset, skip})) {
    const number = Number(given ?? 0);
    if (!Number.isSafeInteger(number) || number < 0) throw invalid(`'${name}' is a whole number`);
  }
}

function propertyOf({modelName, properties}: Comparable, path: string): PropertyDefinition {
  const [name, ...keys] = path.split('.');
  if (!Object.hasOwn(properties, name)) throw invalid(`${modelName} has no property '${name}'`);
  const property = properties[name];
  if (keys.length > 0 && isScalar(property)) throw invalid(`'${name}' has nothing in it`);
  const odd = keys.find(key => !KEY.test(key));
  if (odd !== undefined) throw invalid(`'${odd}' is not a key that can be looked for`);
  return property;
}

function isScalar(property: PropertyDefinition): boolean {
  return SCALARS.has(typeOf(property));
}

function typeOf({type}: PropertyDefinition): string {
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
