/** The rows of the inventory as they travel to the page. */

/** What versioning and auditing add to every row. */
export interface Tracked {
  readonly id: string;
  /** `null` where another program has made the row, and nobody has changed it here since. */
  readonly _version: string | null;
  readonly _createdBy?: string;
  readonly _createdOn?: string;
  readonly _modifiedBy?: string;
  readonly _modifiedOn?: string;
}

export interface Category extends Tracked {
  readonly name: string;
  readonly desc?: string;
}

/** Dollars. PostgreSQL's exact `numeric` travels as a string, so that no digit is lost. */
export type Money = number | string;

export interface Product extends Tracked {
  readonly name: string;
  readonly desc?: string | null;
  readonly qty: number;
  readonly price: Money;
  readonly category: string;
  /** Absent for those who may not see it. */
  readonly supplierPrice?: Money | null;
}

/** The properties of a product that a person may edit. */
export type ProductField = 'name' | 'desc' | 'qty' | 'price' | 'category' | 'supplierPrice';

/** Whether two values of a field say the same; nothing, `null` and `''` do, and 5 and `'5.00'`. */
export function same(
  field: ProductField,
  a: Product[ProductField],
  b: Product[ProductField],
): boolean {
  const [left, right] = [a ?? '', b ?? ''];
  if (left === right) return true;
  const numeric = field === 'price' || field === 'supplierPrice' || field === 'qty';
  return numeric && left !== '' && right !== '' && Number(left) === Number(right);
}

export const productFields: readonly ProductField[] = [
  'name', 'desc', 'qty', 'price', 'supplierPrice', 'category',
];
