/** Ids that no other round has, all of one length. */
export function idsOf(round, count) {
  const prefix = `round-${String(round + 100).padStart(4, '0')}`;
  return Array.from({length: count}, (_, i) => `${prefix}-${String(i).padStart(8, '0')}`);
}
