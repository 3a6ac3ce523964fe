/** How many a hasty run starts at once: starting is mostly compiling, of which a core does one. */
const AT_ONCE = 2;

/**
 * Starts subjects before their rounds: one after the other, and in a hasty run some at once.
 *
 * @param start `(name)` answers what is running then
 * @returns that by name, in the order of the names
 */
export async function startEach(names, quick, start) {
  const running = Object.fromEntries(names.map(name => [name, undefined]));
  const queue = [...names];
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      running[name] = await start(name);
    }
  };
  await Promise.all(Array.from({length: quick ? AT_ONCE : 1}, worker));
  return running;
}

/** Ends them in the same way. */
export async function endEach(running, quick, end) {
  await startEach(Object.keys(running), quick, name => end(running[name]));
}
