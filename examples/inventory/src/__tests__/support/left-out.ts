/** Where the package's own tests note what they leave out: one list is printed for both. */
const LIST = Symbol.for('loopback4-live-entities.tests.left-out');

/** Notes what a run cannot test on this machine and why; it is printed at the end of the run. */
export function leftOut(what: string, why: string): void {
  const shared = globalThis as unknown as Record<symbol, Set<string> | undefined>;
  const lines = (shared[LIST] ??= printedAtTheEnd());
  lines.add(`${what}: ${why}`);
}

function printedAtTheEnd(): Set<string> {
  const lines = new Set<string>();
  process.once('exit', () => {
    if (lines.size) console.log(`Left out on this machine:\n  ${[...lines].join('\n  ')}\n`);
  });
  return lines;
}
