/** The file that a paged optimizer keeps its state in. */
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PageFile } from '../optimizers/paged.ts';
import { storeError } from '../store/store-error.ts';

/** A new file of so many zero bytes; what an interrupted run left is overwritten. Errors: StoreError. */
export async function openPageFile(path: string, bytes: number): Promise<PageFile> {
  const guarded = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => {
      throw storeError(error, path);
    });
  const file = await guarded(created(path, bytes));
  return {
    read: (into, position) =>
      guarded(transfer(into.length, (at, rest) => file.read(into, at, rest, position + at), 'bytesRead')),
    write: (from, position) =>
      guarded(transfer(from.length, (at, rest) => file.write(from, at, rest, position + at), 'bytesWritten')),
    async close() {
      await file.close();
      await rm(path, { force: true });
    },
  };
}

async function created(path: string, bytes: number): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w+');
  await file.truncate(bytes);
  return file;
}

/** A call may move less than it was asked to. */
async function transfer<K extends string>(
  bytes: number,
  call: (at: number, rest: number) => Promise<{ readonly [key in K]: number }>,
  moved: K,
): Promise<void> {
  for (let done = 0; done < bytes; ) {
    const count = (await call(done, bytes - done))[moved];
    if (count === 0) throw new Error('the file of paged optimizer state is shorter than it was made');
    done += count;
  }
}
