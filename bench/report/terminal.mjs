import {formatNumber, formatSpread} from './format.mjs';

/** What the figures are measured on, above them. */
export function printEnvironment({postgresqlSettings, versions, peers, ...rest}) {
  for (const [name, value] of Object.entries(rest)) console.log(`${name}: ${value ?? 'unknown'}`);
  console.log(`packages: ${pairs({...versions, ...peers}, ' ')}`);
  console.log(`PostgreSQL's settings, the same for all: ${pairs(postgresqlSettings, ' = ')}`);
}

function pairs(values, between) {
  return Object.entries(values).map(pair => pair.join(between)).join(', ');
}

/** The answer to a question, for the terminal. */
export function printAnswer({results, facts = [], notes = [], leftOut = []}) {
  const rows = results.map(({question, subject, against, unit, value, ratio, cpu, correct}) => [
    question,
    subject,
    `${formatNumber(value)} ${unit}`,
    `${formatSpread(ratio)} × ${against}`,
    cpu ? `${formatSpread(cpu.ratio)} × its CPU` : '',
    correct ? '' : 'WRONG',
  ]);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column].length)));
  for (const row of rows) {
    console.log(`  ${row.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd()}`);
  }
  for (const {text, value, unit} of facts) {
    console.log(`  ${text}: ${formatNumber(value)} ${unit}`.trimEnd());
  }
  for (const sentence of notes) console.log(`  ${sentence}`);
  for (const sentence of leftOut) console.log(`  left out: ${sentence}`);
}
