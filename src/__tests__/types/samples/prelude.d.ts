/**
 * What the samples of the documentation take for granted: an application, its inventory, a client.
 * A sample that declares or imports the same name means its own.
 */
import {DefaultTransactionalRepository, Entity, juggler} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import type {KeyProvider, VersionedRepository} from 'loopback4-live-entities';
import type {LiveClient, LiveCollection, LiveModel} from 'loopback4-live-entities/client';

declare class CategoryEntity extends Entity {
  id: string;
  name: string;
}

declare class ProductEntity extends Entity {
  id: string;
  name: string;
  category: string;
  qty: number;
  price: number;
  _version?: string;
}

declare class ProductEntityRepository extends DefaultTransactionalRepository<
  ProductEntity,
  string
> {
  constructor(dataSource: juggler.DataSource);
}

declare global {
  type Category = CategoryEntity;
  const Category: typeof CategoryEntity;
  type Product = ProductEntity;
  const Product: typeof ProductEntity;
  type ProductRepository = ProductEntityRepository;
  const ProductRepository: typeof ProductEntityRepository;

  const app: RestApplication;
  const dataSource: juggler.DataSource;
  const repo: ProductEntityRepository & VersionedRepository<ProductEntity, string>;
  const id: string;
  const myKeyService: KeyProvider;

  const live: LiveClient;
  const products: LiveCollection<ProductEntity>;
  const product: LiveModel<ProductEntity>;

  // What view libraries have.
  function useSyncExternalStore<T>(subscribe: (listener: () => void) => () => void, get: () => T): T;
  const shown: {value: readonly object[]};
  const $products: readonly ProductEntity[];
}
