/** Compiled, never run: what the client's types promise, and what they refuse. */
import {LiveClient, type LiveCollection, type LiveModel, type LiveRow} from '../../client';

interface Product {
  id: string;
  name: string;
  qty: number;
  note?: string;
  toJSON(): object;
}

type Probe<A> = <T>() => T extends A ? 1 : 2;
type Same<A, B> = Probe<A> extends Probe<B> ? true : never;
const holds = <T extends true>(_proof?: T): void => undefined;

const live = new LiveClient('http://localhost:3000', {path: '/realtime', token: 't'});

export async function rows(): Promise<void> {
  const products = live.collection<Product>({type: 'Product', view: 'v', fields: ['name', 'qty']});
  const row = products.value[0];
  holds<Same<typeof row.qty, number>>();
  holds<Same<typeof row.note, string | undefined>>();
  holds<Same<typeof row._version, string | undefined>>();
  // @ts-expect-error -- rows are read only
  row.qty = 1;
  // @ts-expect-error -- so is the list of them
  products.value.push(row);
  // @ts-expect-error -- a method is no data
  void row.toJSON;
  // @ts-expect-error -- no such field
  live.collection<Product>({type: 'Product', view: 'v', fields: ['nmae']});
  // @ts-expect-error -- no view is named
  live.collection<Product>({type: 'Product'});
}

export function chosenRows(): void {
  const names = live.collection<Product, 'name'>({type: 'Product', view: 'v', fields: ['name']});
  const row = names.value[0];
  holds<Same<typeof row.id, string>>();
  holds<Same<typeof row.name, string>>();
  // @ts-expect-error -- was not asked for
  void row.qty;
  const kept: LiveCollection<Product, 'name'> = names;
  const plain: readonly {readonly id: string; readonly name: string}[] = kept.value;
  void plain;
}

export async function writes(): Promise<void> {
  const products = live.collection<Product>({type: 'Product', view: 'v'});
  const made: LiveRow<Product> = await products.create({name: 'Saw', qty: 1});
  await products.update(made.id, {note: undefined}, {version: made._version});
  await products.delete(made.id);
  // @ts-expect-error -- a number
  await products.update(made.id, {qty: '3'});
  const model: LiveModel<Product> = live.model<Product>({type: 'Product', id: made.id});
  holds<Same<typeof model.value, LiveRow<Product> | null | undefined>>();
  await model.update('qty', 3);
  await model.update({qty: 3});
  await model.delete('note');
  // @ts-expect-error -- a number
  await model.update('qty', '3');
  // @ts-expect-error -- no such field
  await model.update('nmae', 'x');
}

export function listening(): void {
  const products = live.collection<Product>({type: 'Product', view: 'v'});
  const stop: () => void = products.subscribe(value => void value[0].name);
  products.on('change', value => void value[0].name);
  products.on('status', (status, {reset, error}) => void [status === 'live', reset, error?.code]);
  products.on('error', error => void error.code);
  // @ts-expect-error -- no such event
  products.on('changed', () => undefined);
  // @ts-expect-error -- no such status
  products.on('status', status => status === 'lively');
  live.on('logout', reason => void reason.message);
  stop();
}

/** The store contracts of React and Svelte. */
declare function useSyncExternalStore<S>(
  subscribe: (changed: () => void) => () => void,
  snapshot: () => S,
): S;
interface Readable<T> {
  subscribe(run: (value: T) => void): () => void;
}

export function viewLayers(): void {
  const products = live.collection<Product>({type: 'Product', view: 'v'});
  const react: readonly LiveRow<Product>[] = useSyncExternalStore(
    products.subscribe,
    () => products.value,
  );
  const svelte: Readable<readonly LiveRow<Product>[]> = products;
  void [react, svelte];
}
