/** How much memory this machine has. */
import { totalmem } from 'node:os';

/** Bytes: of the container, where one limits them. */
export function deviceMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
