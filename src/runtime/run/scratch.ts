/** Room for bytes that a stage keeps while it runs: in memory where it is small beside what is free, else in a file. */
import type { Scratch } from '../stages/stage.ts';
import { openPageFile } from './page-file.ts';

/** Of the memory that is free, the part that may be kept there. */
const SHARE = 0.25;
const MOST_IN_MEMORY = 2 ** 30;

export const fitsInMemory = (bytes: number, freeBytes: number = process.availableMemory()): boolean =>
  bytes <= Math.min(MOST_IN_MEMORY, SHARE * freeBytes);

/** The file is made at `path` if there is one. Errors: StoreError where it cannot be. */
export async function openScratch(path: string, bytes: number, freeBytes?: number): Promise<Scratch> {
  if (!fitsInMemory(bytes, freeBytes)) return { inMemory: false, ...(await openPageFile(path, bytes)) };
  const kept = new Uint8Array(bytes);
  return {
    inMemory: true,
    async read(into, position) {
      into.set(kept.subarray(position, position + into.length));
    },
    async write(from, position) {
      kept.set(from, position);
    },
    close: async () => {},
  };
}
