import type {Catalogue} from './catalogue';
import {PEOPLE} from './people';
import type {CategoryRepository} from './repositories/category.repository';
import type {ProductRepository} from './repositories/product.repository';
import type {UserRepository} from './repositories/user.repository';

export interface SeedRepositories {
  readonly users: UserRepository;
  readonly categories: CategoryRepository;
  readonly products: ProductRepository;
}

/** Told after each batch of products how many are in. */
export type SeedProgress = (done: number, total: number) => void;

const BATCH = 250;

/** Whether the database has been filled before. The people are written first, so they tell. */
export async function isSeeded({users}: SeedRepositories): Promise<boolean> {
  return (await users.count()).count > 0;
}

/** Fills an empty database in one transaction: a start that is interrupted leaves it empty. */
export async function seed(
  {users, categories, products}: SeedRepositories,
  catalogue: Catalogue,
  onProgress: SeedProgress = () => undefined,
): Promise<void> {
  const transaction = await products.beginTransaction();
  const options = {transaction};
  try {
    const people = PEOPLE.map(({username: id, name, role, password}) => {
      return {id, name, role, password};
    });
    await users.createAll(people, options);
    await categories.createAll([...catalogue.categories], options);
    const total = catalogue.products.length;
    for (let from = 0; from < total; from += BATCH) {
      const batch = catalogue.products.slice(from, from + BATCH);
      await products.createAll([...batch], options);
      onProgress(from + batch.length, total);
    }
    await transaction.commit();
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}
