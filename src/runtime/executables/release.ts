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

/** Frees what was made since the last collection and is not reachable any more, in a fraction of a millisecond. */
export const collectYoung = (): void => theCollector()({ type: 'minor' });

/** Frees whatever is not reachable any more, in some milliseconds: where much was let go of at once. */
export const collectAll = (): void => theCollector()();

/** Frees the arrays' memory, however old they are; they are empty after that. Nothing may share their buffers. */
export function releaseArrays(arrays: Iterable<Float32Array>): void {
  // A moved buffer belongs to a new, young object that is garbage at once.
  for (const { buffer } of arrays) structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  collectYoung();
}
