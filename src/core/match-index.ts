import {imagesOf, type Change, type RowImage} from './change';
import {byCodePoint, comparable} from './compare';
import {filingsOf, keyFor, nameOf, placeOf, type Filing} from './filing';
import {IntervalTree, type Place} from './intervals';
import type {ViewQuery} from './query';
import type {EntityShape} from './shape';

/**
 * Finds the windows that a change can touch without asking each of them.
 *
 * A window is filed under the values that its condition demands of some properties, and there by
 * the range that it demands of another; those that demand neither are the residue, asked each time.
 * Both images of a change are looked up, so a row that leaves is found as one that comes.
 */
export class MatchIndex<W> {
  private readonly entities = new Map<string, EntityIndex<W>>();

  add(window: W, query: ViewQuery, shape: EntityShape): void {
    const index = this.indexOf(shape);
    const filings = filingsOf(query.condition, shape);
    index.windows.set(window, filings);
    for (const filing of filings) file(index, filing, window);
  }

  remove(window: W, query: ViewQuery): void {
    const index = this.entities.get(query.entity);
    const filings = index?.windows.get(window);
    if (!index || !filings) return;
    index.windows.delete(window);
    for (const filing of filings) unfile(index, filing, window);
    if (index.windows.size === 0) this.entities.delete(query.entity);
  }

  /** The windows that these changes may touch, each once. */
  affectedBy(changes: readonly Change[]): Set<W> {
    const found = new Set<W>();
    for (const change of changes) this.touchedBy(change, window => void found.add(window));
    return found;
  }

  /** Tells of each window that a change may touch, of some more than once. */
  touchedBy(change: Change, tell: (window: W) => void): void {
    const index = this.entities.get(change.entity);
    if (!index) return;
    if (change.kind === 'truncate') {
      for (const window of index.windows.keys()) tell(window);
      return;
    }
    const {before, after} = imagesOf(change);
    if (before) look(index, before, tell);
    if (after) look(index, after, tell);
  }

  /** Windows in the residue: each write of their entity asks them all. */
  get residue(): number {
    let count = 0;
    for (const {groups} of this.entities.values()) {
      count += groups.get('')?.drawers.get(keyFor([]))?.unranged.size ?? 0;
    }
    return count;
  }

  private indexOf(shape: EntityShape): EntityIndex<W> {
    let index = this.entities.get(shape.name);
    if (!index) {
      index = {shape, windows: new Map(), groups: new Map()};
      this.entities.set(shape.name, index);
    }
    return index;
  }
}

interface EntityIndex<W> {
  readonly shape: EntityShape;
  readonly windows: Map<W, readonly Filing[]>;
  /** By the properties that are compared by equality. */
  readonly groups: Map<string, Group<W>>;
}

interface Group<W> {
  readonly properties: readonly string[];
  readonly drawers: Map<string, Drawer<W>>;
}

interface Drawer<W> {
  readonly unranged: Set<W>;
  readonly ranges: Map<string, IntervalTree<W>>;
}

function file<W>(index: EntityIndex<W>, filing: Filing, window: W): void {
  const {properties, keys, range} = filing;
  const name = properties.join();
  let group = index.groups.get(name);
  if (!group) index.groups.set(name, (group = {properties, drawers: new Map()}));
  for (const key of keys) {
    let drawer = group.drawers.get(key);
    if (!drawer) group.drawers.set(key, (drawer = {unranged: new Set(), ranges: new Map()}));
    if (!range) {
      drawer.unranged.add(window);
      continue;
    }
    let tree = drawer.ranges.get(range.property);
    if (!tree) drawer.ranges.set(range.property, (tree = new IntervalTree(comparePlaces)));
    tree.add(range.interval, window);
  }
}

/** Leaves nothing empty behind: views come and go with other values each time. */
function unfile<W>(index: EntityIndex<W>, filing: Filing, window: W): void {
  const {properties, keys, range} = filing;
  const name = properties.join();
  const group = index.groups.get(name);
  if (!group) return;
  for (const key of keys) {
    const drawer = group.drawers.get(key);
    if (!drawer) continue;
    drawer.unranged.delete(window);
    const tree = range && drawer.ranges.get(range.property);
    tree?.remove(range!.interval, window);
    if (tree?.isEmpty) drawer.ranges.delete(range!.property);
    if (drawer.unranged.size === 0 && drawer.ranges.size === 0) group.drawers.delete(key);
  }
  if (group.drawers.size === 0) index.groups.delete(name);
}

function look<W>(index: EntityIndex<W>, image: RowImage, add: (window: W) => void): void {
  const {shape} = index;
  const valueOf = (property: string) => comparable(image, property, shape.properties[property]);
  const named = (property: string) => nameOf(valueOf(property), shape.properties[property].kind);
  for (const {properties, drawers} of index.groups.values()) {
    const drawer = drawers.get(keyFor(properties.map(named)));
    if (!drawer) continue;
    for (const window of drawer.unranged) add(window);
    for (const [property, tree] of drawer.ranges) {
      const value = valueOf(property);
      if (value === null) continue;
      const place = placeOf(value, shape.properties[property].kind);
      if (place === undefined) tree.all(add);
      else tree.at(place, add);
    }
  }
}

/** One tree holds places of one property, so both are numbers or both are texts. */
function comparePlaces(a: Place, b: Place): number {
  if (typeof a === 'string' && typeof b === 'string') return byCodePoint(a, b);
  return Number(a) - Number(b) || 0;
}
