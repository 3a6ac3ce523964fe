/** A place on a line: a number, or a text ordered by code point. One tree holds one sort. */
export type Place = number | string;

/** A closed interval; a missing end is open without end. */
export interface Interval {
  readonly low: Place | undefined;
  readonly high: Place | undefined;
}

type Compare = (a: Place, b: Place) => number;

interface Node<T> {
  readonly interval: Interval;
  readonly items: Set<T>;
  readonly priority: number;
  left: Node<T> | undefined;
  right: Node<T> | undefined;
  /** The highest end below and including this node; undefined for one without end. */
  reach: Place | undefined;
}

/**
 * Finds the intervals that hold a place, in time that grows with the logarithm of how many there
 * are and with how many are found. A treap by the lower end (and the upper one), in which each node
 * knows the highest end of its branch.
 */
export class IntervalTree<T> {
  private root: Node<T> | undefined;

  constructor(private readonly compare: Compare) {}

  get isEmpty(): boolean {
    return this.root === undefined;
  }

  add(interval: Interval, item: T): void {
    this.root = this.insert(this.root, interval, item);
  }

  remove(interval: Interval, item: T): void {
    this.root = this.without(this.root, interval, item);
  }

  /** Calls back for each item whose interval holds the place. */
  at(place: Place, found: (item: T) => void): void {
    this.visit(this.root, place, found);
  }

  all(found: (item: T) => void): void {
    const walk = (node: Node<T> | undefined): void => {
      if (!node) return;
      walk(node.left);
      for (const item of node.items) found(item);
      walk(node.right);
    };
    walk(this.root);
  }

  private visit(node: Node<T> | undefined, place: Place, found: (item: T) => void): void {
    if (!node || this.isBelow(node.reach, place)) return;
    const {low, high} = node.interval;
    this.visit(node.left, place, found);
    // From here on to the right, everything begins later than the place.
    if (low !== undefined && this.compare(low, place) > 0) return;
    if (!this.isBelow(high, place)) for (const item of node.items) found(item);
    this.visit(node.right, place, found);
  }

  private isBelow(high: Place | undefined, place: Place): boolean {
    return high !== undefined && this.compare(high, place) < 0;
  }

  private insert(node: Node<T> | undefined, interval: Interval, item: T): Node<T> {
    if (!node) {
      const {high} = interval;
      const priority = Math.random();
      return {interval, items: new Set([item]), priority, left: undefined, right: undefined,
        reach: high};
    }
    const side = this.order(interval, node.interval);
    if (side === 0) {
      node.items.add(item);
      return node;
    }
    const branch = side < 0 ? 'left' : 'right';
    const child = this.insert(node[branch], interval, item);
    node[branch] = child;
    return child.priority > node.priority ? this.lift(node, branch) : this.measured(node);
  }

  private without(node: Node<T> | undefined, interval: Interval, item: T): Node<T> | undefined {
    if (!node) return undefined;
    const side = this.order(interval, node.interval);
    if (side !== 0) {
      const branch = side < 0 ? 'left' : 'right';
      node[branch] = this.without(node[branch], interval, item);
      return this.measured(node);
    }
    node.items.delete(item);
    return node.items.size > 0 ? node : this.joined(node.left, node.right);
  }

  private joined(a: Node<T> | undefined, b: Node<T> | undefined): Node<T> | undefined {
    if (!a || !b) return a ?? b;
    if (a.priority > b.priority) {
      a.right = this.joined(a.right, b);
      return this.measured(a);
    }
    b.left = this.joined(a, b.left);
    return this.measured(b);
  }

  /** Turns a child into its parent's place. */
  private lift(node: Node<T>, branch: 'left' | 'right'): Node<T> {
    const child = node[branch]!;
    const other = branch === 'left' ? 'right' : 'left';
    node[branch] = child[other];
    child[other] = this.measured(node);
    return this.measured(child);
  }

  private measured(node: Node<T>): Node<T> {
    let reach = node.interval.high;
    for (const child of [node.left, node.right]) {
      if (!child || reach === undefined) continue;
      const isHigher = child.reach === undefined || this.compare(child.reach, reach) > 0;
      if (isHigher) reach = child.reach;
    }
    node.reach = reach;
    return node;
  }

  private order(a: Interval, b: Interval): number {
    return this.ends(a.low, b.low, -1) || this.ends(a.high, b.high, 1);
  }

  /** @param missing where an end that is missing lies: -1 before all others, 1 after them */
  private ends(a: Place | undefined, b: Place | undefined, missing: number): number {
    if (a === undefined || b === undefined) {
      return a === b ? 0 : a === undefined ? missing : -missing;
    }
    return this.compare(a, b);
  }
}
