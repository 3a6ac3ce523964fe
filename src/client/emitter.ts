/** Stops what it was given for. Calling it again does nothing. */
export type Unsubscribe = () => void;

type Listeners<Events extends EventMap<Events>> = {
  [E in keyof Events]?: Set<(...args: Events[E]) => void>;
};
type EventMap<Events> = {[E in keyof Events]: unknown[]};

/**
 * Listeners by event name. A listener that throws neither stops the others nor the store: its
 * error surfaces on its own, as an uncaught one. An event that nobody listens to is nothing,
 * `error` included.
 */
export class Emitter<Events extends EventMap<Events>> {
  #listeners: Listeners<Events> = {};

  on<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): Unsubscribe {
    // Wrapped, so that the same function added twice is called twice and removed one by one.
    const entry = (...args: Events[E]) => listener(...args);
    const listeners = (this.#listeners[event] ??= new Set()) as Set<typeof entry>;
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
    };
  }

  emit<E extends keyof Events>(event: E, ...args: Events[E]): void {
    const listeners = this.#listeners[event];
    if (!listeners) return;
    for (const listener of [...listeners]) {
      if (listeners.has(listener)) guarded(() => listener(...args));
    }
  }

  /** Forgets all listeners. */
  clear(): void {
    for (const event in this.#listeners) this.#listeners[event]?.clear();
    this.#listeners = {};
  }
}

/** Runs what belongs to the application; what it throws must not upset the store. */
export function guarded(run: () => void): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
