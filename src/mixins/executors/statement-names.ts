import {createHash} from 'node:crypto';
import {numbered} from './sql';

/** A statement as it is sent: its text, and its name if it has one. */
export interface NamedText {
  readonly text: string;
  readonly name?: string;
}

/**
 * Gives each statement a name, so that the server parses and plans it once a connection.
 *
 * The number is bounded, because a server keeps a named statement as long as its connection: those
 * beyond the bound stay unnamed. They do not push out older ones, whose names the server would
 * still hold.
 */
export class StatementNames {
  /** By the SQL with `?` in it: a statement that is sent again is neither numbered nor hashed. */
  private readonly known = new Map<string, NamedText>();

  constructor(private readonly limit: number) {}

  of(sql: string): NamedText {
    const known = this.known.get(sql);
    if (known) return known;
    const text = numbered(sql);
    if (this.known.size >= this.limit) return {text};
    const name = `le_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    const named = {text, name};
    this.known.set(sql, named);
    return named;
  }

  /** Sends a statement without a name from now on: connections hold what it was planned for. */
  forget(sql: string): void {
    this.known.set(sql, {text: numbered(sql)});
  }
}
