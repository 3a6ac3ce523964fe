interface Closer {
  readonly what: string;
  readonly close: () => Promise<unknown>;
}

/** npm passes a Ctrl-C on that the terminal has sent already: one press, several signals. */
const SAME_PRESS = 700;
const PATIENCE = 8000;

/**
 * Ends the process in order: what was opened last is closed first. The first signal (Ctrl-C,
 * SIGTERM) closes everything, a second one ends the process at once.
 */
export class Lifecycle {
  private readonly closers: Closer[] = [];
  private signalledAt = 0;
  private ending: Promise<void> | undefined;

  constructor(private readonly say: (line: string) => void) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => this.onSignal(signal));
    }
  }

  get stopping(): boolean {
    return this.ending !== undefined;
  }

  /**
   * Waits for something to open, and closes it when the process ends; when the end comes while it
   * is still opening, it is closed as soon as it is open.
   */
  async open<T>(what: string, opening: Promise<T>, close: (opened: T) => Promise<unknown>) {
    this.closers.push({
      what,
      close: () => opening.then(close, () => undefined),
    });
    return opening;
  }

  /** Closes everything that is open. What does not close is named, and holds up nothing. */
  stop(): Promise<void> {
    this.ending ??= this.closeAll();
    return this.ending;
  }

  private onSignal(signal: NodeJS.Signals): void {
    const now = Date.now();
    if (this.signalledAt) {
      if (now - this.signalledAt > SAME_PRESS) this.giveUp('Stopped at once.');
      return;
    }
    this.signalledAt = now;
    this.say(`\nStopping (${signal}) ...`);
    setTimeout(() => this.giveUp('It takes too long; stopped at once.'), PATIENCE).unref();
    void this.stop().then(() => {
      this.say('Stopped.');
      process.exit(0);
    });
  }

  private async closeAll(): Promise<void> {
    for (let closer; (closer = this.closers.pop()); ) {
      try {
        await closer.close();
      } catch (error) {
        console.error(`The ${closer.what} did not close: ${(error as Error)?.message ?? error}`);
      }
    }
  }

  private giveUp(why: string): never {
    this.say(why);
    process.exit(130);
  }
}
