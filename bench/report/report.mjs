/** `bench/REPORT.md` and its plots, made of the figures of a whole run. */
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {budgetOf, isMet, wordsOf} from './budgets.mjs';
import {formatNumber, formatRange, formatSpread} from './format.mjs';
import {isMoreBetter, isOurs, lossesOf} from './losses.mjs';
import {barPlot, linePlot} from './svg.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param answers what each question answered: `title`, `results`, and where there are any `curves`,
 * `facts`, `notes`, `leftOut`
 */
export async function writeReport({environment, answers}, target = folder) {
  const files = reportOf({environment, answers});
  await rm(`${target}/plots`, {recursive: true, force: true});
  await mkdir(`${target}/plots`, {recursive: true});
  for (const {file, text} of files) await writeFile(`${target}/${file}`, text);
}

/**
 * The report and its plots, as `{file, text}`.
 *
 * @throws Error where a figure or a word is missing: better no report than one that says "NaN"
 */
export function reportOf({environment, answers}) {
  const plots = answers.flatMap(plotsOf);
  const text = [
    '# The bench',
    '',
    'Made by `npm run bench`; do not edit. Ratios count, absolute figures are those of one ' +
      'machine. Each ratio is the median of its rounds, the lowest and the highest in brackets.',
    '',
    ...budgets(answers),
    ...answers.flatMap(answer => section(answer, plots)),
    ...losses(answers),
    ...surroundings(environment),
    ...method(),
  ].join('\n');
  const files = [
    {file: 'REPORT.md', text: `${text.trimEnd()}\n`},
    ...plots.map(({file, svg}) => ({file, text: svg})),
  ];
  for (const each of files) refuseGaps(each);
  return files;
}

function refuseGaps({file, text}) {
  const gap = /\b(undefined|null|NaN|Infinity)\b|\[object /.exec(text);
  if (!gap) return;
  const line = text.slice(text.lastIndexOf('\n', gap.index) + 1).split('\n')[0];
  throw new Error(`${file} would say "${gap[0]}": ${line.slice(0, 200)}`);
}

function budgets(answers) {
  const rows = answers.flatMap(({results}) => results).flatMap(result => {
    const budget = budgetOf(result);
    if (!budget) return [];
    const figure = budget.value === undefined
      ? formatSpread(result.ratio)
      : `${formatNumber(result.value)} ${result.unit}`;
    const {question, subject, correct} = result;
    const verdict = isMet(result, budget) ? 'met' : 'missed';
    const row = [code(question), subject, wordsOf(budget, result), figure];
    return [[...row, correct ? verdict : 'answers were wrong']];
  });
  return ['## Budgets', '', ...table(['question', 'subject', 'budget', 'measured', ''], rows), ''];
}

function section({title, results, facts = [], notes = [], leftOut = []}, plots) {
  const rows = results.map(result => {
    const {question, subject, against, unit, value, ratio, cpu, rounds, correct} = result;
    return [
      code(question), subject, against, `${formatNumber(value)} ${unit}`, formatSpread(ratio),
      cpu ? `${formatNumber(cpu.value)} ${cpu.unit}` : '', cpu ? formatSpread(cpu.ratio) : '',
      String(rounds), correct ? 'yes' : '**no**',
    ];
  });
  const head = [
    'question', 'subject', 'against', 'value', 'ratio', 'CPU', 'CPU ratio', 'rounds', 'right',
  ];
  const own = plots.filter(plot => plot.title === title);
  return [
    `## ${title}`, '',
    ...table(head, rows), '',
    ...facts.map(({text, value, unit}) => `- ${text}: ${formatNumber(value)} ${unit}`.trimEnd()),
    ...notes.map(sentence => `- ${sentence}.`),
    ...leftOut.map(sentence => `- Left out: ${sentence}.`),
    '',
    ...own.flatMap(({alt, file, figures}) => [`![${alt}](${file})`, '', ...figures]),
  ];
}

function losses(answers) {
  const sentences = lossesOf(answers);
  return [
    '## Where this project loses, and why', '',
    ...(sentences.length ? sentences.map(each => `- ${each}`) : ['Nowhere in this run.']), '',
  ];
}

function surroundings({versions, peers, postgresqlSettings, ...rest}) {
  const settings = Object.entries(postgresqlSettings).map(([name, value]) => `${name} = ${value}`);
  const packages = Object.entries({...versions, ...peers}).map(pair => pair.join(' '));
  return [
    '## Environment', '',
    ...Object.entries(rest).map(([name, value]) => `- ${name}: ${value ?? 'unknown'}`),
    `- packages: ${packages.join(', ')}`,
    `- PostgreSQL's settings, the same for all: ${settings.join(', ')}`, '',
  ];
}

function method() {
  return [
    '## Method', '',
    'Each server runs in a process of its own, its clients in another, PostgreSQL in others. The',
    'subjects take turns within every round, and every second round goes backwards; a ratio',
    'compares two subjects of one round. Rounds before the first count as warm-up. CPU is that of',
    'the server’s process; of the fan-out PostgreSQL’s is told beside it. After each round every',
    'row is compared with what was written, in the database and at each arrival, which has to come',
    'once; a subject that misses one is marked as wrong. Latency counts from the moment that a',
    'write is due by the clock. CPU of Zero is that of all its processes; it and Directus get',
    'a tenth of a burst, since a whole one would take them minutes. Servers that take turns are up',
    'at the same time; PostgreSQL has one log for all databases, so that the replication of this',
    'package and of Zero passes over what the others write, in their rounds too.',
    'Memory for a subscriber is what the server’s resident set (RSS) grows by, after collecting,',
    'divided by the subscribers that came; its budget is the ratio of that to raw Socket.IO’s.',
    'Clients speak each protocol over a bare WebSocket, so that they cost the same for all.',
  ];
}

function plotsOf({name, title, results, curves = []}) {
  const questions = [...new Set(results.map(({question}) => question))];
  const bars = questions.map(question => {
    const these = results.filter(result => result.question === question);
    const references = [...new Set(these.map(({against}) => against))];
    const [reference] = references;
    const better = isMoreBetter(question) ? 'more' : 'less';
    return {
      title,
      alt: `${question}: ratios to ${reference}`,
      figures: [],
      file: `plots/${question}.svg`,
      svg: barPlot({
        title: `${question}: ratio to ${reference} (${better} is better)`,
        reference,
        bars: these.filter(({against}) => against === reference)
          .map(({subject, ratio}) => ({name: subject, ratio, ours: isOurs(subject)})),
      }),
    };
  });
  const marked = series => series.map(each => ({...each, ours: isOurs(each.name)}));
  const lines = curves.map(curve => ({
    title,
    alt: curve.title,
    figures: figuresOf(curve),
    file: `plots/${name}-${curve.id}.svg`,
    svg: linePlot({
      ...curve,
      title: `${curve.title} (${curve.better} is better)`,
      series: marked(curve.series),
    }),
  }));
  return [...bars, ...lines];
}

/** A curve's points as a table, for those who cannot see it. */
function figuresOf({label, unit, series, correct}) {
  const rows = series[0].points.map(({x}, i) => [
    formatNumber(x),
    ...series.map(({points}) => formatRange({median: points[i].y, ...points[i]})),
  ]);
  return [
    ...table([label, ...series.map(({name}) => `${name}, ${unit}`)], rows), '',
    ...(correct ? [] : ['**Answers of this curve were wrong.**', '']),
  ];
}

function code(text) {
  return `\`${text}\``;
}

function table(head, rows) {
  const line = cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
