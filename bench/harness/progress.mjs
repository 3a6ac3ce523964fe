/**
 * Says what is being measured: one line that is written over in a terminal, and elsewhere only the
 * beginning and the end.
 */
export function progressOf(title) {
  const started = performance.now();
  const {isTTY} = process.stdout;
  console.log(`\n${title}`);
  const progress = text => {
    if (isTTY) process.stdout.write(`\r\x1b[2K  ${text}`);
  };
  progress.done = () => {
    if (isTTY) process.stdout.write('\r\x1b[2K');
    console.log(`  ${((performance.now() - started) / 1000).toFixed(0)} s`);
  };
  return progress;
}
