import type {Row} from '../protocol/page';

/**
 * A row as JSON carries it: a copy that holds values and nothing else, whatever an application has
 * put into the row. What JSON leaves out in silence (functions, symbols) is refused like what it
 * cannot write at all: whoever put it there meant something that nobody would get.
 *
 * @throws what a getter or `toJSON` of the row throws; TypeError for what JSON does not have
 */
export function travelling(row: unknown): Row {
  const copy: unknown = JSON.parse(JSON.stringify(row, refusing) ?? 'null');
  if (typeof copy === 'object' && copy !== null && !Array.isArray(copy)) return copy as Row;
  throw new TypeError('a row is an object');
}

function refusing(name: string, value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new TypeError(`'${name}' is a ${typeof value}, which JSON does not have`);
  }
  return value;
}
