const EPOCH = 1n << 32n;

/**
 * Reads a `pg_snapshot` (`xmin:xmax:xip,xip`) into the question whether it sees what a committed
 * transaction did. The snapshot has 64-bit ids, the log 32-bit ones: of all ids with those low
 * bits, the one nearest to the snapshot is meant, since no two living ones are 2³¹ apart.
 */
export function visibilityOf(snapshot: string): (transactionId: number) => boolean {
  const [xmin, xmax, list] = snapshot.split(':');
  const min = BigInt(xmin);
  const max = BigInt(xmax);
  const running = new Set(list === '' ? [] : list.split(',').map(BigInt));
  return transactionId => {
    const id = nearest(BigInt(transactionId), max);
    return id < min || (id < max && !running.has(id));
  };
}

function nearest(low: bigint, to: bigint): bigint {
  const id = to - (to % EPOCH) + low;
  if (id > to + EPOCH / 2n) return id - EPOCH;
  if (id <= to - EPOCH / 2n) return id + EPOCH;
  return id;
}
