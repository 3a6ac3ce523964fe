/**
 * Why this project is slower where it is: what has to be done there that the other does not do.
 * A sentence is printed only when the figures of the run show the loss.
 */
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
    'Each client that comes back is checked, joins its room and gets an answer; the handshake of ' +
    'Socket.IO itself is in both figures.',
};

/** Why a subject is worse, as the end of a sentence's line; empty where nobody has found out. */
export function reasonOf({question}) {
  return REASONS[question] ?? '';
}

/** Whether the subject is worse than its reference by the median of its rounds. */
export function isLoss({question, ratio}) {
  return question === 'fanout' ? ratio.median < 1 : ratio.median > 1;
}
