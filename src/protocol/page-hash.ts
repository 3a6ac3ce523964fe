import type {Row, RowKey} from './page';

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * A hash of which rows a page shows, in which order and in which version: 32 bits as a whole number
 * from 0. Server and client make it of their page after each delta; where they differ, the client
 * asks for the page anew.
 *
 * It is FNV-1a over the UTF-16 units of each row's key, a zero, its `_version` as a string (nothing
 * for a row that has none), and a zero. A unit goes in whole; those below 256 are bytes.
 */
export function hashOfPage(keys: readonly RowKey[], rows: readonly Row[]): number {
  let hash = OFFSET;
  keys.forEach((key, i) => {
    hash = Math.imul(mix(hash, key), PRIME);
    const version = rows[i]._version;
    if (version !== undefined && version !== null) hash = mix(hash, String(version));
    hash = Math.imul(hash, PRIME);
  });
  return hash >>> 0;
}

function mix(from: number, text: string): number {
  let hash = from;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  return hash;
}
