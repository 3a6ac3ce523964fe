/**
 * Plots as SVG. Their colours change with the reader's theme, where the page lets them: a document
 * shows them in an <img>, which knows `prefers-color-scheme` and nothing else of the page.
 */
import {formatNumber} from './format.mjs';

const WIDTH = 800;
/** About what a character of a name takes. */
const CHARACTER = 6.6;
const STYLE = `<style>
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #57606a; }
  .title { font-size: 14px; font-weight: 600; fill: #1f2328; }
  .name { fill: #1f2328; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .mark { stroke: #9a6700; stroke-width: 1.5; stroke-dasharray: 5 4; }
  .marked { fill: #9a6700; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  .line { fill: none; stroke: #0969da; stroke-width: 2; }
  .range { stroke: #1f2328; stroke-width: 1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; }
    .title, .name { fill: #f0f6fc; }
    .grid { stroke: #3d444d; }
    .mark { stroke: #d29922; }
    .marked { fill: #d29922; }
    .bar { fill: #656c76; }
    .ours { fill: #4493f8; }
    .line { stroke: #4493f8; }
    .range { stroke: #f0f6fc; }
  }
</style>`;

/**
 * Ratios as bars, each with the spread of its rounds, and a line where the reference is.
 *
 * @param bars `{name, ratio: {median, min, max}, ours}`
 */
export function barPlot({title, reference, bars}) {
  const left = Math.max(...bars.map(({name}) => name.length)) * CHARACTER + 24;
  const right = 90;
  const rowHeight = 28;
  const top = 56;
  const height = top + bars.length * rowHeight + 12;
  const most = Math.max(1.2, ...bars.map(({ratio}) => ratio.median * 1.15));
  const x = value => left + (Math.min(value, most) / most) * (WIDTH - left - right);
  const rows = bars.map(({name, ratio, ours}, i) => {
    const y = top + i * rowHeight;
    const middle = y + 9;
    const {median, min, max} = ratio;
    return [
      `<text class="name" x="${left - 10}" y="${y + 13}" text-anchor="end">${escape(name)}</text>`,
      rect(left, y, x(median) - left, 18, ours ? 'ours' : 'bar'),
      line(x(min), middle, x(max), middle, 'range'),
      `<text x="${WIDTH - right + 12}" y="${y + 13}">${formatNumber(median)} ×</text>`,
    ].join('\n');
  });
  const one = x(1);
  return svg(height, title, [
    ...rows,
    line(one, top - 8, one, height - 8, 'mark'),
    `<text class="marked" x="${one}" y="${top - 14}" text-anchor="middle">${escape(reference)}</text>`,
  ]);
}

/** A curve over a logarithmic axis. `points` are `{x, y}`. */
export function linePlot({title, label, unit, points}) {
  const height = 300;
  const [left, right, top, bottom] = [70, 30, 50, 250];
  const [first, last] = [points[0].x, points.at(-1).x].map(Math.log10);
  const most = niceAbove(Math.max(...points.map(({y}) => y)));
  const toX = value =>
    left + ((Math.log10(value) - first) / (last - first || 1)) * (WIDTH - left - right);
  const toY = value => bottom - (value / most) * (bottom - top);
  const levels = [0, 0.25, 0.5, 0.75, 1].map(part => part * most);
  const path = points.map(({x, y}) => `${round(toX(x))},${round(toY(y))}`).join(' ');
  return svg(height, title, [
    ...levels.flatMap(level => [
      line(left, toY(level), WIDTH - right, toY(level), 'grid'),
      `<text x="${left - 8}" y="${round(toY(level) + 4)}" text-anchor="end">${formatNumber(level)}</text>`,
    ]),
    `<text x="${left - 8}" y="${top - 14}" text-anchor="end">${escape(unit)}</text>`,
    `<polyline class="line" points="${path}"/>`,
    ...points.flatMap(({x, y}) => [
      `<circle class="ours" cx="${round(toX(x))}" cy="${round(toY(y))}" r="4"/>`,
      `<text x="${round(toX(x))}" y="${bottom + 18}" text-anchor="middle">${formatNumber(x)}</text>`,
    ]),
    `<text x="${(left + WIDTH - right) / 2}" y="${bottom + 38}" text-anchor="middle">${escape(label)}</text>`,
  ]);
}

function svg(height, title, parts) {
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`,
    `<title>${escape(title)}</title>`,
    STYLE,
    `<text class="title" x="10" y="22">${escape(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function rect(x, y, width, height, name) {
  return `<rect class="${name}" x="${x}" y="${y}" width="${round(width)}" height="${height}" rx="2"/>`;
}

function line(x1, y1, x2, y2, name) {
  const [a, b, c, d] = [x1, y1, x2, y2].map(round);
  return `<line class="${name}" x1="${a}" y1="${b}" x2="${c}" y2="${d}"/>`;
}

/** The next of 1, 2, 5, 10, 20, … */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * power).find(step => step >= value);
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
