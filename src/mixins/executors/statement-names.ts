import {createHash} from 'node:crypto';

/**
 * Gives each statement text a name, so that the server parses and plans it once a connection.
 *
 * The number is bounded, because a server keeps a named statement as long as its connection: texts
 * beyond the bound stay unnamed. They do not push out older ones, whose names the server would
 * still hold.
 */
export class StatementNames {
  /** Names by text; undefined for a text that is not to be named any more. */
  private readonly names = new Map<string, string | undefined>();

  constructor(private readonly limit: number) {}

  nameOf(text: string): string | undefined {
    if (this.names.has(text)) return this.names.get(text);
    if (this.names.size >= this.limit) return undefined;
    const name = `le_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    this.names.set(text, name);
    return name;
  }

  /** Sends a text without a name from now on: connections still hold what it was planned for. */
  forget(text: string): void {
    this.names.set(text, undefined);
  }
}
