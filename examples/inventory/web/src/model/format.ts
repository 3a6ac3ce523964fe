import type {Money, Product, ProductField} from './entities';

const money = new Intl.NumberFormat(undefined, {style: 'currency', currency: 'USD'});
const whole = new Intl.NumberFormat(undefined, {maximumFractionDigits: 0});
const moment = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'medium'});
const ago = new Intl.RelativeTimeFormat(undefined, {numeric: 'auto', style: 'long'});
const agoInShort = new Intl.RelativeTimeFormat(undefined, {numeric: 'auto', style: 'short'});

export const formatMoney = (value: Money): string => money.format(Number(value));
export const formatNumber = (value: number): string => whole.format(value);
export const formatMoment = (iso: string): string => moment.format(new Date(iso));

type Step = [limitSeconds: number, divisor: number, unit: Intl.RelativeTimeFormatUnit];

const steps: readonly Step[] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [86_400, 3600, 'hour'],
  [7 * 86_400, 86_400, 'day'],
  [30 * 86_400, 7 * 86_400, 'week'],
  [365 * 86_400, 30 * 86_400, 'month'],
  [Infinity, 365 * 86_400, 'year'],
];

/** How long before `now` (milliseconds since 1970) `iso` was: 'just now', '3 minutes ago'. */
export const formatAgo = (iso: string, now: number): string => formatAgoWith(ago, iso, now);

/** The same where there is little room: '3 min. ago'. */
export const formatAgoInShort = (iso: string, now: number): string => {
  return formatAgoWith(agoInShort, iso, now);
};

function formatAgoWith(format: Intl.RelativeTimeFormat, iso: string, now: number): string {
  // The server's clock may run a little ahead of this one: nothing here is in the future.
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (seconds < 10) return 'just now';
  const [, divisor, unit] = steps.find(([limit]) => seconds < limit) ?? steps[steps.length - 1];
  return format.format(-Math.floor(seconds / divisor), unit);
}

export const fieldLabels: Readonly<Record<ProductField, string>> = {
  name: 'Name',
  desc: 'Description',
  qty: 'In stock',
  price: 'Price',
  supplierPrice: 'Supplier price',
  category: 'Category',
};

/** A field's value as a person reads it. `categoryName` turns a category's id into its name. */
export function formatField(
  field: ProductField,
  value: Product[ProductField],
  categoryName: (id: string) => string = id => id,
): string {
  if (value === undefined || value === null || value === '') return 'empty';
  switch (field) {
    case 'price':
    case 'supplierPrice':
      return formatMoney(Number(value));
    case 'qty':
      return formatNumber(Number(value));
    case 'category':
      return categoryName(String(value));
    case 'name':
    case 'desc':
      return String(value);
  }
}
