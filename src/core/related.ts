import type {CommittedTransaction, RowImage} from './change';
import {comparable} from './compare';
import {LiveEntityError} from './errors';
import type {RecentTransactions} from './history';
import {refereeFor, type Referee} from './match';
import type {RowSource} from './ports';
import type {Include, ViewQuery} from './query';
import type {EntityShape} from './shape';
import {judged} from './verdicts';
import {advance, netChanges, type NetChange, type WindowState} from './window';

/** Rows that one include of one window may bring along. */
const MAX_ROWS = 10_000;
/** What no group reaches whose page goes on: one that loses rows by it is read again. */
const SPAN = {need: Infinity, keep: 2 * MAX_ROWS};

/** What related rows need of the window that they belong to. */
export interface RelatedContext {
  readonly source: RowSource;
  readonly recent: RecentTransactions;
  shapeOf(entity: string): EntityShape;
  epoch(): number;
  arrival(mark: string, epoch: number): Promise<void>;
  counted(what: 'reads' | 'asks'): void;
  /** Rows have come. @throws LiveEntityError `SERVER_BUSY` where an opening page is one too many */
  admit(): void;
  /** The number of the last transaction that the window was handed. */
  last(): number;
  /** The rows that concern these are others now; undefined for none. */
  watch(rows: RelatedRows, query: ViewQuery | undefined): void;
}

/** The rows that one value links to, and the number of the last transaction that they hold. */
interface Group {
  readonly rows: readonly RowImage[];
  readonly at: number;
  /** The rows with what is included in them, as last shown. */
  shown?: readonly RowImage[];
}

/**
 * The rows of one relation that belong to the rows of a window, by the value that links them. Like
 * the window itself they are read at a snapshot, handed over to the feed by a mark, and moved on by
 * its transactions. What Node cannot decide about a group has the group read again.
 */
export class RelatedRows {
  private readonly groups = new Map<string, Group>();
  /** Rows in all groups, and rows that have been read and are in none yet. */
  private held = 0;
  private coming = 0;
  private readonly children: readonly RelatedRows[];
  private readonly shape: EntityShape;
  private readonly referee: Referee;
  private readonly dressed = new WeakMap<RowImage, RowImage>();

  constructor(
    private readonly include: Include,
    private readonly parent: EntityShape,
    private readonly context: RelatedContext,
  ) {
    this.shape = context.shapeOf(include.query.entity);
    this.referee = refereeFor(include.query, this.shape);
    this.children = relatedOf(include.query, this.shape, context);
  }

  /** How many there are, with what is included in them. */
  get size(): number {
    return this.children.reduce((sum, child) => sum + child.size, this.held + this.coming);
  }

  /** Whether there are more than a page can hold, as far as they are counted. */
  get isOverfull(): boolean {
    return this.held > MAX_ROWS || this.children.some(child => child.isOverfull);
  }

  /**
   * Forgets the rows of parents that are not these.
   *
   * @throws LiveEntityError `LIMIT_EXCEEDED` where more are left than a page can hold
   */
  mustFit(parents: readonly RowImage[]): void {
    const links = this.linksOf(parents);
    this.forgetOthers(links);
    if (this.held > MAX_ROWS) throw tooMany(this.include);
    const rows = [...links.keys()].flatMap(link => this.groups.get(link)?.rows ?? []);
    for (const child of this.children) if (child.isOverfull) child.mustFit(rows);
  }

  /** Whether a transaction empties the table of these rows, or of what is included in them. */
  isEmptiedBy(transaction: CommittedTransaction): boolean {
    const {entity} = this.include.query;
    const isEmptied = transaction.changes.some(
      change => change.kind === 'truncate' && change.entity === entity,
    );
    return isEmptied || this.children.some(child => child.isEmptiedBy(transaction));
  }

  /** Whether rows of an entity are among these, or included in them. */
  holds(entity: string): boolean {
    return this.include.query.entity === entity || this.children.some(each => each.holds(entity));
  }

  /** Forgets everything: the window reads anew. */
  reset(): void {
    this.groups.clear();
    this.held = 0;
    for (const child of this.children) child.reset();
  }

  close(): void {
    this.context.watch(this, undefined);
    for (const child of this.children) child.close();
  }

  /** Moves the groups on that the transaction concerns; drops those of which Node is not sure. */
  apply({changes}: CommittedTransaction, number: number): void {
    for (const [link, net] of this.byLink(netChanges(changes, this.include.query.entity))) {
      const group = this.groups.get(link);
      if (!group || group.at >= number) continue;
      const next = advance({rows: group.rows, beyond: false}, net, this.referee, SPAN);
      if (next === 'ask' || next.beyond) this.forget(link);
      else this.keep(link, {rows: next.rows, at: number});
    }
    for (const child of this.children) child.apply({id: 0, changes, marks: []}, number);
  }

  /** The first relation, here or below, of which rows for these parents are not known. */
  lacking(parents: readonly RowImage[]): (() => Promise<void>) | undefined {
    const links = this.linksOf(parents);
    if ([...links.keys()].some(link => !this.groups.has(link))) return () => this.fetch(links);
    const rows = [...links.keys()].flatMap(link => this.groups.get(link)!.rows);
    for (const child of this.children) {
      const fetch = child.lacking(rows);
      if (fetch) return fetch;
    }
    return undefined;
  }

  /** The rows that belong to a parent, each with what is included in it. */
  of(parent: RowImage): readonly RowImage[] {
    const group = this.groups.get(this.linkOf(parent, this.include.from, this.parent) ?? '');
    if (!group) return [];
    const rows = group.rows.map(row => dress(row, this.children, this.dressed));
    const isSame = group.shown?.length === rows.length &&
      rows.every((row, i) => row === group.shown![i]);
    if (!isSame) group.shown = rows;
    return group.shown!;
  }

  get relation(): string {
    return this.include.relation;
  }

  /** Reads the groups that are not known, and has the feed tell of them from before that on. */
  private async fetch(links: ReadonlyMap<string, unknown>): Promise<void> {
    const {source, recent} = this.context;
    this.forgetOthers(links);
    this.context.watch(this, this.queryFor([...links.values()]));
    const wanted = [...links].filter(([link]) => !this.groups.has(link));
    const release = recent.hold();
    const epoch = this.context.epoch();
    try {
      this.context.counted('reads');
      const query = this.queryFor(wanted.map(([, value]) => value));
      const room = Math.max(0, MAX_ROWS - this.held);
      const result = await source.read(query, room + 1, false);
      if (result.rows.length > room) throw tooMany(this.include);
      this.coming = result.rows.length;
      this.context.admit();
      if (result.mark !== undefined) await this.context.arrival(result.mark, epoch);
      const at = this.context.last();
      const unseen = recent.unseenBy(id => result.sees(id));
      // The next snapshot will see it.
      if (unseen.some(transaction => this.isEmptiedBy(transaction))) return;
      const found = new Map(wanted.map(([link]) => [link, [] as RowImage[]]));
      for (const row of result.rows) {
        found.get(this.linkOf(row, this.include.to, this.shape)!)?.push(row);
      }
      const changes = netChanges(unseen.flatMap(each => each.changes), this.include.query.entity);
      const moved = this.byLink(changes);
      for (const [link, rows] of found) {
        const settled = await this.settled(rows, moved.get(link) ?? []);
        this.coming -= rows.length;
        this.keep(link, {rows: settled, at});
      }
    } finally {
      this.coming = 0;
      release();
    }
  }

  private keep(link: string, group: Group): void {
    this.forget(link);
    this.groups.set(link, group);
    this.held += group.rows.length;
  }

  private forget(link: string): void {
    this.held -= this.groups.get(link)?.rows.length ?? 0;
    this.groups.delete(link);
  }

  private forgetOthers(links: ReadonlyMap<string, unknown>): void {
    for (const link of this.groups.keys()) if (!links.has(link)) this.forget(link);
  }

  private async settled(
    rows: readonly RowImage[],
    changes: readonly NetChange[],
  ): Promise<readonly RowImage[]> {
    const state = {rows, beyond: false};
    const next = advance(state, changes, this.referee, SPAN);
    if (next !== 'ask') return this.whole(next);
    this.context.counted('asks');
    const referee = await judged(this.context.source, this.include.query, state, changes);
    const decided = advance(state, changes, referee, SPAN);
    if (decided === 'ask') throw new Error('the database did not judge a row that it was given');
    return this.whole(decided);
  }

  private whole({rows, beyond}: WindowState): readonly RowImage[] {
    if (beyond) throw tooMany(this.include);
    return rows;
  }

  private queryFor(values: readonly unknown[]): ViewQuery {
    const {query, to} = this.include;
    const linked = {kind: 'compare', property: to, operator: 'inq', value: values} as const;
    return {...query, condition: {kind: 'and', parts: [linked, query.condition]}};
  }

  /** Changes by the group that they take a row from or put one into. */
  private byLink(changes: readonly NetChange[]): Map<string, NetChange[]> {
    const found = new Map<string, NetChange[]>();
    const note = (link: string | undefined, change: NetChange) => {
      if (link === undefined) return;
      const list = found.get(link);
      if (list) list.push(change);
      else found.set(link, [change]);
    };
    const linkOf = (image: RowImage | undefined) =>
      image && this.linkOf(image, this.include.to, this.shape);
    for (const {before, after} of changes) {
      const [from, to] = [linkOf(before), linkOf(after)];
      if (from === to) {
        note(to, {before, after});
      } else {
        note(from, {before});
        note(to, {after});
      }
    }
    return found;
  }

  private linksOf(parents: readonly RowImage[]): Map<string, unknown> {
    const links = new Map<string, unknown>();
    for (const parent of parents) {
      const {from} = this.include;
      const link = this.linkOf(parent, from, this.parent);
      if (link === undefined) continue;
      links.set(link, comparable(parent, from, this.parent.properties[from]));
    }
    return links;
  }

  /** Equal values have equal texts: a whole number has one, whatever its column's type. */
  private linkOf(image: RowImage, property: string, shape: EntityShape): string | undefined {
    const value = comparable(image, property, shape.properties[property]);
    if (value === null) return undefined;
    const text = String(value);
    const isDecimal = shape.properties[property].kind === 'number' && text.includes('.');
    return isDecimal ? text.replace(/\.?0+$/, '') : text;
  }
}

/** What a query includes, each with its rows. */
export function relatedOf(
  query: ViewQuery,
  shape: EntityShape,
  context: RelatedContext,
): readonly RelatedRows[] {
  return (query.includes ?? []).map(include => new RelatedRows(include, shape, context));
}

/**
 * A row with its related rows. It stays the same object as long as neither has changed, so that
 * what is made of it need not be made again.
 */
export function dress(
  image: RowImage,
  relations: readonly RelatedRows[],
  known: WeakMap<RowImage, RowImage>,
): RowImage {
  if (relations.length === 0) return image;
  const lists = relations.map(rows => [rows.relation, rows.of(image)] as const);
  const before = known.get(image);
  const isSame = before && lists.every(([name, rows]) => before.related![name] === rows);
  if (isSame) return before;
  const {key, values, raw} = image;
  const dressed: RowImage = {key, values, raw, related: Object.fromEntries(lists)};
  known.set(image, dressed);
  return dressed;
}

function tooMany({relation}: Include): LiveEntityError {
  const message = `'${relation}' brings more than ${MAX_ROWS} rows along, which a page cannot hold`;
  return new LiveEntityError('LIMIT_EXCEEDED', message);
}
