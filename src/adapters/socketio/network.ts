import {isIPv6} from 'node:net';

/**
 * The network from which somebody comes: an IPv4 address, whether the server listens on IPv4 or on
 * both, or the 64 bits of an IPv6 address that are given to one customer. The other 64 are theirs
 * to choose, a new one for each attempt.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head, tail] = plain.split('::').map(part => part.split(':').filter(Boolean));
  const left = tail ? Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0') : [];
  const network = [...head, ...left, ...(tail ?? [])].slice(0, 4);
  return `${network.map(group => parseInt(group, 16).toString(16)).join(':')}::/64`;
}
