/**
 * What a run could not test on this machine, and why: a line each at the end of the run, so that
 * nobody takes a short run for a full one.
 */
const lines = collected();

/**
 * Notes that something was left out. Say it once for each thing, where the tests are defined.
 *
 * @param what - what was not tested, such as `PostgreSQL 15`
 * @param why - what the machine lacks and how to give it, such as `set TEST_PG15_URL`
 */
export function leftOut(what: string, why: string): void {
  lines.add(`${what}: ${why}`);
}

/** One collection a process, whichever copy of this module is asked. */
function collected(): Set<string> {
  const key = Symbol.for('loopback4-live-entities.tests.left-out');
  const shared = globalThis as unknown as Record<symbol, Set<string> | undefined>;
  const known = shared[key];
  if (known) return known;
  const fresh = new Set<string>();
  shared[key] = fresh;
  process.once('exit', () => {
    if (fresh.size) console.log(`Left out on this machine:\n  ${[...fresh].join('\n  ')}\n`);
  });
  return fresh;
}
