/** The middle value; the mean of the two in the middle of an even number. */
export function median(values) {
  return quantile(values, 0.5);
}

/** By linear interpolation between the two nearest ranks. */
export function quantile(values, q) {
  if (values.length === 0) return NaN;
  const sorted = Float64Array.from(values).sort();
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Median and extremes. */
export function spread(values) {
  return {median: median(values), min: Math.min(...values), max: Math.max(...values)};
}
