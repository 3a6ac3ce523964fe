import {formatNumber} from './format.mjs';

/**
 * Says of a server that it is at its limit at some rate of writes: half of the rows arrive only
 * when the next write is due already.
 *
 * @param waitMs the median of what a row takes to a subscriber
 * @param cpuMs what a write takes of the server's processes
 * @returns a sentence, or undefined when the server keeps up
 */
export function limitOf({name, perSecond, waitMs, cpuMs}) {
  const dueMs = 1000 / perSecond;
  if (waitMs <= dueMs) return undefined;
  const cores = (cpuMs * perSecond) / 1000;
  return `${name} is at its limit at ${perSecond} writes a second: one is due every ` +
    `${formatNumber(dueMs)} ms, half of the rows take ${formatNumber(waitMs)} ms or longer, and ` +
    `its processes take ${formatNumber(cores)} of a core for it`;
}
