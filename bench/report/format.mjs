/** Three significant digits, thousands apart. */
export function formatNumber(value) {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** `0.97 (0.91–1.04)`: the median and the extremes. */
export function formatSpread({median, min, max}) {
  const [middle, low, high] = [median, min, max].map(each => formatRatio(each));
  return low === high ? middle : `${middle} (${low}–${high})`;
}

/** `0.613 (0.58–0.702)`, of figures that are no ratios. */
export function formatRange({median, min, max}) {
  const [middle, low, high] = [median, min, max].map(each => formatNumber(each));
  return low === high ? middle : `${middle} (${low}–${high})`;
}

function formatRatio(value) {
  return Number.isFinite(value) && Math.abs(value) < 10 ? value.toFixed(2) : formatNumber(value);
}
