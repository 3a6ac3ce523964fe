import {readonly, shallowRef} from 'vue';
import {defaultThreshold} from './model/stock';

/** Where the person is. The address keeps it after `#`, so the server need not know of it. */
export type Route =
  | {readonly page: 'categories'}
  | {readonly page: 'category'; readonly id: string; readonly offset: number; readonly size: number}
  | {readonly page: 'lowStock'; readonly category?: string; readonly qty: number}
  | {readonly page: 'product'; readonly id: string}
  | {readonly page: 'nowhere'};

export const pageSizes: readonly number[] = [10, 25];

export function parse(hash: string): Route {
  const [path, search = ''] = hash.replace(/^#?\/?/, '').split('?');
  const [section, id] = path.split('/').map(decodeURIComponent);
  const query = new URLSearchParams(search);
  if (section === '') return {page: 'categories'};
  if (section === 'categories' && !id) return {page: 'categories'};
  if (section === 'categories') {
    const size = natural(query.get('size'), pageSizes[0]);
    return {
      page: 'category', id, offset: natural(query.get('offset'), 0),
      size: pageSizes.includes(size) ? size : pageSizes[0],
    };
  }
  if (section === 'low-stock') {
    const qty = natural(query.get('qty'), defaultThreshold);
    return {page: 'lowStock', category: query.get('category') ?? undefined, qty};
  }
  if (section === 'products' && id) return {page: 'product', id};
  return {page: 'nowhere'};
}

export function href(to: Route): string {
  switch (to.page) {
    case 'categories':
      return '#/categories';
    case 'category': {
      const query = search({offset: to.offset || undefined, size: to.size});
      return `#/categories/${encodeURIComponent(to.id)}${query}`;
    }
    case 'lowStock':
      return `#/low-stock${search({category: to.category, qty: to.qty})}`;
    case 'product':
      return `#/products/${encodeURIComponent(to.id)}`;
    case 'nowhere':
      return '#/';
  }
}

const current = shallowRef<Route>(parse(location.hash));
window.addEventListener('hashchange', () => {
  const next = parse(location.hash);
  // Another page is read from its top; another part of the same list stays where it is.
  if (next.page !== current.value.page) window.scrollTo(0, 0);
  current.value = next;
});

/** The route that is shown. */
export const route = readonly(current);

/** Goes somewhere; with `replace` the way back does not pass the present place again. */
export function go(to: Route, {replace = false} = {}): void {
  if (!replace) {
    location.hash = href(to);
    return;
  }
  history.replaceState(history.state, '', href(to));
  current.value = to;
}

function natural(text: string | null, otherwise: number): number {
  return text && /^\d{1,6}$/.test(text) ? Number(text) : otherwise;
}

function search(values: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size ? `?${query}` : '';
}
