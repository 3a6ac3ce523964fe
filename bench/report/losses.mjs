/**
 * Where this project loses, and why: to what it is compared with, in wall time and in CPU, to peers
 * that do better, and along the curves. A sentence is printed only when the run shows the loss.
 */
import {budgetOf, isMet} from './budgets.mjs';
import {formatNumber, formatSpread} from './format.mjs';

/** What has to be done here that the other does not do. */
const REASONS = {
  fanout:
    'A raw `emit` sends the row that the INSERT returned. Here the row comes back through the ' +
    "database's log (decoded in PostgreSQL and again in Node), is placed in an ordered page, and " +
    'travels as a step of that page with its place and meta.',
  'latency-p50':
    'The row waits for its commit to come back through the replication connection before it is ' +
    'sent; a raw `emit` follows the INSERT at once, and is silent about what others write.',
  'latency-p99':
    'The way through the log adds two processes (the WAL sender and its connection) that the ' +
    'operating system has to schedule.',
  'cpu-per-write-10k-views':
    'Finding the windows of a write costs a look-up each; a larger heap makes collecting dearer.',
  'memory-per-subscriber':
    'A connection has a session, a rate limit and its subscriptions, each with what it may see; ' +
    'a raw socket has its room.',
  'create-all-five':
    'The row has eleven more columns; a version, two times and a ciphertext are made for it, and ' +
    'the history is asked whether its id has been in use before.',
  'update-all-five':
    'The row before the write is stored whole in the history, in the same statement.',
  'delete-all-five':
    'A delete is an UPDATE of the row and an INSERT of its history, where the other removes a row.',
  'find-behaviours': 'A row has ten more columns to be read, typed and put into an entity.',
  'find-crypto': 'Each value is decrypted and its integrity checked.',
  'bulk-history': 'Each row is written a second time, into the history.',
  'reconnect-block-ms':
    'When all sockets close in one moment, Node tells of all of them in one turn of the event ' +
    'loop, as it does a raw Socket.IO server. Each client that comes back has a turn of its own.',
};


/** Where CPU has another reason than time, or has one where time has none. */
const REASONS_OF_CPU = {
  'latency-p50':
    'A write that comes alone is decoded, placed in its page and compared with the page before, ' +
    'and shares nothing of that with another one.',
  'reconnect-block-ms':
    'Each client that comes back is checked, finds its place in a page, joins its room and gets ' +
    'an answer; a raw socket joins its room.',
  'find-behaviours':
    'Of a page, each row has ten more columns to be read, typed and put into an entity.',
};

const REASON_WITHOUT_HISTORY =
  'Each row has more columns, gets a version and a time of its own, and is compared with what it ' +
  'was, since a write that changes nothing is none.';

const REASONS_OF_CURVES = {
  'cpu-by-views':
    'A write that one client hears of is mostly the way of the row through the log, LoopBack and ' +
    "the page, where the other has an INSERT and an `emit`; the number of views is not in it.",
  'writes-by-views': 'What a write costs bounds how many there are in a second.',
  'cpu-by-subscribers':
    'The delta is encoded once, but is a longer text than the bare row, and each socket has it ' +
    'written to it.',
};

/** What peers that do better in some question leave undone. */
const REASONS_OF_PEERS = [
  [/^Feathers/, 'It sends what its own call has written, when it has: it knows of no page, no ' +
    'order and no write of others.'],
  [/^Parse/, 'Its connections are bare WebSockets, without what Socket.IO keeps for each.'],
  [/^loopback4-soft-delete/, 'It has one of the five behaviours.'],
];

/** Sentences, in the order of the answers. */
export function lossesOf(answers) {
  const results = answers.flatMap(answer => answer.results);
  const ours = results.filter(({subject}) => isOurs(subject));
  return [
    ...ours.filter(each => isLoss(each) || isMissed(each)).map(sentenceOf),
    ...ours.filter(isLossOfCpu).map(sentenceOfCpu),
    ...ours.flatMap(result => results.filter(other => isBetter(other, result))
      .map(other => sentenceOfPeer(other, result))),
    ...answers.flatMap(({curves = []}) => curves.flatMap(sentenceOfCurve)),
  ];
}

/** Why a subject is worse, as the end of a sentence's line; empty where nobody has found out. */
export function reasonOf({question, subject}) {
  return subject === 'the same without history' ? REASON_WITHOUT_HISTORY : REASONS[question] ?? '';
}

export function isOurs(subject) {
  return /^(loopback4-live|all five|version, audit|encrypted column|the same without)/
    .test(subject);
}

export function isMoreBetter(question) {
  return question === 'fanout';
}

/** Whether the subject is worse than its reference by the median, as that is printed. */
function isLoss({question, ratio}) {
  const median = Math.round(ratio.median * 100);
  return isMoreBetter(question) ? median < 100 : median > 100;
}

function isMissed(result) {
  const budget = budgetOf(result);
  return budget !== undefined && !isMet(result, budget);
}

/** The two latencies are of the same writes, and have one CPU. */
function isLossOfCpu({question, cpu}) {
  if (question === 'latency-p99' || !cpu) return false;
  return Math.round(cpu.ratio.median * 100) > 100;
}

function sentenceOf(result) {
  const {question, subject, against, ratio, value, unit} = result;
  const budget = budgetOf(result);
  const within = isMissed(result) ? 'beyond the budget' : 'within the budget';
  const absolute = budget?.value === undefined ? '' : `${formatNumber(value)} ${unit}, `;
  const figures = `${absolute}${formatSpread(ratio)} × ${against}${budget ? `, ${within}` : ''}.`;
  return `\`${question}\`, ${subject}: ${figures} ${reasonOf(result)}`.trimEnd();
}

function sentenceOfCpu({question, subject, against, cpu}) {
  const reason = REASONS_OF_CPU[question] ?? reasonOf({question, subject});
  return `\`${question}\`, ${subject}, its CPU: ${formatSpread(cpu.ratio)} × that of ` +
    `${against}. ${reason}`.trimEnd();
}

/** A peer that does the same call better, by a twentieth at least; a limit is no peer. */
function isBetter(other, {question, subject, against, ratio}) {
  const isPeer = !isOurs(other.subject) && !/^raw /.test(other.subject);
  if (!isPeer || other.question !== question || other.against !== against) return false;
  if (callOf(other.subject) !== callOf(subject)) return false;
  const share = other.ratio.median / ratio.median;
  return isMoreBetter(question) ? share >= 1.05 : share <= 0.95;
}

/** What a question asks of several calls has the call behind the subject's name. */
function callOf(subject) {
  return subject.split(': ')[1];
}

function sentenceOfPeer(other, {question, subject, ratio}) {
  const reason = REASONS_OF_PEERS.find(([name]) => name.test(other.subject))?.[1] ?? '';
  return `\`${question}\`: ${other.subject} has ${formatSpread(other.ratio)} where ${subject} has ` +
    `${formatSpread(ratio)} (× ${other.against}). ${reason}`.trimEnd();
}

/** Says how it stands at the last point of a curve. */
function sentenceOfCurve({id, title, better, unit, label, series}) {
  const ours = series.find(({name}) => isOurs(name))?.points.at(-1);
  const other = series.find(({name}) => !isOurs(name));
  if (!ours || !other) return [];
  const theirs = other.points.at(-1);
  if (better === 'more' ? ours.y >= theirs.y : ours.y <= theirs.y) return [];
  return [
    `${title}: ${formatNumber(ours.y)} ${unit} at ${formatNumber(ours.x)} (${label}), where ` +
      `${other.name} has ${formatNumber(theirs.y)}. ${REASONS_OF_CURVES[id] ?? ''}`.trimEnd(),
  ];
}
