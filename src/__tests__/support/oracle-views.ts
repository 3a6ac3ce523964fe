import assert from 'node:assert/strict';
import type {LiveClient, LiveCollection} from '../../client';
import type {StoredRow, TableState} from './oracle';
import type {Product} from './shop';

/** A page of a view, and what it says in words that share nothing with the package. */
export interface View {
  readonly view: string;
  readonly viewParams: Readonly<Record<string, unknown>>;
  readonly pageOffset: number;
  readonly pageSize: number;
  matches(row: StoredRow): boolean;
  compare(a: StoredRow, b: StoredRow): number;
}

export const CATEGORIES = ['c1', 'c2', 'c3'];

const byName = (a: StoredRow, b: StoredRow) => order(a.name, b.name) || order(a.id, b.id);
const byQty = (a: StoredRow, b: StoredRow) => order(a.qty, b.qty) || order(a.id, b.id);

/** Pages of the shop: whole small views, pages in the middle, order by name and by number. */
export const VIEWS: readonly View[] = [
  ...CATEGORIES.map(category => ({
    view: 'categoryView',
    viewParams: {category},
    pageOffset: 0,
    pageSize: 8,
    matches: (row: StoredRow) => row.category === category,
    compare: byName,
  })),
  {
    view: 'categoryView',
    viewParams: {category: 'c1'},
    pageOffset: 10,
    pageSize: 5,
    matches: row => row.category === 'c1',
    compare: byName,
  },
  {
    view: 'lowStockView',
    viewParams: {category: 'c2', qty: 9},
    pageOffset: 0,
    pageSize: 100,
    matches: row => row.category === 'c2' && Number(row.qty) <= 9,
    compare: byQty,
  },
  {
    view: 'matchingView',
    viewParams: {name: 'Product 1'},
    pageOffset: 0,
    pageSize: 6,
    matches: row => String(row.name).startsWith('Product 1'),
    compare: (a, b) => order(b.qty, a.qty) || order(a.id, b.id),
  },
];

interface Shown {
  readonly rows: readonly object[];
  readonly count: number;
  readonly isLastPage: boolean;
}

type Columns = 'id' | 'name' | 'qty' | 'category';

/** A collection, and all that it has shown since it was last checked. */
export class Watched {
  readonly collection: LiveCollection<Product, Columns>;
  private readonly shown: string[] = [];

  constructor(client: LiveClient, private readonly definition: View) {
    const {view, viewParams, pageOffset, pageSize} = definition;
    this.collection = client.collection<Product, Columns>({
      type: 'Product',
      view,
      viewParams,
      pageOffset,
      pageSize,
      fields: ['id', 'name', 'qty', 'category'],
      getCount: true,
    });
    this.collection.on('change', () => this.shown.push(JSON.stringify(shownBy(this.collection))));
  }

  /** Whether it shows what the view is at this state. */
  shows(state: TableState): boolean {
    return JSON.stringify(shownBy(this.collection)) === this.expected(state);
  }

  /**
   * Fails unless each message so far left one of the database's states, never an older one than
   * the message before; then forgets them.
   *
   * @returns how many messages there were
   */
  check(states: readonly TableState[]): number {
    let at = 0;
    const {view, viewParams} = this.definition;
    const messages = this.shown.splice(0);
    messages.forEach((text, message) => {
      const found = states.findIndex((state, i) => i >= at && this.expected(state) === text);
      if (found < 0) {
        const earlier = states.map(state => this.expected(state)).lastIndexOf(text);
        const was = earlier < 0 ? 'never, at no commit' : `last after commit ${earlier}`;
        assert.fail(
          `${view} ${JSON.stringify(viewParams)}, message ${message} of ${messages.length}: ` +
            `what it shows was the database's state ${was}; the message before showed commit ` +
            `${at} of ${states.length}.\nBefore: ${messages[message - 1]}\nNow:    ${text}\n` +
            `Commits ${at} and on:\n` +
            states.slice(at, at + 12).map(state => this.expected(state)).join('\n'),
        );
      }
      at = found;
    });
    return messages.length;
  }

  private expected(state: TableState): string {
    let texts = pages.get(state);
    if (!texts) pages.set(state, (texts = new Map()));
    const {pageOffset, pageSize} = this.definition;
    const name = JSON.stringify([this.definition.view, this.definition.viewParams,
      pageOffset, pageSize]);
    let text = texts.get(name);
    if (text === undefined) {
      const rows = allRows(this.definition, state);
      const end = pageOffset + pageSize;
      const page: Shown = {
        rows: rows.slice(pageOffset, end), count: rows.length, isLastPage: rows.length <= end,
      };
      texts.set(name, (text = JSON.stringify(page)));
    }
    return text;
  }
}

/** What pages and whole views are at a state. Kept, because many ask for the same. */
const pages = new WeakMap<TableState, Map<string, string>>();
const known = new WeakMap<TableState, Map<View['matches'], object[]>>();

function allRows(view: View, state: TableState): object[] {
  let views = known.get(state);
  if (!views) known.set(state, (views = new Map()));
  let rows = views.get(view.matches);
  if (!rows) {
    rows = [...state.values()]
      .filter(row => row._isdeleted !== true && view.matches(row))
      .sort((a, b) => view.compare(a, b))
      .map(({id, name, qty, category, _version}) => ({id, name, qty, category, _version}));
    views.set(view.matches, rows);
  }
  return rows;
}

function shownBy(collection: Watched['collection']): Shown {
  const {count, isLastPage} = collection.meta!;
  const rows = collection.value.map(({id, name, qty, category, _version}) => ({
    id, name, qty, category, _version: _version ?? null,
  }));
  return {rows, count: count!, isLastPage};
}

function order(a: unknown, b: unknown): number {
  return (a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0;
}
