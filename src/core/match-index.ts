import {imagesOf, type Change, type RowImage} from './change';
import type {Condition, ViewQuery} from './query';
import type {EntityShape, PropertyKind} from './shape';

/**
 * Finds the windows that a change can touch without asking each of them.
 *
 * A window whose condition demands that a property equals one of some values is filed under those
 * values; the others of its entity are the residue, asked each time. Both images of a change are
 * looked up, so a row that leaves is found as one that comes.
 */
export class MatchIndex<W> {
  private readonly entities = new Map<string, EntityIndex<W>>();

  add(window: W, query: ViewQuery, shape: EntityShape): void {
    let index = this.entities.get(query.entity);
    if (!index) {
      index = {shape, byProperty: new Map(), residue: new Set()};
      this.entities.set(query.entity, index);
    }
    const handle = handleOf(query.condition, shape);
    if (!handle) {
      index.residue.add(window);
      return;
    }
    for (const bucket of bucketsOf(index, handle)) bucket.add(window);
  }

  remove(window: W, query: ViewQuery, shape: EntityShape): void {
    const index = this.entities.get(query.entity);
    if (!index) return;
    index.residue.delete(window);
    const handle = handleOf(query.condition, shape);
    if (!handle) return;
    const values = index.byProperty.get(handle.property);
    for (const value of handle.values) {
      const bucket = values?.get(value);
      bucket?.delete(window);
      if (bucket?.size === 0) values!.delete(value);
    }
    if (values?.size === 0) index.byProperty.delete(handle.property);
  }

  /** The windows that these changes may touch, each once. */
  affectedBy(changes: readonly Change[]): Set<W> {
    const found = new Set<W>();
    for (const change of changes) {
      const index = this.entities.get(change.entity);
      if (!index) continue;
      for (const window of index.residue) found.add(window);
      if (change.kind === 'truncate') {
        addAll(index, found);
        continue;
      }
      const {before, after} = imagesOf(change);
      if (before) look(index, before, found);
      if (after) look(index, after, found);
    }
    return found;
  }

  /** Windows in the residue of an entity: each write of it asks them all. */
  residueOf(entity: string): number {
    return this.entities.get(entity)?.residue.size ?? 0;
  }
}

interface EntityIndex<W> {
  readonly shape: EntityShape;
  readonly byProperty: Map<string, Map<string, Set<W>>>;
  readonly residue: Set<W>;
}

interface Handle {
  readonly property: string;
  readonly values: readonly string[];
}

function look<W>(index: EntityIndex<W>, image: RowImage, found: Set<W>): void {
  for (const [property, values] of index.byProperty) {
    const {kind} = index.shape.properties[property];
    const bucket = values.get(fileName(image.values[property], kind));
    if (bucket) for (const window of bucket) found.add(window);
  }
}

function addAll<W>(index: EntityIndex<W>, found: Set<W>): void {
  for (const values of index.byProperty.values()) {
    for (const bucket of values.values()) for (const window of bucket) found.add(window);
  }
}

function bucketsOf<W>(index: EntityIndex<W>, handle: Handle): Set<W>[] {
  let values = index.byProperty.get(handle.property);
  if (!values) index.byProperty.set(handle.property, (values = new Map()));
  return handle.values.map(value => {
    let bucket = values.get(value);
    if (!bucket) values.set(value, (bucket = new Set()));
    return bucket;
  });
}

/** Booleans come last: half of all rows have each value. */
const USEFUL: Readonly<Record<PropertyKind, number>> = {
  uuid: 3, text: 2, collated: 2, number: 2, boolean: 1, date: 0, opaque: 0,
};

/** The most useful property on which the condition demands equality, with the values it takes. */
function handleOf(condition: Condition, shape: EntityShape): Handle | undefined {
  let best: {handle: Handle; use: number} | undefined;
  for (const part of conjuncts(condition)) {
    if (part.kind !== 'compare') continue;
    const values = demanded(part);
    const {kind} = shape.properties[part.property];
    const use = USEFUL[kind];
    if (!values || use === 0 || (best && use <= best.use)) continue;
    const names = [...new Set(values.map(value => fileName(value, kind)))];
    best = {handle: {property: part.property, values: names}, use};
  }
  return best?.handle;
}

function conjuncts(condition: Condition): readonly Condition[] {
  if (condition.kind !== 'and') return [condition];
  return condition.parts.flatMap(conjuncts);
}

function demanded(part: Extract<Condition, {kind: 'compare'}>): readonly unknown[] | undefined {
  if (part.operator === 'eq') return [part.value];
  if (part.operator === 'inq') return part.value as unknown[];
  return undefined;
}

/** Equal values must share a name; it does no harm when others share it too. */
function fileName(value: unknown, kind: PropertyKind): string {
  if (value === null || value === undefined) return '';
  // Decimals come as the database writes them: 1.50 is 1.5.
  if (kind === 'number') return String(Number(value));
  return typeof value === 'string' ? value.toLowerCase() : JSON.stringify(value);
}
