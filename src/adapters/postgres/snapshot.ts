/** Ids have 64 bits, of which numbers hold 53: enough for 285 years of a million a second. */
const EPOCH = 2 ** 32;

/**
 * Reads a `pg_snapshot` (`xmin:xmax:xip,xip`) into the question whether it sees what a committed
 * transaction did. The snapshot has 64-bit ids, the log 32-bit ones: of all ids with those low
 * bits, the one nearest to the snapshot is meant, since no two living ones are 2³¹ apart.
 */
export function visibilityOf(snapshot: string): (transactionId: number) => boolean {
  const [xmin, xmax, list] = snapshot.split(':');
  const min = Number(xmin);
  const max = Number(xmax);
  const epoch = max - (max % EPOCH);
  const running = new Set(list === '' ? [] : list.split(',').map(Number));
  return transactionId => {
    const id = nearest(epoch + transactionId, max);
    return id < min || (id < max && !running.has(id));
  };
}

function nearest(id: number, to: number): number {
  if (id > to + EPOCH / 2) return id - EPOCH;
  if (id <= to - EPOCH / 2) return id + EPOCH;
  return id;
}
