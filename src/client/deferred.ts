/** A promise with its handles outside. Left alone, its rejection ends no process. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  // Whoever awaits the promise still gets the rejection; nobody has to.
  promise.catch(() => undefined);
  return {promise, resolve, reject};
}
