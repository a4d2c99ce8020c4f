/**
 * Memory of arrays that nobody needs any more, given back now. V8 counts what lies outside its heap only roughly: left to
 * itself it lets the gradients of up to nine steps pile up.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collector = (options?: { readonly type: 'minor' }) => void;

let collector: Collector | undefined;

function theCollector(): Collector {
  if (collector === undefined) {
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as Collector;
  }
  return collector;
}

/** Bytes of results since the last collection. */
let young = 0;

/** Frees what was made since the last collection and is not reachable any more, in a fraction of a millisecond. */
export function collectYoung(): void {
  young = 0;
  theCollector()({ type: 'minor' });
}

/** Collects if results of so many bytes were counted since the last time. */
export function collectYoungFrom(bytes: number): void {
  if (young >= bytes) collectYoung();
}

export function countYoung(bytes: number): void {
  young += bytes;
}

/** Largest array whose memory the C library keeps when it is freed; of all of them together it keeps twice as much. */
const KEPT_BYTES = 8 << 20;

/**
 * Lets glibc keep what is freed for the next arrays of that size, instead of giving it back and taking it again, a page
 * fault for each 4 kB: it raises its thresholds when a larger piece than before is freed (mallopt(3), M_MMAP_THRESHOLD).
 */
export const keepFreedMemory = (): void => releaseArrays([new Float32Array(KEPT_BYTES / 4)]);

/** Frees whatever is not reachable any more, in some milliseconds: where much was let go of at once. */
export const collectAll = (): void => theCollector()();

/** Frees the arrays' memory, however old they are; they are empty after that. Nothing may share their buffers. */
export function releaseArrays(arrays: Iterable<Float32Array>): void {
  // A moved buffer belongs to a new, young object that is garbage at once.
  for (const { buffer } of arrays) structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  collectYoung();
}
