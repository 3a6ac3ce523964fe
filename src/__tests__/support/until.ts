interface Subscribable {
  subscribe(listener: () => void): () => void;
}

/** Resolves once the condition holds, looking after each change; mocha's timeout bounds it. */
export function until(source: Subscribable, condition: () => boolean): Promise<void> {
  return new Promise(resolve => {
    if (condition()) return resolve();
    const unsubscribe = source.subscribe(() => {
      if (!condition()) return;
      resolve();
      queueMicrotask(() => unsubscribe());
    });
  });
}
