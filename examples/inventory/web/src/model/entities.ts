/** The rows of the inventory as they travel to the page. */

/** What versioning and auditing add to every row. */
export interface Tracked {
  readonly id: string;
  readonly _version: string;
  readonly _createdBy?: string;
  readonly _createdOn?: string;
  readonly _modifiedBy?: string;
  readonly _modifiedOn?: string;
}

export interface Category extends Tracked {
  readonly name: string;
  readonly desc?: string;
}

export interface Product extends Tracked {
  readonly name: string;
  readonly desc?: string | null;
  readonly qty: number;
  readonly price: number;
  readonly category: string;
  /** Absent for those who may not see it. */
  readonly supplierPrice?: number | null;
}

/** The properties of a product that a person may edit. */
export type ProductField = 'name' | 'desc' | 'qty' | 'price' | 'category' | 'supplierPrice';

export const productFields: readonly ProductField[] = [
  'name', 'desc', 'qty', 'price', 'supplierPrice', 'category',
];
