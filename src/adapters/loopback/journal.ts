import type {RowKey} from '../../protocol/page';

/** What a write, or a transaction of several, did to the rows of one entity. */
export interface EntityWrites<R> {
  readonly rows: R[];
  readonly keys: Set<RowKey>;
  /** Whether it is not known which rows were written. */
  inDoubt: boolean;
  /** Whether some of the rows were read around the write instead of answered by it. */
  isRead: boolean;
  /** Whether the write was of all rows that meet a condition, not of those that have an id. */
  isOpen: boolean;
}

/** A write, or a transaction of several, from its beginning to its end. */
export interface Span<R> {
  readonly began: number;
  readonly entities: Map<string, EntityWrites<R>>;
}

type Touched = Omit<EntityWrites<never>, 'rows'>;

interface Ended {
  readonly at: number;
  readonly entities: ReadonlyMap<string, Touched>;
}

/** Writes remembered for the sake of those that began before they ended. */
const MOST_REMEMBERED = 10_000;

/**
 * Knows which writes of this process overlapped. Images that were read around a write are only
 * true of it when no other write touched the same row meanwhile; where one did, the write counts
 * as in doubt.
 */
export class WriteJournal<R> {
  private clock = 0;
  private readonly open = new Set<Span<R>>();
  private ended: Ended[] = [];
  private forgotten = 0;

  begin(): Span<R> {
    const span: Span<R> = {began: ++this.clock, entities: new Map()};
    this.open.add(span);
    return span;
  }

  writesOf(span: Span<R>, entity: string): EntityWrites<R> {
    let writes = span.entities.get(entity);
    if (!writes) {
      writes = {rows: [], keys: new Set(), inDoubt: false, isRead: false, isOpen: false};
      span.entities.set(entity, writes);
    }
    return writes;
  }

  /** Nothing of it has happened. */
  drop(span: Span<R>): void {
    this.open.delete(span);
    this.forget();
  }

  /** All of it has happened; what is in doubt is marked so in the span. */
  end(span: Span<R>): void {
    for (const [entity, writes] of span.entities) {
      writes.inDoubt ||= this.forgotten > span.began && writes.isRead;
      writes.inDoubt ||= this.ended.some(
        other => other.at > span.began && isMixedUp(writes, other.entities.get(entity)),
      );
    }
    this.open.delete(span);
    const touched = [...span.entities].map(([entity, {rows: _, ...rest}]) => [entity, rest]);
    this.ended.push({at: ++this.clock, entities: new Map(touched as [string, Touched][])});
    this.forget();
  }

  /** Sets keep the order in which they were filled, so the first that is open is the oldest. */
  private forget(): void {
    const [oldest] = this.open;
    if (!oldest) this.ended = [];
    while (oldest && this.ended.length > 0 && this.ended[0].at < oldest.began) this.ended.shift();
    if (this.ended.length <= MOST_REMEMBERED) return;
    this.forgotten = this.ended[this.ended.length - 1].at;
    this.ended = [];
  }
}

function isMixedUp(a: Touched, b: Touched | undefined): boolean {
  if (!b || (!a.isRead && !b.isRead)) return false;
  if (a.inDoubt || b.inDoubt || a.isOpen || b.isOpen) return true;
  const [few, many] = a.keys.size < b.keys.size ? [a.keys, b.keys] : [b.keys, a.keys];
  for (const key of few) if (many.has(key)) return true;
  return false;
}
