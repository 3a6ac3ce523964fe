/** A promise, and what resolves it. */
export function deferred(): {readonly promise: Promise<void>; resolve(): void} {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>(done => (resolve = done));
  return {promise, resolve};
}
