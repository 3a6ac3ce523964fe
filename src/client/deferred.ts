/** A promise with its handles outside. Left alone, its rejection ends no process. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  readonly isSettled: boolean;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  let isSettled = false;
  const promise = new Promise<T>((accept, refuse) => {
    resolve = value => {
      isSettled = true;
      accept(value);
    };
    reject = error => {
      isSettled = true;
      refuse(error);
    };
  });
  // Whoever awaits the promise still gets the rejection; nobody has to.
  promise.catch(() => undefined);
  return {
    promise,
    resolve,
    reject,
    get isSettled() {
      return isSettled;
    },
  };
}
