import {VersionConflictError, type LiveCollection} from 'loopback4-live-entities/client';
import type {ShallowRef} from 'vue';
import {explain} from '../api/errors';
import type {Product} from '../model/entities';
import {toast} from '../ui/toasts';

const attempts = 5;

/** Pieces that come in or go out, counted from whatever the stock is at that moment. */
export function useStock(products: ShallowRef<LiveCollection<Product> | undefined>) {
  /**
   * Unlike a typed number, 'one more' means the same whoever else has just counted: when somebody
   * was faster it is added to what they left.
   */
  async function add(product: Product, pieces: number): Promise<void> {
    let from = product;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await products.value?.update(product.id, {qty: Math.max(0, from.qty + pieces)});
        return;
      } catch (error) {
        if (error instanceof VersionConflictError && error.current && attempt < attempts) {
          from = error.current as Product;
          continue;
        }
        toast('problem', explain(error));
        return;
      }
    }
  }
  return {add};
}
