/** Reproducible random choices. */
export interface Random {
  /** A whole number from 0 to below the limit. */
  below(limit: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** An independent sequence. */
  fork(): Random;
}

/** Mulberry32: small, fast, and the same numbers for the same seed everywhere. */
export function pseudoRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: limit => Math.floor(next() * limit),
    chance: probability => next() < probability,
    fork: () => pseudoRandom(Math.floor(next() * 2 ** 32)),
  };
}
