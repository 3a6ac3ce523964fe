/** At or below this many pieces a product counts as low, unless the person chooses otherwise. */
export const defaultThreshold = 10;

export type StockLevel = 'out' | 'low' | 'fine';

export function stockLevel(qty: number, threshold = defaultThreshold): StockLevel {
  if (qty <= 0) return 'out';
  return qty <= threshold ? 'low' : 'fine';
}
