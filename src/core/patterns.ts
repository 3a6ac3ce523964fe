import type {PropertyKind} from './shape';

/** Says whether a text fits a pattern. */
export type TextTest = (text: string) => boolean;

/** `is` says what fits: any text, any one character, or the character given. */
type Token = {readonly is: 'any' | 'one' | 'same'; readonly character?: string};

/**
 * LIKE as PostgreSQL has it: `%` stands for any text, `_` for one character (not one UTF-16 unit),
 * a backslash takes the special meaning from what follows. Undefined for a pattern that the
 * database may refuse, one that ends with a backslash.
 */
export function likeTest(pattern: string): TextTest | undefined {
  const tokens: Token[] = [];
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i];
    if (character === '%') tokens.push({is: 'any'});
    else if (character === '_') tokens.push({is: 'one'});
    else if (character !== '\\') tokens.push({is: 'same', character});
    else if (++i < characters.length) tokens.push({is: 'same', character: characters[i]});
    else return undefined;
  }
  return text => fits([...text], tokens);
}

/** Goes back to the last `%` only, so that no pattern takes more than text × pattern steps. */
function fits(text: readonly string[], tokens: readonly Token[]): boolean {
  let [at, token, restartText, restartToken] = [0, 0, 0, -1];
  while (at < text.length) {
    const current = tokens[token];
    if (current?.is === 'any') {
      restartToken = token++;
      restartText = at;
    } else if (current && (current.is === 'one' || current.character === text[at])) {
      at++;
      token++;
    } else if (restartToken >= 0) {
      at = ++restartText;
      token = restartToken + 1;
    } else {
      return false;
    }
  }
  while (tokens[token]?.is === 'any') token++;
  return token === tokens.length;
}

const PLAIN_EXPRESSION = /^(\^?)([A-Za-z0-9 _-]*)(\$?)$/;

/**
 * A regular expression whose meaning PostgreSQL and JavaScript cannot disagree about: letters,
 * digits, blanks, `_` and `-`, at the beginning (`^`) or the end (`$`) of the text if so said.
 * Undefined for every other, which only the database can judge.
 */
export function expressionTest(source: string): TextTest | undefined {
  const match = PLAIN_EXPRESSION.exec(source);
  if (!match) return undefined;
  const [, start, literal, end] = match;
  if (start && end) return text => text === literal;
  if (start) return text => text.startsWith(literal);
  if (end) return text => text.endsWith(literal);
  return text => text.includes(literal);
}

/** A regular expression as LoopBack takes it: a RegExp, a text, a text with flags (`'/^a/i'`). */
export function expressionOf(value: unknown): {
  readonly source: string | null;
  readonly ignoreCase: boolean;
} {
  if (value === null || value === undefined) return {source: null, ignoreCase: false};
  if (value instanceof RegExp) return value;
  const [, source, flags] = /^\/(.*)\/([gim]+)$/s.exec(String(value)) ?? [];
  if (source === undefined) return {source: String(value), ignoreCase: false};
  return {source, ignoreCase: flags.includes('i')};
}

/**
 * Whether the lower case of a text is the same everywhere. Under the collation C it is that of
 * ASCII; other locales agree about ASCII, but for the I of the Turkic languages.
 */
export function hasPlainCase(text: string, kind: PropertyKind): boolean {
  return (kind === 'text' ? /^[\0-\x7f]*$/ : /^[\0-HJ-\x7f]*$/).test(text);
}
