import {LiveClient} from 'loopback4-live-entities/client';

interface Product {
  id: string;
  name: string;
  qty: number;
  price: number;
  _version?: string;
}

export async function use(token: string): Promise<void> {
  const live = new LiveClient('http://localhost:3000', {path: '/realtime', token});
  await live.login({username: 'ann', password: 'secret'});

  const products = live.collection<Product>({
    type: 'Product',
    view: 'categoryView',
    viewParams: {category: 'c1'},
    fields: ['name', 'qty', 'price'],
    pageOffset: 0,
    pageSize: 5,
    getCount: true,
  });
  await products.ready;
  const first: Readonly<Product> | undefined = products.value[0];
  const {pageOffset, pageSize, isLastPage, count} = products.meta;
  const stop: () => void = products.subscribe(() => undefined);
  products.on('change', () => undefined);
  products.on('status', () => undefined);
  products.on('error', () => undefined);
  await products.fetchNextPage();
  await products.fetchPreviousPage();
  await products.fetchPage(pageOffset + (isLastPage ? 0 : pageSize) + (count ?? 0));
  await products.create({name: 'Chair', qty: 1, price: 10});
  await products.update(first.id, {qty: 2});
  await products.delete(first.id);
  stop();
  products.close();

  const product = live.model<Product>({type: 'Product', id: first.id, fields: ['name', 'qty']});
  await product.ready;
  const name: string | undefined = product.value?.name;
  await product.update('qty', name ? 3 : 4);
  await product.update({qty: 3});
  await product.delete();
}
