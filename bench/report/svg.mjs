/**
 * Plots as SVG. Their colours change with the reader's theme, where the page lets them: a document
 * shows them in an <img>, which knows `prefers-color-scheme` and nothing else of the page; so they
 * have a ground of their own, which suits them whatever the page's is.
 */
import {axisOf} from './axes.mjs';
import {formatNumber} from './format.mjs';

const WIDTH = 800;
/** About what a character of a name takes. */
const CHARACTER = 6.6;
/** What a figure below an axis needs, so that it does not run into the next one. */
const ROOM = 52;
const STYLE = `<style>
  .ground { fill: #ffffff; }
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #57606a; }
  .title { font-size: 14px; font-weight: 600; fill: #1f2328; }
  .name { fill: #1f2328; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .mark { stroke: #9a6700; stroke-width: 1.5; stroke-dasharray: 5 4; }
  .marked { fill: #9a6700; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  .line { fill: none; stroke: #6e7781; stroke-width: 2; }
  .line.ours { fill: none; stroke: #0969da; }
  .range { stroke: #1f2328; stroke-width: 1; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; }
    text { fill: #9198a1; }
    .title, .name { fill: #f0f6fc; }
    .grid { stroke: #3d444d; }
    .mark { stroke: #d29922; }
    .marked { fill: #d29922; }
    .bar { fill: #656c76; }
    .ours { fill: #4493f8; }
    .line { stroke: #9198a1; }
    .line.ours { stroke: #4493f8; }
    .range { stroke: #f0f6fc; }
  }
</style>`;

/**
 * Ratios as bars, each with the spread of its rounds, and a line where the reference is. Bars begin
 * at nought, or at the reference where the ratios lie so far apart that the axis is logarithmic.
 *
 * @param bars `{name, ratio: {median, min, max}, ours}`
 */
export function barPlot({title, reference, bars}) {
  const left = Math.max(...bars.map(({name}) => name.length)) * CHARACTER + 24;
  const right = 90;
  const rowHeight = 28;
  const top = 56;
  const bottom = top + bars.length * rowHeight;
  const ratios = bars.map(({ratio}) => ratio);
  const medians = axisOf([1, ...ratios.map(({median}) => median)], left, WIDTH - right);
  // How far apart the medians lie decides; a round out of line has to find room all the same.
  const shown = medians.start === 0
    ? [1.2, ...ratios.map(({median, max}) => Math.min(max, median * 3))]
    : [1, ...ratios.flatMap(({min, max}) => [min, max])];
  const axis = axisOf(shown, left, WIDTH - right);
  const x = axis.toPixels;
  const base = axis.start === 0 ? left : x(1);
  const rows = bars.map(({name, ratio: {median, min, max}, ours}, i) => {
    const y = top + i * rowHeight;
    const [start, end] = [base, x(median)].sort((a, b) => a - b);
    return [
      `<text class="name" x="${left - 10}" y="${y + 13}" text-anchor="end">${escape(name)}</text>`,
      rect(start, y, end - start, 18, ours ? 'ours' : 'bar'),
      line(x(min), y + 9, x(max), y + 9, 'range'),
      `<text x="${WIDTH - right + 12}" y="${y + 13}">${formatNumber(median)} ×</text>`,
    ].join('\n');
  });
  const one = x(1);
  return svg(bottom + 26, title, [
    ...axis.ticks.flatMap(tick => [
      line(x(tick), top - 8, x(tick), bottom, 'grid'),
      text(x(tick), bottom + 14, formatNumber(tick), 'middle'),
    ]),
    ...rows,
    line(one, top - 8, one, bottom, 'mark'),
    text(one, top - 14, reference, 'middle', 'marked'),
    ...scaleOf(axis),
  ]);
}

/**
 * Curves over a logarithmic axis, each point with the spread of its rounds.
 *
 * @param series `{name, ours, points: {x, y, min, max}[]}`, over the same `x`
 */
export function linePlot({title, label, unit, series}) {
  const height = 310;
  const [left, right, top, bottom] = [70, 30, 66, 260];
  const places = series[0].points.map(({x}) => x);
  const [first, last] = [places[0], places.at(-1)].map(Math.log10);
  const toX = value =>
    left + ((Math.log10(value) - first) / (last - first || 1)) * (WIDTH - left - right);
  const shown = series.flatMap(({points}) => points.flatMap(({min, max}) => [min, max]));
  const axis = axisOf(shown, bottom, top);
  return svg(height, title, [
    ...axis.ticks.flatMap(level => [
      line(left, axis.toPixels(level), WIDTH - right, axis.toPixels(level), 'grid'),
      text(left - 8, axis.toPixels(level) + 4, formatNumber(level), 'end'),
    ]),
    text(left - 8, top - 16, unit, 'end'),
    ...apart(places, toX).map(x => text(toX(x), bottom + 18, formatNumber(x), 'middle')),
    text((left + WIDTH - right) / 2, bottom + 38, label, 'middle'),
    ...legend(series, left, top - 20),
    ...scaleOf(axis),
    // What is ours is drawn last, and lies above.
    ...[...series].sort((a, b) => a.ours - b.ours).flatMap(({ours, points}) => {
      const path = points.map(({x, y}) => `${round(toX(x))},${round(axis.toPixels(y))}`);
      return [
        ...points.map(({x, min, max}) =>
          line(toX(x), axis.toPixels(min), toX(x), axis.toPixels(max), 'range')),
        `<polyline class="line${ours ? ' ours' : ''}" points="${path.join(' ')}"/>`,
        ...path.map(place => {
          const [cx, cy] = place.split(',');
          return `<circle class="${ours ? 'ours' : 'bar'}" cx="${cx}" cy="${cy}" r="4"/>`;
        }),
      ];
    }),
  ]);
}

/** Those values whose figures find room, the last of all among them. */
function apart(values, toX) {
  const kept = [];
  for (const value of [...values].reverse()) {
    if (kept.length === 0 || toX(kept.at(-1)) - toX(value) >= ROOM) kept.push(value);
  }
  return kept;
}

function scaleOf({start}) {
  return start === 0 ? [] : [text(WIDTH - 10, 22, 'logarithmic', 'end')];
}

function legend(series, left, y) {
  let x = left + 12;
  return series.flatMap(({name, ours}) => {
    const at = x;
    x += name.length * CHARACTER + 44;
    const box = rect(at, y - 9, 12, 10, ours ? 'ours' : 'bar');
    return [box, text(at + 18, y, name, 'start', 'name')];
  });
}

function svg(height, title, parts) {
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`,
    `<title>${escape(title)}</title>`,
    STYLE,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    `<text class="title" x="10" y="22">${escape(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(x, y, words, anchor, name) {
  const named = name ? `class="${name}" ` : '';
  const place = `x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"`;
  return `<text ${named}${place}>${escape(String(words))}</text>`;
}

function rect(x, y, width, height, name) {
  return `<rect class="${name}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${height}" rx="2"/>`;
}

function line(x1, y1, x2, y2, name) {
  const [a, b, c, d] = [x1, y1, x2, y2].map(round);
  return `<line class="${name}" x1="${a}" y1="${b}" x2="${c}" y2="${d}"/>`;
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
