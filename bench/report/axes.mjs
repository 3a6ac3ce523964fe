/** The axes of plots: where a value lies, and which values are named. */

/** How far apart values may lie before the small ones can no longer be told from nothing. */
const FAR = 8;

/**
 * An axis for these values: from nought, or logarithmic where they lie far apart.
 *
 * @param values those that have to find room, all positive
 * @param from where the axis begins, in pixels
 * @param to where it ends
 * @returns `toPixels(value)`; `start`, the value that it begins with; `ticks`, the values to name
 */
export function axisOf(values, from, to) {
  const positive = values.filter(value => value > 0);
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  return most / least > FAR ? logarithmic(least, most, from, to) : linear(most, from, to);
}

function linear(most, from, to) {
  const step = stepOf(most);
  const end = Math.ceil(most / step) * step;
  return {
    start: 0,
    ticks: Array.from({length: Math.round(end / step) + 1}, (_, i) => i * step),
    toPixels: value => from + (Math.max(0, Math.min(value, end)) / end) * (to - from),
  };
}

function logarithmic(least, most, from, to) {
  const [start, end] = [below(least), above(most)];
  const [low, high] = [start, end].map(Math.log10);
  const inside = value => Math.max(start, Math.min(value, end));
  return {
    start,
    ticks: ticksBetween(start, end),
    toPixels: value => from + ((Math.log10(inside(value)) - low) / (high - low)) * (to - from),
  };
}

/** 1, 2, 5, 10, … or the powers of ten alone, where there are many. */
function ticksBetween(start, end) {
  const decades = Math.log10(end / start);
  const digits = decades > 3 ? [1] : [1, 2, 5];
  const first = Math.floor(Math.log10(start) + 1e-9);
  const powers = Array.from({length: Math.ceil(decades) + 2}, (_, i) => 10 ** (first + i));
  return powers.flatMap(power => digits.map(digit => Number((digit * power).toPrecision(1))))
    .filter(tick => tick >= start * 0.999 && tick <= end * 1.001);
}

/** So that there are three to six steps. */
function stepOf(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [0.1, 0.2, 0.5, 1, 2].map(digit => digit * power).find(step => most / step <= 6);
}

function below(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].map(digit => digit * power).find(step => step <= value);
}

function above(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(digit => digit * power).find(step => step >= value);
}
