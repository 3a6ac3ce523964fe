import {createHash} from 'node:crypto';

/**
 * Gives each statement text a name, so that the server parses and plans it once a connection.
 *
 * The number is bounded, because a server keeps a named statement as long as its connection: texts
 * beyond the bound stay unnamed. They do not push out older ones, whose names the server would
 * still hold.
 */
export class StatementNames {
  private readonly names = new Map<string, string>();

  constructor(private readonly limit: number) {}

  nameOf(text: string): string | undefined {
    const known = this.names.get(text);
    if (known) return known;
    if (this.names.size >= this.limit) return undefined;
    const name = `le_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    this.names.set(text, name);
    return name;
  }
}
