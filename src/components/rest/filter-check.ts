import type {
  Entity,
  Filter,
  Inclusion,
  InclusionFilter,
  PropertyDefinition,
  Where,
} from '@loopback/repository';
import {HttpErrors} from '@loopback/rest';
import {historyBehaviour} from '../../mixins/behaviours/history';
import {HISTORY_PROPERTIES} from '../../mixins/model-definition';
import type {Condition} from '../../mixins/plan';
import {plainWhere} from '../../mixins/where';
import type {Engine} from './engine';
import {hiddenProperties} from './hidden';
import {isPlainObject, kindOf, misfitOf, type PropertyKind} from './operands';
import {targetOf} from './relations';

const MAX_DEPTH = 20;
const MAX_PARTS = 1000;
const NESTED: ReadonlySet<PropertyKind> = new Set(['list', 'place', 'open']);
const COMBINING: ReadonlySet<string> = new Set(['and', 'or']);
/** Lists of conditions that mean nothing when they are empty, and all rows to connectors. */
const NEVER_EMPTY: ReadonlySet<string> = new Set(['or']);
const NEVER_EMPTY_IN_WRITES: ReadonlySet<string> = new Set(['and', 'or']);
/** A key within a JSON property. Connectors take a question mark for a parameter of theirs. */
const KEY = /^[\p{L}\p{N}_$@:/ -]+$/u;

/** A property that the model does not name. */
const OPEN: PropertyDefinition = {type: 'any'};

/** What can be compared and ordered by. */
interface Comparable {
  readonly modelName: string;
  readonly properties: Readonly<Record<string, PropertyDefinition>>;
  /** Whether rows can have a property that the model does not name. */
  canHave?(name: string): boolean;
}

/**
 * The filter to read by: what it says on every connector. One that names what the entity does not
 * have is refused: connectors pass such parts by, so that a misspelt condition would answer every
 * row. What the model hides counts as absent: a comparison would tell its value, letter by letter.
 *
 * @throws 400 `INVALID_FILTER`
 */
export function checkedFilter(
  entity: typeof Entity,
  filter: Filter | null | undefined,
  engine: Engine,
  depth = 0,
): Filter | undefined {
  if (!filter) return undefined;
  if (depth > MAX_DEPTH) throw invalid(`the filter nests deeper than ${MAX_DEPTH}`);
  const page = checkedPage(comparable(entity), filter, engine);
  const include = filter.include?.map((inclusion: InclusionFilter) => {
    const {relation, scope} = inclusion as Exclude<Inclusion, string>;
    if (!scope) return inclusion;
    return {relation, scope: checkedFilter(targetOf(entity, relation), scope, engine, depth + 1)};
  });
  return {...page, ...(include ? {include} : {})};
}

/** The same for past states, which have the properties of the entity and their own. */
export function checkedHistoryFilter(
  entity: typeof Entity,
  filter: Filter | null | undefined,
  engine: Engine,
): Filter | undefined {
  if (!filter) return undefined;
  const own = comparable(entity).properties;
  const [idName] = entity.getIdProperties();
  const marks = {...historyBehaviour.internal, ...HISTORY_PROPERTIES, _modelId: own[idName]};
  const revision = {
    modelName: `A revision of ${entity.modelName}`,
    properties: {...own, ...marks},
  };
  return checkedPage(revision, filter, engine);
}

/** The where to select by, checked as {@link checkedFilter} does. */
export function checkedWhere(
  entity: typeof Entity,
  where: unknown,
  engine: Engine,
): Where | undefined {
  return checkedConditions(comparable(entity), where, engine);
}

/** The same for a write of many, where an empty `and` means that conditions have got lost. */
export function checkedWhereOfWrite(
  entity: typeof Entity,
  where: unknown,
  engine: Engine,
): Where | undefined {
  return checkedConditions(comparable(entity), where, engine, NEVER_EMPTY_IN_WRITES);
}

function checkedPage(entity: Comparable, filter: Filter, engine: Engine): Filter {
  const {order: asked, where, ...rest} = filter;
  const order = checkedOrder(entity, asked, engine);
  checkNumbers(filter);
  const conditions = checkedConditions(entity, where, engine);
  // Connectors write the beginning of an ORDER BY for an empty list, and nothing after it.
  const isOrdered = order.length > 0;
  return {...rest, ...(conditions ? {where: conditions} : {}), ...(isOrdered ? {order} : {})};
}

function comparable(entity: typeof Entity): Comparable {
  const hidden = hiddenProperties(entity);
  const shown = Object.entries(entity.definition.properties).filter(([name]) => !hidden.has(name));
  const {properties, settings} = entity.definition;
  const canHave = (name: string) => settings.strict === false && !Object.hasOwn(properties, name);
  return {modelName: entity.modelName, properties: Object.fromEntries(shown), canHave};
}

function checkedConditions(
  entity: Comparable,
  where: unknown,
  engine: Engine,
  neverEmpty: ReadonlySet<string> = NEVER_EMPTY,
): Where | undefined {
  if (where === undefined || where === null) return undefined;
  let parts = 0;
  const visit = (clause: unknown, depth: number) => {
    if (!isPlainObject(clause)) throw invalid('a condition must be an object');
    if (depth > MAX_DEPTH) throw invalid(`the where nests deeper than ${MAX_DEPTH}`);
    for (const [name, operand] of Object.entries(clause)) {
      if (++parts > MAX_PARTS) throw invalid(`the where has more than ${MAX_PARTS} parts`);
      if (COMBINING.has(name)) {
        for (const part of combined(name, operand, neverEmpty)) visit(part, depth + 1);
      } else {
        checkOperand(entity, name, operand, engine);
      }
    }
  };
  visit(where, 0);
  return plainWhere(where as Condition) as Where;
}

/** The conditions that are combined. Connectors take an empty one among others for no matter. */
function combined(name: string, operand: unknown, neverEmpty: ReadonlySet<string>): unknown[] {
  if (!Array.isArray(operand)) throw invalid(`'${name}' takes a list of conditions`);
  const isEmpty = (part: unknown) => isPlainObject(part) && Object.keys(part).length === 0;
  const isLost = operand.length === 0 && neverEmpty.has(name);
  if (isLost || (name === 'or' && operand.some(isEmpty))) {
    throw invalid(`'${name}' takes conditions that are not empty`);
  }
  return operand;
}

function checkOperand(entity: Comparable, path: string, operand: unknown, engine: Engine): void {
  const property = propertyOf(entity, path, engine);
  const kind = path.includes('.') ? 'open' : kindOf(property);
  const reason = misfitOf(path, kind, operand);
  if (reason) throw invalid(reason);
}

/** One key after the other: of several in one text, connectors take the first. */
function checkedOrder(entity: Comparable, order: unknown, engine: Engine): string[] {
  const keys = order ? [order].flat().flatMap(entry => String(entry).split(',')) : [];
  return keys.map(key => {
    const match = /^\s*(\S+)(\s+(ASC|DESC))?\s*$/i.exec(key);
    if (!match) throw invalid(`'${key}' is not an order such as 'name ASC'`);
    propertyOf(entity, match[1], engine);
    return key.trim();
  });
}

/** A number that is too large for the database becomes a word of SQL on its way there. */
function checkNumbers({limit, offset, skip}: Filter): void {
  for (const [name, given] of Object.entries({limit, offset, skip})) {
    const number = Number(given ?? 0);
    if (!Number.isSafeInteger(number) || number < 0) throw invalid(`'${name}' is a whole number`);
  }
}

function propertyOf(
  {modelName, properties, canHave}: Comparable,
  path: string,
  {readsKeys, isOpen}: Engine,
): PropertyDefinition {
  const [name, ...keys] = path.split('.');
  const isNamed = Object.hasOwn(properties, name);
  if (!isNamed && !(isOpen && canHave?.(name))) {
    throw invalid(`${modelName} has no property '${name}'`);
  }
  const property = isNamed ? properties[name] : OPEN;
  if (keys.length === 0) return property;
  if (!NESTED.has(kindOf(property))) throw invalid(`'${name}' has nothing in it`);
  if (!readsKeys) throw invalid(`the database does not look into '${name}'`);
  const odd = keys.find(key => !KEY.test(key));
  if (odd !== undefined) throw invalid(`'${odd}' is not a key that can be looked for`);
  return property;
}

function invalid(because: string): Error {
  return Object.assign(new HttpErrors.BadRequest(`The filter is not valid: ${because}.`), {
    code: 'INVALID_FILTER',
  });
}
