import type {Row} from '../protocol/page';
import {CRUDBlockedError, LiveEntityError} from './errors';
import {parseWhere} from './filter';
import {refereeFor} from './match';
import type {Condition} from './query';
import type {EntityShape} from './shape';
import {conditionProperties} from './view';

/** What an entity declares of who may reach which of its rows. */
export interface ScopeRule<P = unknown> {
  readonly shape: EntityShape;
  /** The where of one person; undefined for all rows. */
  of(who: P): object | undefined;
  /** What a new row will hold that is made from this data, as far as that is known. */
  newRow(data: Row, who: P): Row;
}

/** Stands in a row for a value that only the database or the write itself will know. */
export const UNKNOWN: unknown = Object.freeze({});

/** The part of an entity's rows that one person may reach. */
export class Scope {
  /** A LoopBack where, one operator a condition, to be and-ed with every other. */
  readonly where: object;
  private readonly properties: ReadonlySet<string>;

  constructor(
    private readonly rule: ScopeRule,
    private readonly who: unknown,
    private readonly condition: Condition,
  ) {
    this.where = whereOf(condition);
    this.properties = new Set(conditionProperties(condition));
  }

  /** Whether writing these properties can move a row in or out. */
  dependsOn(data: Row): boolean {
    return Object.keys(data).some(name => this.properties.has(name));
  }

  /**
   * Refuses a row that would be outside, or of which only the database could tell.
   *
   * @throws CRUDBlockedError (403)
   */
  keep(row: Row): void {
    const {shape} = this.rule;
    // Dates as they travel, and as the database's own text would be compared.
    const values = {...row};
    for (const [name, value] of Object.entries(values)) {
      if (value instanceof Date) values[name] = value.toISOString();
    }
    const query = {entity: shape.name, condition: this.condition, order: []};
    const isWithin = refereeFor(query, shape).matches({key: '', values, raw: {}});
    if (isWithin !== true) {
      throw new CRUDBlockedError('pre', `that ${shape.name} would be outside of your scope`);
    }
  }

  /** Refuses a new row that would be outside. */
  keepNew(data: Row): void {
    this.keep(this.newRow(data));
  }

  newRow(data: Row): Row {
    return this.rule.newRow(data, this.who);
  }
}

/**
 * The scope of one person, undefined where they may reach all rows.
 *
 * @throws LiveEntityError `NOT_AUTHENTICATED` (401) when nobody is signed in
 * @throws CRUDBlockedError (403) when the scope needs something that the person lacks: LoopBack
 * would leave a condition without a value out, and show everything
 */
export function scopeFor(rule: ScopeRule, who: unknown): Scope | undefined {
  const {name} = rule.shape;
  if (who === undefined || who === null) {
    throw new LiveEntityError('NOT_AUTHENTICATED', `${name} is for those who are signed in`, 401);
  }
  const where = rule.of(who);
  if (where === undefined) return undefined;
  const lacking = missingIn(where);
  if (lacking !== undefined) {
    throw new CRUDBlockedError('pre', `you have no ${lacking}, which the scope of ${name} needs`);
  }
  return new Scope(rule, who, conditionOf(rule, where));
}

/** A scope that names what the entity lacks is a mistake of the application, not of the caller. */
function conditionOf({shape}: ScopeRule, where: object): Condition {
  try {
    if (!isPlain(where)) throw new Error('it must be a where clause, and not a promise of one');
    return parseWhere(where, shape);
  } catch (error) {
    const {message} = error as Error;
    throw new LiveEntityError(
      'VIEW_QUERY_UNSUPPORTED',
      `the scope of ${shape.name}: ${message}`,
      500,
    );
  }
}

/** Where a scope has a condition without a value, or nothing where there should be one. */
function missingIn(where: unknown, path: readonly string[] = []): string | undefined {
  const place = path.join('.') || 'condition';
  if (where === undefined) return place;
  const isList = Array.isArray(where);
  if (!isList && !isPlain(where)) return undefined;
  const entries = Object.entries(where);
  const needsParts = !isList || COMBINING.has(path[path.length - 1]);
  if (entries.length === 0 && needsParts) return place;
  for (const [name, value] of entries) {
    const missing = missingIn(value, [...path, name]);
    if (missing !== undefined) return missing;
  }
  return undefined;
}

const COMBINING: ReadonlySet<string> = new Set(['and', 'or']);

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function whereOf(condition: Condition): object {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return {[condition.kind]: condition.parts.map(whereOf)};
    case 'compare': {
      const {property, operator, value} = condition;
      return {[property]: operator === 'eq' ? value : {[operator]: value}};
    }
  }
}
